"""Search is exact: NumPy's neighbours and scores, whatever was written, deleted, reopened or vacuumed before."""

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from embstore import edge
from embstore.filters import parse_filter
from embstore.points import Points
from embstore.requests import Search
from embstore.store import Store

SIZE = 8
TOLERANCE = 1e-5
# A grid without tiny vectors: below a squared length of 1.2e-7 the engine, as Qdrant, takes a vector for zero.
ROW = st.lists(st.integers(-64, 64).map(lambda step: step / 8), min_size=SIZE, max_size=SIZE)
ID = st.integers(0, 60)
PAYLOAD = st.fixed_dictionaries(
    {}, optional={"kind": st.sampled_from("abc"), "line": st.integers(0, 9), "tags": st.lists(st.sampled_from("xyz"))}
)
POINTS = st.dictionaries(ID, st.tuples(ROW, PAYLOAD), min_size=1, max_size=20)


def _has_kind(kind: str) -> tuple[Any, Any]:
    return {"key": "kind", "match": {"value": kind}}, lambda _, payload: payload.get("kind") == kind


def _has_tag(tags: list[str]) -> tuple[Any, Any]:
    wanted = {"key": "tags", "match": {"any": tags}}
    return wanted, lambda _, payload: bool(set(tags) & set(payload.get("tags", [])))


def _has_line_below(line: int) -> tuple[Any, Any]:
    return {"key": "line", "range": {"lt": line}}, lambda _, payload: "line" in payload and payload["line"] < line


def _has_id(ids: list[int]) -> tuple[Any, Any]:
    return {"has_id": ids}, lambda point, _: point in ids


# Each condition twice: as a client writes it, and as a function of a point's id and payload.
CONDITION = st.one_of(
    st.sampled_from("abc").map(_has_kind),
    st.lists(st.sampled_from("xyz"), min_size=1).map(_has_tag),
    st.integers(0, 9).map(_has_line_below),
    st.lists(ID, max_size=9).map(_has_id),
)
CLAUSES = st.fixed_dictionaries({clause: st.lists(CONDITION, max_size=2) for clause in ("must", "should", "must_not")})


def _accepts(clauses: dict[str, list[tuple[Any, Any]]], point: int, payload: dict[str, Any]) -> bool:
    met = {clause: [test(point, payload) for _, test in tests] for clause, tests in clauses.items()}
    return all(met["must"]) and (any(met["should"]) or not met["should"]) and not any(met["must_not"])


def _scores(distance: str, matrix: Any, query: Any) -> Any:
    """NumPy's own answer, in double precision."""
    match distance:
        case "Cosine":
            norms = np.linalg.norm(matrix, axis=1) * np.linalg.norm(query)
            return np.divide(matrix @ query, norms, out=np.zeros(len(matrix)), where=norms > 0)
        case "Dot":
            return matrix @ query
        case "Euclid":
            return np.linalg.norm(matrix - query, axis=1)
        case _:
            return np.abs(matrix - query).sum(axis=1)


def _expect(distance: str, found: list[dict[str, Any]], exact: dict[int, float], limit: int, offset: int) -> None:
    """`found` is the page of `exact` that was asked for; where scores are equal, any of the points may come."""
    closer_is_less = distance in {"Euclid", "Manhattan"}
    best = sorted(exact.values(), reverse=not closer_is_less)[offset : offset + limit]
    assert [float(point["score"]) for point in found] == pytest.approx(best, abs=TOLERANCE, rel=0)
    assert len({point["id"] for point in found}) == len(found)
    for point in found:
        assert float(point["score"]) == pytest.approx(exact[point["id"]], abs=TOLERANCE, rel=0)


