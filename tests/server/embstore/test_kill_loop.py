"""Killed fifty times under load, at times amid a vacuum: every acknowledged write is there, with vector and payload."""

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from embstore_ledger import COLLECTION, Ledger, create
from embstore_process import StoreProcess

KILLS = 50
WRITERS = 3
# Every tenth kill waits for a vacuum's copy, by turns for its beginning and for its end.
AMID_A_VACUUM, AFTER_A_VACUUM = 9, 19
# A vacuum at any time, of any waste.
ALWAYS_VACUUM = {"EMBSTORE_VACUUM_IDLE_SECONDS": "0", "EMBSTORE_VACUUM_WASTE_MB": "0"}


def _shards(storage: Path) -> set[str]:
    return {path.name for path in (storage / "collections" / COLLECTION).glob("shard*")}


def _await_vacuum(storage: Path, kill: int) -> None:
    old = _shards(storage)
    moment = threading.Event()
    if kill % 20 in {AMID_A_VACUUM, AFTER_A_VACUUM}:
        while len(_shards(storage)) < 2:
            moment.wait(0.001)
    if kill % 20 == AFTER_A_VACUUM:
        while old & _shards(storage):
            moment.wait(0.001)


def test_fifty_kills_under_load_lose_no_acknowledged_write(tmp_path: Path) -> None:
    moments = random.Random(20261123)  # noqa: S311 - moments to kill at, not secrets
    ledgers = [Ledger(writer) for writer in range(WRITERS)]
    amid_a_vacuum = 0
    for kill in range(KILLS):
        with StoreProcess(tmp_path, **ALWAYS_VACUUM) as store, ThreadPoolExecutor(WRITERS) as pool:
            if kill == 0:
                create(store)
            there = sum(ledger.check(store) for ledger in ledgers)
            assert store.call("POST", f"/collections/{COLLECTION}/points/count", {})[1]["result"] == {"count": there}
            enough = [threading.Event() for _ in ledgers]
            running = [
                pool.submit(ledger.write, store, moments.randint(3, 30), event)
                for ledger, event in zip(ledgers, enough, strict=True)
            ]
            assert all(event.wait(60) for event in enough)
            _await_vacuum(tmp_path, kill)
            store.kill()
            for task in running:
                task.result()
        amid_a_vacuum += len(_shards(tmp_path)) > 1
    with StoreProcess(tmp_path) as store:
        assert sum(ledger.check(store) for ledger in ledgers) > 0
    assert amid_a_vacuum > 0
    assert _shards(tmp_path) != {"shard"}, "no vacuum has ever taken over"
