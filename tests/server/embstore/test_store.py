"""Collections come and go under readers and writers."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from embstore import edge
from embstore.errors import AlreadyExists, NotFound
from embstore.points import Points
from embstore.store import Store

CREATE = {"vectors": {"size": 3, "distance": "Dot"}}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path)
    yield store
    store.close()


def test_of_many_creates_of_one_name_one_wins(store: Store) -> None:
    def create(_: int) -> bool:
        try:
            store.create("c", CREATE)
        except AlreadyExists:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(create, range(6))) == [False] * 5 + [True]
    assert store.names() == ["c"]


def test_a_delete_under_readers_and_writers_ends_them_with_not_found(store: Store) -> None:
    store.create("c", CREATE)
    collection = store.get("c")
    points = Points(ids=[1, 2], vectors=np.ones((2, 3), dtype=np.float32), payloads=[None, None])

    def read() -> None:
        while True:
            collection.scroll(where=None, limit=5, offset=None, payload=True, with_vector=True)

    def write() -> None:
        while True:
            collection.upsert(points, 100)
            collection.delete(edge.Selector(ids=[1]), 10)

    with ThreadPoolExecutor(4) as pool:
        tasks = [pool.submit(read), pool.submit(read), pool.submit(write), pool.submit(write)]
        assert store.delete("c")
        for task in tasks:
            assert isinstance(task.exception(), NotFound)
    assert store.names() == []


def test_only_what_was_written_to_is_flushed_and_then_counts_as_clean(store: Store) -> None:
    for name in ("written", "idle"):
        store.create(name, CREATE)
    # What opening a collection replays from its log counts as written.
    assert store.get("idle").unflushed > 0
    store.flush()
    points = Points(ids=[1], vectors=np.ones((1, 3), dtype=np.float32), payloads=[None])
    store.get("written").upsert(points, 100)
    assert store.get("written").unflushed > 0
    assert store.get("idle").unflushed == 0
    store.flush()
    assert store.get("written").unflushed == 0
