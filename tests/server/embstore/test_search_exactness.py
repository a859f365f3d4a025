"""Search is exact: the same neighbours and scores as NumPy, whatever the vectors, before and after changes."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from embstore import edge

SIZE = 8
NUMBERS = st.floats(min_value=-100, max_value=100, allow_nan=False, width=32)


def _cosine(matrix: edge.Matrix, query: edge.Matrix) -> edge.Matrix:
    wide = matrix.astype(np.float64)
    norms = np.linalg.norm(wide, axis=1) * np.linalg.norm(query.astype(np.float64))
    products = wide @ query.astype(np.float64)
    scores: edge.Matrix = np.divide(products, norms, out=np.zeros_like(products), where=norms > 0)
    return scores


def _expect_numpys_answer(shard: edge.Shard, vectors: dict[int, edge.Matrix], query: edge.Matrix, limit: int) -> None:
    found = shard.nearest(query, where=None, limit=limit, offset=0, threshold=None, payload=False, with_vector=False)
    ids = sorted(vectors)
    exact = dict(zip(ids, _cosine(np.stack([vectors[point] for point in ids]), query), strict=True))
    assert len(found) == min(limit, len(ids))
    assert len({point["id"] for point in found}) == len(found)
    best = sorted(exact.values(), reverse=True)[: len(found)]
    assert [float(point["score"]) for point in found] == pytest.approx(best, abs=1e-5)
    for point in found:
        assert float(point["score"]) == pytest.approx(exact[point["id"]], abs=1e-5)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.lists(NUMBERS, min_size=SIZE, max_size=SIZE), min_size=1, max_size=30),
    query=st.lists(NUMBERS, min_size=SIZE, max_size=SIZE),
    dropped=st.sets(st.integers(0, 29)),
    limit=st.integers(1, 40),
)
def test_neighbours_and_scores_equal_numpys(
    shard: edge.Shard, rows: list[list[float]], query: list[float], dropped: set[int], limit: int
) -> None:
    shard.delete(edge.Selector(where=edge.filter_of()))
    matrix = np.array(rows, dtype=np.float32)
    ids = list(range(len(rows)))
    shard.upsert(ids, matrix, [None] * len(rows))
    shard.delete(edge.Selector(ids=sorted(dropped)))
    left = {point: matrix[point] for point in ids if point not in dropped}
    if left:
        _expect_numpys_answer(shard, left, np.array(query, dtype=np.float32), limit)


@pytest.fixture(scope="module")
def shard(tmp_path_factory: pytest.TempPathFactory) -> edge.Shard:
    return edge.Shard.create(
        tmp_path_factory.mktemp("exact") / "shard", edge.VectorParams(size=SIZE, distance="Cosine")
    )


def test_a_large_sample_has_recall_one_over_overwrites_deletes_and_a_reload(tmp_path: Path) -> None:
    random = np.random.default_rng(20261123)
    shard = edge.Shard.create(tmp_path / "shard", edge.VectorParams(size=384, distance="Cosine", on_disk=True))
    matrix = random.normal(size=(2000, 384)).astype(np.float32)
    ids = list(range(2000))
    shard.upsert(ids, matrix, [None] * 2000)
    matrix[500:700] = random.normal(size=(200, 384)).astype(np.float32)
    shard.upsert(ids[500:700], matrix[500:700], [None] * 200)
    shard.delete(edge.Selector(ids=ids[:100]))
    shard.close()
    shard = edge.Shard.load(tmp_path / "shard")
    left = {point: matrix[point] for point in ids[100:]}
    for query in random.normal(size=(20, 384)).astype(np.float32):
        _expect_numpys_answer(shard, left, query, 50)
