"""When a store flushes and vacuums: while nobody asks for anything, and only what is worth it."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from embstore import edge, store
from embstore.collection import Collection
from embstore.points import Points
from embstore.store import Store

SIZE = 8
ROW_BYTES = SIZE * 4 + 256
LONG = 60


@pytest.fixture
def quiet(tmp_path: Path) -> Iterator[Store]:
    """A store that is never idle by itself: its threads do nothing in these tests."""
    store = Store(tmp_path, idle_seconds=3600, waste_bytes=1)
    yield store
    store.close()


def _fill(store: Store, points: int = 600, deleted: int = 500) -> Collection:
    store.create("c", {"vectors": {"size": SIZE, "distance": "Cosine"}})
    collection = store.get("c")
    _put(collection, points)
    collection.delete(edge.Selector(ids=list(range(deleted))), 10)
    return collection


def _put(collection: Collection, points: int) -> None:
    vectors = np.ones((points, SIZE), dtype=np.float32)
    collection.upsert(Points(ids=list(range(points)), vectors=vectors, payloads=[None] * points), 1000)


def _shard(store: Store) -> str:
    return store.get("c")._shard.folder.name


def _until(true: Callable[[], bool]) -> None:
    moment = threading.Event()
    for _ in range(LONG * 100):
        if true():
            return
        moment.wait(0.01)
    raise AssertionError(f"it did not happen within {LONG} s")


def test_a_vacuum_makes_way_for_a_request_and_goes_on_after_it(quiet: Store) -> None:
    collection = _fill(quiet)
    collection.flush()
    before = _shard(quiet)
    asked, answered = threading.Event(), threading.Event()
    make_way = quiet._make_way

    def ask(closed: Callable[[], bool]) -> bool:
        asked.set()
        may_go_on = make_way(closed)
        answered.set()
        return may_go_on

    quiet._make_way = ask  # type: ignore[method-assign] # to see that it was asked
    vacuuming = threading.Thread(target=quiet.vacuum)
    with quiet.activity.request():
        vacuuming.start()
        assert asked.wait(LONG)
        # Several times what it waits for after a request.
        assert not answered.wait(5 * store._RESUME_SECONDS)
        assert _shard(quiet) == before
    vacuuming.join()
    assert _shard(quiet) != before
    assert collection.count(None) == 100


def test_a_request_in_work_holds_back_flush_and_vacuum_and_an_idle_store_does_both(tmp_path: Path) -> None:
    looked = threading.Semaphore(0)
    store = Store(tmp_path, idle_seconds=0.01, waste_bytes=1)
    try:
        idle = store._idle

        def look() -> bool:
            looked.release()
            return idle()

        with store.activity.request():
            collection = _fill(store)
            store._idle = look  # type: ignore[method-assign] # to see that it looked
            for _ in range(20):
                assert looked.acquire(timeout=LONG)
            assert collection.unflushed > 0
            assert _shard(store) == "shard"
        _until(lambda: _shard(store) != "shard")
        _until(lambda: not collection.unflushed)
        assert collection.count(None) == 100
    finally:
        store.close()


def test_only_waste_beyond_the_limit_is_vacuumed(quiet: Store) -> None:
    collection = _fill(quiet)
    collection.flush()
    wasted = collection.wasted()
    assert wasted == 500 * ROW_BYTES
    before = _shard(quiet)
    quiet._waste_bytes = wasted + 1
    quiet.vacuum()
    assert _shard(quiet) == before
    _put(collection, 1)
    quiet._waste_bytes = wasted
    collection.flush()
    quiet.vacuum()
    assert _shard(quiet) != before


def test_deleted_points_up_to_half_of_the_living_are_no_waste(quiet: Store) -> None:
    collection = _fill(quiet, points=600, deleted=200)
    collection.flush()
    assert collection.wasted() == 0
    collection.delete(edge.Selector(ids=[200]), 10)
    assert collection.wasted() == 201 * ROW_BYTES


def test_waste_that_was_not_flushed_when_it_was_looked_for_is_looked_for_again(quiet: Store) -> None:
    collection = _fill(quiet)
    before = _shard(quiet)
    quiet.vacuum()
    assert _shard(quiet) == before, "rows are known as of the last flush"
    collection.flush()
    quiet.vacuum()
    assert _shard(quiet) != before


def test_what_is_written_during_a_flush_is_still_to_be_flushed(quiet: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    collection = _fill(quiet)
    flush = edge.Shard.flush

    def write_and_flush(shard: edge.Shard) -> None:
        flush(shard)
        assert collection.unflushed > 0, "it has not ended"
        _put(collection, 1)

    with monkeypatch.context() as patch:
        patch.setattr(edge.Shard, "flush", write_and_flush)
        collection.flush()
    assert collection.unflushed > 0
    collection.flush()
    assert collection.unflushed == 0


def test_a_long_log_is_flushed_though_the_store_is_never_idle_and_a_short_one_only_synced(
    quiet: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    collection = _fill(quiet)
    synced: list[edge.Shard] = []

    def note(shard: edge.Shard) -> None:
        synced.append(shard)

    monkeypatch.setattr(edge.Shard, "sync_log", note)
    quiet.keep_logs()
    assert synced == [collection._shard]
    assert collection.unflushed > 0
    monkeypatch.setattr(store, "_LOG_BYTES", collection.unflushed)
    quiet.keep_logs()
    assert collection.unflushed == 0
