"""Writes of every kind, at any step of a vacuum, are all there afterwards: held against a collection left alone."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from embstore import edge
from embstore.collection import Collection
from embstore.store import Store
from embstore_collection import content, fresh, put

Closed = Callable[[], bool]
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
            put(collection, ids, edition)
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


def vacuum_until_done(collection: Collection, make_way: Callable[[Closed], bool], *, anew: int) -> None:
    """Until it is done: an index that comes or goes meanwhile has it begin anew, so many times at most."""
    for _ in range(anew + 1):
        if collection.vacuum(make_way):
            return
    raise AssertionError("the vacuum was never done")


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


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.lists(WRITES, max_size=3), max_size=8), number=st.integers(0, 400))
def test_writes_of_every_kind_at_any_step_are_all_there_afterwards(
    shared: Store, steps: list[list[tuple[Any, ...]]], number: int
) -> None:
    for name in shared.names():
        shared.delete(name)
    pair = [fresh(shared, name) for name in ("vacuumed", "control")]
    for collection in pair:
        put(collection, list(range(number)))
    vacuum_until_done(pair[0], _Interruption(pair[0], pair[1], steps), anew=len(steps))
    assert content(pair[0]) == content(pair[1])
    schemas = [collection.report()["payload_schema"] for collection in pair]
    assert schemas[0] == schemas[1]
    by_kind = [[collection.count(_where(kind).where) for kind in ("k0", "k1", "k2")] for collection in pair]
    assert by_kind[0] == by_kind[1]