class Searching(RuleBasedStateMachine):
    """A collection, and beside it the vectors and payloads that it must hold."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.store = Store(Path(self.folder.name), idle_seconds=3600)
        self.held: dict[int, tuple[list[float], dict[str, Any]]] = {}

    def teardown(self) -> None:
        self.store.close()
        self.folder.cleanup()

    @initialize(distance=st.sampled_from(sorted(edge.DISTANCES)), on_disk=st.booleans(), indexed=st.booleans())
    def create(self, distance: str, *, on_disk: bool, indexed: bool) -> None:
        self.distance = distance
        self.store.create("c", {"vectors": {"size": SIZE, "distance": distance, "on_disk": on_disk}})
        for name, kind in (("kind", "keyword"), ("tags", "keyword"), ("line", "integer")) if indexed else ():
            self.store.get("c").create_index(name, edge.index_schema(kind, {}), None)

    @rule(points=POINTS)
    def upsert(self, points: dict[int, tuple[list[float], dict[str, Any]]]) -> None:
        vectors = np.array([row for row, _ in points.values()], dtype=np.float32)
        payloads: list[dict[str, Any] | None] = [dict(payload) for _, payload in points.values()]
        self.store.get("c").upsert(Points(ids=list(points), vectors=vectors, payloads=payloads), 1000)
        self.held |= points

    @rule(ids=st.lists(ID, max_size=20))
    def delete(self, ids: list[int]) -> None:
        self.store.get("c").delete(edge.Selector(ids=ids), 100)
        self.held = {point: held for point, held in self.held.items() if point not in ids}

    @rule(clauses=CLAUSES)
    def delete_found(self, clauses: dict[str, list[tuple[Any, Any]]]) -> None:
        self.store.get("c").delete(edge.Selector(where=self.where(clauses)), 100)
        self.held = {point: held for point, held in self.held.items() if not _accepts(clauses, point, held[1])}

    @rule(clauses=CLAUSES, kind=st.sampled_from("abc"))
    def set_kind(self, clauses: dict[str, list[tuple[Any, Any]]], kind: str) -> None:
        self.store.get("c").set_payload(edge.Selector(where=self.where(clauses)), {"kind": kind}, None)
        self.held = {
            point: (row, payload | {"kind": kind} if _accepts(clauses, point, payload) else payload)
            for point, (row, payload) in self.held.items()
        }

    @rule()
    def reopen(self) -> None:
        self.store.close()
        self.store = Store(Path(self.folder.name), idle_seconds=3600)

    @rule()
    def vacuum(self) -> None:
        assert self.store.get("c").vacuum(lambda _: True)

    @precondition(lambda self: self.held)
    @rule(query=ROW, clauses=CLAUSES, limit=st.integers(1, 70), offset=st.integers(0, 5), cut=st.integers(0, 9))
    def search(
        self, query: list[float], clauses: dict[str, list[tuple[Any, Any]]], limit: int, offset: int, cut: int
    ) -> None:
        kept = [point for point, (_, payload) in self.held.items() if _accepts(clauses, point, payload)]
        matrix = np.array([self.held[point][0] for point in kept], dtype=np.float64).reshape(len(kept), SIZE)
        scores = _scores(self.distance, matrix, np.array(query))
        exact = dict(zip(kept, map(float, scores), strict=True))
        _expect(self.distance, self.found(query, clauses, limit, offset, None), exact, limit, offset)
        if exact:
            # A threshold between two scores, where rounding decides nothing.
            ordered = sorted(exact.values())
            at = min(cut, len(ordered) - 1)
            threshold = ordered[at] - 2 * TOLERANCE
            less = self.distance in {"Euclid", "Manhattan"}
            beyond = {point: score for point, score in exact.items() if (score < threshold) == less}
            if all(abs(score - threshold) > TOLERANCE for score in ordered):
                _expect(self.distance, self.found(query, clauses, limit, 0, threshold), beyond, limit, 0)

    @staticmethod
    def where(clauses: dict[str, list[tuple[Any, Any]]]) -> edge.Filter:
        where = parse_filter({clause: [condition for condition, _ in tests] for clause, tests in clauses.items()})
        assert where is not None
        return where

    def found(
        self,
        query: list[float],
        clauses: dict[str, list[tuple[Any, Any]]],
        limit: int,
        offset: int,
        threshold: float | None,
    ) -> list[dict[str, Any]]:
        search = Search(
            vector=np.array(query, dtype=np.float32),
            like=None,
            where=self.where(clauses),
            limit=limit,
            offset=offset,
            threshold=threshold,
            payload=True,
            with_vector=False,
        )
        found = self.store.get("c").search(search)
        for point in found:
            assert point["payload"] == self.held[point["id"]][1]
        return found


TestSearching = Searching.TestCase
TestSearching.settings = settings(max_examples=60, stateful_step_count=20)


@pytest.mark.parametrize("distance", sorted(edge.DISTANCES))
def test_a_large_sample_has_recall_one_over_overwrites_deletes_and_a_reload(tmp_path: Path, distance: str) -> None:
    random = np.random.default_rng(20261123)
    shard = edge.Shard.create(tmp_path / "shard", edge.VectorParams(size=384, distance=distance, on_disk=True))
    # Unit length, as embeddings have: in single precision, scores of longer ones differ by more than the tolerance.
    matrix = _unit(random.normal(size=(2000, 384)))
    ids = list(range(2000))
    shard.upsert(ids, matrix, [None] * 2000)
    matrix[500:700] = _unit(random.normal(size=(200, 384)))
    shard.upsert(ids[500:700], matrix[500:700], [None] * 200)
    shard.delete(edge.Selector(ids=ids[:100]))
    shard.close()
    shard = edge.Shard.load(tmp_path / "shard")
    for query in _unit(random.normal(size=(20, 384))):
        exact = _scores(distance, matrix[100:].astype(np.float64), query.astype(np.float64))
        found = shard.nearest(query, where=None, limit=50, offset=0, threshold=None, payload=False, with_vector=False)
        _expect(distance, found, dict(zip(ids[100:], map(float, exact), strict=True)), 50, 0)
    shard.close()


def _unit(rows: Any) -> edge.Matrix:
    unit: edge.Matrix = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return unit
