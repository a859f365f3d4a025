"""What survives: kill -9 at any moment, damage to one collection, a second process."""

import shutil
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException
from pathlib import Path
from typing import Any

import pytest

from embstore_process import StoreProcess

CREATE = {"vectors": {"size": 64, "distance": "Cosine", "on_disk": True}}
INDEX = {"field_name": "n", "field_schema": "integer"}
BATCH = 20


def _batch(first: int) -> dict[str, Any]:
    ids = range(first, first + BATCH)
    return {"points": [{"id": n, "vector": [float(n % 7 + 1)] * 64, "payload": {"n": n}} for n in ids]}


class _Writer:
    """Upserts batches until the store is gone; `acknowledged` are the first ids of those that were answered."""

    def __init__(self, store: StoreProcess, collection: str, enough: int) -> None:
        self.store = store
        self.collection = collection
        self.enough = enough
        self.acknowledged: list[int] = []
        self.has_enough = threading.Event()

    def run(self) -> None:
        for first in range(0, 100_000, BATCH):
            try:
                path = f"/collections/{self.collection}/points?wait=true"
                status, _ = self.store.call("PUT", path, _batch(first))
            except (HTTPException, OSError):
                return
            assert status == 200
            self.acknowledged.append(first)
            if len(self.acknowledged) == self.enough:
                self.has_enough.set()


def _present(store: StoreProcess, collection: str, acknowledged: list[int]) -> None:
    ids = [first + n for first in acknowledged for n in range(BATCH)]
    body = {"ids": ids, "with_payload": ["n"]}
    status, reply = store.call("POST", f"/collections/{collection}/points", body)
    assert status == 200, reply
    assert [point["payload"]["n"] for point in reply["result"]] == ids


def test_kill_9_loses_no_acknowledged_point_and_no_collection(tmp_path: Path) -> None:
    acknowledged: dict[str, list[int]] = {"one": [], "two": []}
    for enough in (5, 10, 20):
        with StoreProcess(tmp_path) as store, ThreadPoolExecutor(2) as pool:
            for name, done in acknowledged.items():
                store.call("PUT", f"/collections/{name}", CREATE)
                store.call("PUT", f"/collections/{name}/index?wait=true", INDEX)
                _present(store, name, done)
            writers = [_Writer(store, name, enough) for name in acknowledged]
            running = [pool.submit(writer.run) for writer in writers]
            for writer in writers:
                assert writer.has_enough.wait(60)
            store.kill()
            for task in running:
                task.result()
            acknowledged = {writer.collection: writer.acknowledged for writer in writers}
    with StoreProcess(tmp_path) as store:
        for name, done in acknowledged.items():
            assert len(done) >= 20
            _present(store, name, done)
            schema = store.call("GET", f"/collections/{name}")[1]["result"]["payload_schema"]
            assert schema["n"]["data_type"] == "integer"


def test_kill_9_right_after_a_create_and_a_delete_leaves_neither_half_made(tmp_path: Path) -> None:
    with StoreProcess(tmp_path) as store:
        store.call("PUT", "/collections/gone", CREATE)
        store.call("PUT", "/collections/kept", CREATE)
        store.call("DELETE", "/collections/gone")
        store.kill()
    with StoreProcess(tmp_path) as store:
        assert store.call("GET", "/collections")[1]["result"]["collections"] == [{"name": "kept"}]
        assert store.call("GET", "/collections/kept")[0] == 200


