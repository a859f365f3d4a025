"""A vacuum leaves the rows of deleted points behind and changes nothing else, whatever is written meanwhile."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from embstore import edge
from embstore.collection import Collection
from embstore.errors import Internal, NotFound
from embstore.metadata import Metadata, sync_folder
from embstore.store import Store
from embstore_collection import content, fresh, put

Closed = Callable[[], bool]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path, idle_seconds=3600)
    yield store
    store.close()


@pytest.fixture
def collection(store: Store) -> Collection:
    return fresh(store, "c")


def _go(_: Closed) -> bool:
    return True


def _rows(collection: Collection) -> int:
    collection.flush()
    return collection._shard.rows_taken()


def _folders(store: Store, name: str = "c") -> list[str]:
    return sorted(path.name for path in (store._root / name).glob("shard*"))


def test_dead_rows_go_and_every_bit_of_the_rest_stays_over_a_reload(store: Store, tmp_path: Path) -> None:
    collection = fresh(store, "c")
    for edition in range(4):
        put(collection, [*range(300), UUID(int=edition)], edition)
        collection.delete(edge.Selector(ids=list(range(0, 300, 2))), 10)
    put(collection, list(range(0, 300, 2)), 9)
    assert _rows(collection) > 2 * collection.count(None)
    before, report = content(collection), collection.report()
    assert collection.vacuum(_go)
    assert _rows(collection) == collection.count(None)
    assert (content(collection), collection.report()) == (before, report)
    assert len(_folders(store)) == 1
    store.close()
    reopened = Store(tmp_path, idle_seconds=3600)
    assert (content(reopened.get("c")), reopened.get("c").report()) == (before, report)
    reopened.close()


# Each kind of write, as a client would send it: (name, arguments).


def test_writers_and_readers_in_other_threads_notice_nothing(collection: Collection) -> None:
    put(collection, list(range(2000)))
    done = threading.Event()
    written: dict[int, int] = {}

    def write() -> None:
        edition = 1
        while not done.is_set():
            edition += 1
            for first in range(0, 4000, 1000):
                put(collection, list(range(first, first + 20)), edition)
                written[first] = edition
                done.wait(0.001)  # or the interpreter's lock goes round among these three

    def read() -> None:
        while not done.is_set():
            found, _ = collection.scroll(where=None, limit=100, offset=500, payload=True, with_vector=True)
            assert len(found) == 100
            done.wait(0.001)

    with ThreadPoolExecutor(3) as pool:
        tasks = [pool.submit(work) for work in (write, read, read)]
        try:
            vacuumed = [collection.vacuum(_go) for _ in range(5)]
        finally:
            done.set()
        for task in tasks:
            task.result()
    assert vacuumed == [True] * 5
    for first, edition in written.items():
        found = collection.retrieve(list(range(first, first + 20)), payload=True, with_vector=False)
        assert [point["payload"]["n"] for point in found] == [edition] * 20


def test_a_vacuum_told_to_stop_leaves_everything_as_it_was(store: Store, collection: Collection) -> None:
    put(collection, list(range(600)))
    before, folders = content(collection), _folders(store)
    answers = [True, True, False]
    assert not collection.vacuum(lambda _: answers.pop(0))
    assert (content(collection), _folders(store)) == (before, folders)
    put(collection, [1000])
    assert collection.count(None) == 601


def test_a_copy_that_misses_a_point_never_takes_over(
    store: Store, collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(collection, list(range(100)))
    folders = _folders(store)
    forget = edge.Builder.upsert
    monkeypatch.setattr(
        edge.Builder, "upsert", lambda to, ids, vectors, payloads: forget(to, ids[1:], vectors[1:], payloads[1:])
    )
    with pytest.raises(Internal, match="holds 99 points instead of 100"):
        collection.vacuum(_go)
    assert collection.count(None) == 100
    assert _folders(store) == folders


def test_a_swap_that_reached_the_disk_is_followed_even_where_it_was_told_to_have_failed(
    store: Store, collection: Collection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(collection, list(range(100)))
    before = content(collection)

    def fail(_: Path) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr("embstore.metadata.sync_folder", fail)
        assert collection.vacuum(_go)
    put(collection, [1000])
    store.close()
    reopened = Store(tmp_path, idle_seconds=3600)
    assert content(reopened.get("c"))[:-1] == before
    assert reopened.get("c").count(None) == 101
    reopened.close()


def test_a_swap_that_cannot_be_written_leaves_everything_as_it_was(
    store: Store, collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(collection, list(range(100)))
    before, folders = content(collection), _folders(store)

    def fail(_: object, __: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("embstore.metadata.Metadata.save", fail)
    with pytest.raises(Internal, match="No space left on device"):
        collection.vacuum(_go)
    assert (content(collection), _folders(store)) == (before, folders)


def test_a_collection_deleted_meanwhile_ends_its_vacuum_and_is_gone(store: Store, collection: Collection) -> None:
    put(collection, list(range(600)))
    reached, outcome = threading.Event(), []

    def wait_for_the_delete(closed: Closed) -> bool:
        reached.set()
        while not closed():
            reached.wait(0.01)
        return False

    thread = threading.Thread(target=lambda: outcome.append(collection.vacuum(wait_for_the_delete)))
    thread.start()
    assert reached.wait(30)
    assert store.delete("c")
    thread.join()
    assert outcome == [False]
    assert list((store._root).iterdir()) == []
    with pytest.raises(NotFound):
        collection.count(None)


def test_a_copy_that_a_crash_left_half_done_is_removed_when_the_collection_opens(tmp_path: Path) -> None:
    store = Store(tmp_path, idle_seconds=3600)
    put(fresh(store, "c"), [1, 2, 3])
    store.close()
    half = tmp_path / "collections" / "c" / f"shard-{'0' * 32}"
    (half / "segments").mkdir(parents=True)
    store = Store(tmp_path, idle_seconds=3600)
    assert store.get("c").count(None) == 3
    assert _folders(store) == ["shard"]
    store.close()


def test_an_index_made_meanwhile_ends_the_vacuum_and_the_next_one_has_it(collection: Collection) -> None:
    put(collection, list(range(600)))
    steps = 0

    def make_one(_: Closed) -> bool:
        nonlocal steps
        steps += 1
        if steps == 2:
            collection.create_index("text", edge.index_schema("keyword", {}), None)
        return True

    assert not collection.vacuum(make_one)
    assert collection.vacuum(make_one)
    assert set(collection.report()["payload_schema"]) == {"n", "kind", "text"}


def test_an_index_made_right_before_the_swap_ends_the_vacuum_too(
    collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(collection, list(range(100)))

    def make_one(folder: Path) -> None:
        sync_folder(folder)
        collection.create_index("text", edge.index_schema("keyword", {}), None)

    with monkeypatch.context() as patch:
        patch.setattr("embstore.collection.sync_folder", make_one)
        assert not collection.vacuum(_go)
    assert "text" in collection.report()["payload_schema"]


def test_a_shard_that_cannot_be_made_leaves_everything_as_it_was_and_says_why(
    store: Store, collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(collection, list(range(100)))
    before, folders = content(collection), _folders(store)
    monkeypatch.setattr("embstore.collection.vector_params", lambda _: edge.VectorParams(size=0, distance="Cosine"))
    with pytest.raises(Internal, match=r"no shard could be made in .*: "):
        collection.vacuum(_go)
    assert (content(collection), _folders(store)) == (before, folders)


def test_everything_is_on_the_disk_before_the_swap_and_the_original_goes_only_afterwards(
    store: Store, collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(collection, list(range(600)))
    (original,) = _folders(store)
    told: list[str] = []
    finish, sync_log, discard = edge.Builder.finish, edge.Shard.sync_log, edge.Shard.discard

    def named() -> str:
        return "swapped" if Metadata.read(store._root / "c").shard != original else "not swapped"

    def note(word: str, work: Callable[..., Any]) -> Callable[..., Any]:
        def noting(*arguments: Any) -> Any:
            told.append(f"{word}, {named()}")
            return work(*arguments)

        return noting

    monkeypatch.setattr(edge.Builder, "finish", note("files", finish))
    monkeypatch.setattr(edge.Shard, "sync_log", note("log", sync_log))
    for module in ("collection", "metadata"):
        monkeypatch.setattr(f"embstore.{module}.sync_folder", note("folder", sync_folder))
    monkeypatch.setattr(edge.Shard, "discard", note("original removed", discard))
    assert collection.vacuum(_go)
    assert told == [
        "files, not swapped",
        "folder, not swapped",
        "log, not swapped",
        "folder, swapped",
        "folder, swapped",
        "original removed, swapped",
    ]


def test_an_original_stays_while_the_swap_may_not_be_on_the_disk_and_goes_when_it_opens_again(
    store: Store, collection: Collection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(collection, list(range(100)))
    calls = 0

    def fail_after_the_swap(folder: Path) -> None:
        nonlocal calls
        calls += 1
        if calls > 1:
            raise OSError(5, "Input/output error")
        sync_folder(folder)

    with monkeypatch.context() as patch:
        patch.setattr("embstore.collection.sync_folder", fail_after_the_swap)
        assert collection.vacuum(_go)
    assert len(_folders(store)) == 2
    store.close()
    reopened = Store(tmp_path, idle_seconds=3600)
    assert len(_folders(reopened)) == 1
    assert reopened.get("c").count(None) == 100
    reopened.close()
