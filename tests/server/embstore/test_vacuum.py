"""A vacuum leaves the rows of deleted points behind and changes nothing else, whatever is written meanwhile."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from embstore import edge
from embstore.collection import Collection
from embstore.errors import Internal, NotFound
from embstore.metadata import Metadata, sync_folder
from embstore.points import Points
from embstore.store import Store

SIZE = 8
CREATE = {"vectors": {"size": SIZE, "distance": "Cosine", "on_disk": True}}
Closed = Callable[[], bool]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path, idle_seconds=3600)
    yield store
    store.close()


@pytest.fixture
def collection(store: Store) -> Collection:
    return _fresh(store, "c")


def _fresh(store: Store, name: str) -> Collection:
    store.create(name, CREATE)
    collection = store.get(name)
    collection.create_index("n", edge.index_schema("integer", {}), None)
    collection.create_index("kind", edge.index_schema("keyword", {"is_tenant": True}), {"is_tenant": True})
    return collection


def _put(collection: Collection, ids: list[Any], edition: int = 1) -> None:
    vectors = np.random.default_rng(edition).normal(size=(len(ids), SIZE)).astype(np.float32)
    payloads: list[Any] = [{"n": edition, "kind": f"k{at % 3}", "text": "ä" * at} for at in range(len(ids))]
    collection.upsert(Points(ids=ids, vectors=vectors, payloads=payloads), 1000)


def _content(collection: Collection) -> list[tuple[Any, bytes, Any]]:
    page, _ = collection.scroll(where=None, limit=10**6, offset=None, payload=True, with_vector=True)
    return [(point["id"], np.asarray(point["vector"]).tobytes(), point["payload"]) for point in page]


def _go(_: Closed) -> bool:
    return True


def _vacuum(collection: Collection, make_way: Callable[[Closed], bool], *, anew: int) -> None:
    """Until it is done: an index that comes or goes meanwhile has it begin anew, so many times at most."""
    for _ in range(anew + 1):
        if collection.vacuum(make_way):
            return
    raise AssertionError("the vacuum was never done")


def _rows(collection: Collection) -> int:
    collection.flush()
    return collection._shard.rows_taken()


def _folders(store: Store, name: str = "c") -> list[str]:
    return sorted(path.name for path in (store._root / name).glob("shard*"))


def test_dead_rows_go_and_every_bit_of_the_rest_stays_over_a_reload(store: Store, tmp_path: Path) -> None:
    collection = _fresh(store, "c")
    for edition in range(4):
        _put(collection, [*range(300), UUID(int=edition)], edition)
        collection.delete(edge.Selector(ids=list(range(0, 300, 2))), 10)
    _put(collection, list(range(0, 300, 2)), 9)
    assert _rows(collection) > 2 * collection.count(None)
    before, report = _content(collection), collection.report()
    assert collection.vacuum(_go)
    assert _rows(collection) == collection.count(None)
    assert (_content(collection), collection.report()) == (before, report)
    assert len(_folders(store)) == 1
    store.close()
    reopened = Store(tmp_path, idle_seconds=3600)
    assert (_content(reopened.get("c")), reopened.get("c").report()) == (before, report)
    reopened.close()


# Each kind of write, as a client would send it: (name, arguments).
IDS = st.lists(st.integers(0, 400), min_size=1, max_size=60, unique=True)
KIND = st.sampled_from(["k0", "k1", "k2"])
WRITES = st.one_of(
    st.tuples(st.just("put"), IDS, st.integers(1, 50)),
    st.tuples(st.just("delete"), IDS),
    st.tuples(st.just("delete where"), KIND),
    st.tuples(st.just("set where"), KIND, KIND),
    st.tuples(st.just("overwrite where"), KIND, st.integers(1, 50)),
    st.tuples(st.just("clear where"), KIND),
    st.tuples(st.just("drop key where"), KIND),
    st.tuples(st.just("index"), st.sampled_from(["text", "n"])),
    st.tuples(st.just("drop index"), st.sampled_from(["text", "n"])),
)


def _where(kind: str) -> edge.Selector:
    return edge.Selector(where=edge.filter_of(must=[edge.matches("kind", "value", kind)]))


def _carry_out(collection: Collection, write: tuple[Any, ...]) -> None:
    match write:
        case ("put", ids, edition):
            _put(collection, ids, edition)
        case ("delete", ids):
            collection.delete(edge.Selector(ids=ids), 10)
        case ("delete where", kind):
            collection.delete(_where(kind), 10)
        case ("set where", kind, other):
            collection.set_payload(_where(kind), {"kind": other}, None)
        case ("overwrite where", kind, edition):
            collection.overwrite_payload(_where(kind), {"n": edition})
        case ("clear where", kind):
            collection.clear_payload(_where(kind), 10)
        case ("drop key where", kind):
            collection.delete_payload(_where(kind), ["text"])
        case ("index", name):
            kind = "integer" if name == "n" else "keyword"
            collection.create_index(name, edge.index_schema(kind, {}), None)
        case ("drop index", name):
            collection.delete_index(name)


@dataclass(frozen=True, slots=True)
class _Interruption:
    """Carries out some writes before each step of a vacuum, and the same ones on a collection that is left alone."""

    vacuumed: Collection
    control: Collection
    steps: list[list[tuple[Any, ...]]]

    def __call__(self, _: Closed) -> bool:
        for write in self.steps.pop(0) if self.steps else []:
            for collection in (self.vacuumed, self.control):
                _carry_out(collection, write)
        return True


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    store = Store(tmp_path_factory.mktemp("vacuums"), idle_seconds=3600)
    yield store
    store.close()


@settings(
    max_examples=15,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(steps=st.lists(st.lists(WRITES, max_size=3), max_size=8), number=st.integers(0, 400))
def test_writes_of_every_kind_at_any_step_are_all_there_afterwards(
    shared: Store, steps: list[list[tuple[Any, ...]]], number: int
) -> None:
    for name in shared.names():
        shared.delete(name)
    pair = [_fresh(shared, name) for name in ("vacuumed", "control")]
    for collection in pair:
        _put(collection, list(range(number)))
    _vacuum(pair[0], _Interruption(pair[0], pair[1], steps), anew=len(steps))
    assert _content(pair[0]) == _content(pair[1])
    schemas = [collection.report()["payload_schema"] for collection in pair]
    assert schemas[0] == schemas[1]
    by_kind = [[collection.count(_where(kind).where) for kind in ("k0", "k1", "k2")] for collection in pair]
    assert by_kind[0] == by_kind[1]


def test_writers_and_readers_in_other_threads_notice_nothing(collection: Collection) -> None:
    _put(collection, list(range(2000)))
    done = threading.Event()
    written: dict[int, int] = {}

    def write() -> None:
        edition = 1
        while not done.is_set():
            edition += 1
            for first in range(0, 4000, 1000):
                _put(collection, list(range(first, first + 20)), edition)
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
    _put(collection, list(range(600)))
    before, folders = _content(collection), _folders(store)
    answers = [True, True, False]
    assert not collection.vacuum(lambda _: answers.pop(0))
    assert (_content(collection), _folders(store)) == (before, folders)
    _put(collection, [1000])
    assert collection.count(None) == 601


def test_a_copy_that_misses_a_point_never_takes_over(
    store: Store, collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    _put(collection, list(range(100)))
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
    _put(collection, list(range(100)))
    before = _content(collection)

    def fail(_: Path) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr("embstore.metadata.sync_folder", fail)
        assert collection.vacuum(_go)
    _put(collection, [1000])
    store.close()
    reopened = Store(tmp_path, idle_seconds=3600)
    assert _content(reopened.get("c"))[:-1] == before
    assert reopened.get("c").count(None) == 101
    reopened.close()


def test_a_swap_that_cannot_be_written_leaves_everything_as_it_was(
    store: Store, collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    _put(collection, list(range(100)))
    before, folders = _content(collection), _folders(store)

    def fail(_: object, __: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("embstore.metadata.Metadata.save", fail)
    with pytest.raises(Internal, match="No space left on device"):
        collection.vacuum(_go)
    assert (_content(collection), _folders(store)) == (before, folders)


def test_a_collection_deleted_meanwhile_ends_its_vacuum_and_is_gone(store: Store, collection: Collection) -> None:
    _put(collection, list(range(600)))
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
    _put(_fresh(store, "c"), [1, 2, 3])
    store.close()
    half = tmp_path / "collections" / "c" / f"shard-{'0' * 32}"
    (half / "segments").mkdir(parents=True)
    store = Store(tmp_path, idle_seconds=3600)
    assert store.get("c").count(None) == 3
    assert _folders(store) == ["shard"]
    store.close()


def test_an_index_made_meanwhile_ends_the_vacuum_and_the_next_one_has_it(collection: Collection) -> None:
    _put(collection, list(range(600)))
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
    _put(collection, list(range(100)))

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
    _put(collection, list(range(100)))
    before, folders = _content(collection), _folders(store)
    monkeypatch.setattr("embstore.collection.vector_params", lambda _: edge.VectorParams(size=0, distance="Cosine"))
    with pytest.raises(Internal, match=r"no shard could be made in .*: "):
        collection.vacuum(_go)
    assert (_content(collection), _folders(store)) == (before, folders)


def test_everything_is_on_the_disk_before_the_swap_and_the_original_goes_only_afterwards(
    store: Store, collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    _put(collection, list(range(600)))
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
    _put(collection, list(range(100)))
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