def test_leftovers_of_an_interrupted_create_or_delete_are_cleared_at_start(tmp_path: Path) -> None:
    for folder in ("staging/half", "trash/rest"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "file").write_text("x")
    with StoreProcess(tmp_path):
        assert list((tmp_path / "staging").iterdir()) == []
        assert list((tmp_path / "trash").iterdir()) == []


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        ("shard/edge_config.json", "edge_config.json"),
        ("shard/segments", "segment"),
        ("collection.json", "collection.json"),
    ],
)
def test_one_damaged_collection_is_named_and_the_rest_is_served(tmp_path: Path, damage: str, reason: str) -> None:
    with StoreProcess(tmp_path) as store:
        for name in ("bad", "good"):
            store.call("PUT", f"/collections/{name}", CREATE)
            store.call("PUT", f"/collections/{name}/points?wait=true", _batch(0))
        store.stop()
    target = tmp_path / "collections" / "bad" / damage
    if target.is_dir():
        for file in target.rglob("segment.json"):
            file.write_text("{")
    else:
        target.write_text("{")
    with StoreProcess(tmp_path) as store:
        listed = store.call("GET", "/collections")[1]["result"]["collections"]
        assert listed == [{"name": "bad"}, {"name": "good"}]
        status, reply = store.call("GET", "/collections/bad")
        assert status == 500
        error = reply["status"]["error"]
        assert error.startswith("Service internal error: Collection `bad` could not be loaded: ")
        assert reason in error
        assert store.call("PUT", "/collections/bad/points?wait=true", _batch(0))[0] == 500
        assert store.call("PUT", "/collections/bad", CREATE)[0] == 409
        assert store.call("POST", "/collections/good/points/count", {})[1]["result"] == {"count": BATCH}
        assert store.call("DELETE", "/collections/bad")[1]["result"] is True
        assert store.call("PUT", "/collections/bad", CREATE)[0] == 200
        assert store.call("POST", "/collections/bad/points/count", {})[1]["result"] == {"count": 0}


def test_a_collection_copied_by_hand_does_not_shadow_the_original(tmp_path: Path) -> None:
    with StoreProcess(tmp_path) as store:
        store.call("PUT", "/collections/one", CREATE)
        store.stop()
    shutil.copytree(tmp_path / "collections" / "one", tmp_path / "collections" / "copy")
    with StoreProcess(tmp_path) as store:
        assert store.call("GET", "/collections/one")[0] == 200
        status, reply = store.call("GET", "/collections/copy")
        assert status == 500
        assert "renamed or copied by hand" in reply["status"]["error"]


def test_a_second_process_on_the_folder_ends_at_once_and_names_the_first(tmp_path: Path) -> None:
    with StoreProcess(tmp_path) as first:
        code, log = StoreProcess(tmp_path).end()
        assert code == 4
        assert f"is in use by another process (pid {first.process.pid})" in log
        assert "QDRANT__STORAGE__STORAGE_PATH" in log
        assert "Traceback" not in log
        assert first.call("GET", "/collections")[0] == 200
        first.kill()
    with StoreProcess(tmp_path):
        pass


def test_a_wrong_variable_ends_the_start_with_a_sentence(tmp_path: Path) -> None:
    code, log = StoreProcess(tmp_path, QDRANT__SERVICE__HTTP_PORT="none").end()
    assert code == 2
    assert "QDRANT__SERVICE__HTTP_PORT is 'none'" in log


def test_a_taken_port_ends_the_start_and_leaves_the_folder_free(tmp_path: Path) -> None:
    with StoreProcess(tmp_path / "one") as first:
        code, log = StoreProcess(tmp_path / "two", QDRANT__SERVICE__HTTP_PORT=str(first.port)).end()
        assert code == 3
        assert "address already in use" in log
    with StoreProcess(tmp_path / "two"):
        pass


def test_a_storage_path_that_is_a_file_ends_the_start_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    code, log = StoreProcess(tmp_path / "file").end()
    assert code == 1
    assert f"The storage folder {tmp_path / 'file'} cannot be used: " in log


@pytest.mark.skipif(sys.platform == "win32", reason="SIGTERM is a kill there")
def test_sigterm_finishes_flushes_and_exits_with_0(tmp_path: Path) -> None:
    with StoreProcess(tmp_path) as store:
        store.call("PUT", "/collections/c", CREATE)
        store.call("PUT", "/collections/c/points?wait=true", _batch(0))
        code, log = store.stop()
    assert code == 0, log
    (mappings,) = (tmp_path / "collections" / "c").rglob("mutable_id_tracker.mappings")
    assert mappings.stat().st_size > 0, "ids reach this file by a flush only"
