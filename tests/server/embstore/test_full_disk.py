"""A full disk: a clear 500, a living process, nothing lost, and writing again once there is room."""

import contextlib
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from embstore_process import StoreProcess
from small_disk import small_disk

SIZE = 768
CREATE = {"vectors": {"size": SIZE, "distance": "Cosine", "on_disk": True}}


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path, size="112m") as disk:
        yield disk


def _fill(store: StoreProcess, collection: str) -> tuple[int, str]:
    """Upsert until refused; the number of points acknowledged, and the refusal."""
    payload = {"codeChunk": "x" * 700}
    for batch in range(10_000):
        points: list[dict[str, Any]] = [
            {"id": batch * 60 + n, "vector": [0.5, float(n)] * (SIZE // 2), "payload": payload} for n in range(60)
        ]
        status, reply = store.call("PUT", f"/collections/{collection}/points?wait=true", {"points": points})
        if status != 200:
            assert status == 500
            return batch * 60, reply["status"]["error"]
    raise AssertionError("the disk never filled up")


def _count(store: StoreProcess, collection: str) -> int:
    return int(store.call("POST", f"/collections/{collection}/points/count", {})[1]["result"]["count"])


def test_a_full_disk_refuses_writes_keeps_points_and_recovers(disk: Path) -> None:
    with StoreProcess(disk) as store:
        for name in ("first", "second"):
            assert store.call("PUT", f"/collections/{name}", CREATE)[0] == 200
        written, error = _fill(store, "first")
        assert written > 0
        assert error.startswith("Service internal error: No space left on device: this write needs ")
        assert store.process.poll() is None
        assert _count(store, "first") == written
        store.kill()
    with StoreProcess(disk) as store:
        assert _count(store, "first") == written
        assert store.call("DELETE", "/collections/first")[1]["result"] is True
        again, _ = _fill(store, "second")
        assert again > 0
        assert _count(store, "second") == again


def _fill_up(filler: Path) -> None:
    """What another program does that takes all that is left."""
    with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
        while True:
            file.write(b"x" * 65536)


def _upsert(store: StoreProcess, batch: int) -> tuple[int, str]:
    """One batch; its status, and the words of a refusal."""
    points = [
        {"id": batch * 60 + n, "vector": [0.5, float(n)] * (SIZE // 2), "payload": {"codeChunk": f"{batch} " * 350}}
        for n in range(60)
    ]
    status, reply = store.call("PUT", "/collections/c/points?wait=true", {"points": points})
    return status, "" if status == 200 else reply["status"]["error"]


def _expect_batches(store: StoreProcess, batches: list[int]) -> None:
    for batch in batches:
        ids = [batch * 60 + n for n in range(60)]
        status, reply = store.call("POST", "/collections/c/points", {"ids": ids})
        assert status == 200
        assert [point["payload"]["codeChunk"] for point in reply["result"]] == [f"{batch} " * 350] * 60


def test_writers_side_by_side_are_refused_and_go_on_once_there_is_room(disk: Path) -> None:
    filler = disk / "filler"
    filler.write_bytes(b"x" * 20 * 1024 * 1024)
    acknowledged: list[int] = []

    def write(writer: int) -> int:
        for batch in range(writer * 1000, writer * 1000 + 1000):
            status, error = _upsert(store, batch)
            if status != 200:
                assert status == 500
                assert f"MiB free in {disk}" in error
                return batch
            acknowledged.append(batch)
        raise AssertionError("the disk never filled up")

    with StoreProcess(disk) as store, ThreadPoolExecutor(4) as pool:
        assert store.call("PUT", "/collections/c", CREATE)[0] == 200
        refused = list(pool.map(write, range(4)))
        assert acknowledged
        _expect_batches(store, acknowledged)
        filler.unlink()
        assert [status for status, _ in pool.map(lambda batch: _upsert(store, batch), refused)] == [200] * 4
        assert store.process.poll() is None
        store.kill()
    with StoreProcess(disk) as store:
        _expect_batches(store, acknowledged + refused)


def test_a_disk_that_others_fill_again_and_again_under_load_kills_nothing(disk: Path) -> None:
    acknowledged: list[int] = []
    refusals: list[str] = []
    done = threading.Event()

    def interfere() -> None:
        filler = disk / "filler"
        while not done.is_set():
            seen = len(refusals)
            _fill_up(filler)
            while len(refusals) < seen + 3 and not done.wait(0.001):
                pass
            filler.unlink(missing_ok=True)
            seen = len(acknowledged)
            while len(acknowledged) < seen + 3 and not done.wait(0.001):
                pass

    def write(writer: int) -> None:
        for request in range(150):
            # A few batches over and over: what the store itself takes stays small.
            batch = writer * 10 + request % 5
            status, error = _upsert(store, batch)
            assert status in {200, 500}
            if status == 200:
                acknowledged.append(batch)
            else:
                assert "No space left on device" in error
                refusals.append(error)

    with StoreProcess(disk) as store, ThreadPoolExecutor(4) as pool:
        assert store.call("PUT", "/collections/c", CREATE)[0] == 200
        interfering = pool.submit(interfere)
        for task in [pool.submit(write, writer) for writer in range(3)]:
            task.result()
        done.set()
        interfering.result()
        assert store.process.poll() is None
        assert acknowledged
        assert refusals
        store.kill()
    with StoreProcess(disk) as store:
        _expect_batches(store, sorted(set(acknowledged)))


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_a_disk_filled_between_a_write_and_its_flush_kills_nothing_and_loses_nothing(disk: Path, end: str) -> None:
    filler = disk / "filler"
    with StoreProcess(disk, EMBSTORE_VACUUM_IDLE_SECONDS="1") as store:
        assert store.call("PUT", "/collections/c", CREATE)[0] == 200
        assert _upsert(store, 1)[0] == 200
        _fill_up(filler)
        while "was not flushed" not in store.log():
            assert store.process.poll() is None, store.log()
            threading.Event().wait(0.05)
        _expect_batches(store, [1])
        if end == "kill":
            store.kill()
        else:
            code, log = store.stop()
            assert code == 0, log
    filler.unlink()
    with StoreProcess(disk) as store:
        _expect_batches(store, [1])


def test_a_disk_filled_by_others_fails_each_collection_and_kills_nothing(disk: Path) -> None:
    with StoreProcess(disk) as store:
        store.call("PUT", "/collections/c", CREATE)
        point = {"id": 1, "vector": [1.0] * SIZE}
        assert store.call("PUT", "/collections/c/points?wait=true", {"points": [point]})[0] == 200
        store.kill()
    filler = disk / "filler"
    _fill_up(filler)
    with StoreProcess(disk) as store:
        status, reply = store.call("GET", "/collections/c")
        assert status == 500
        assert "No space left on device" in reply["status"]["error"]
        store.stop()
    filler.unlink()
    with StoreProcess(disk) as store:
        assert _count(store, "c") == 1
