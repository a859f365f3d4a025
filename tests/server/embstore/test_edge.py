"""What we rely on the engine for, and its faults that the adapter hides: a new version of it must pass these."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest
import qdrant_edge

from embstore import edge
from embstore.errors import FormatError, Internal, NotFound, WrongInput

ONE = np.array([[1, 0, 0]], dtype=np.float32)


@pytest.fixture
def shard(tmp_path: Path) -> edge.Shard:
    return edge.Shard.create(tmp_path / "shard", edge.VectorParams(size=3, distance="Cosine"))


def _put(shard: edge.Shard, point: edge.PointId, payload: dict[str, Any]) -> None:
    shard.upsert([point], ONE, [payload])


def _matching(shard: edge.Shard, key: str, kind: str, value: Any) -> int:
    return shard.count(edge.filter_of(must=[edge.matches(key, kind, value)]))


def test_ids_are_numbers_and_uuids_and_come_back_as_such(shard: edge.Shard) -> None:
    ids: list[edge.PointId] = [2**64 - 1, UUID(int=7)]
    shard.upsert(ids, np.eye(3, dtype=np.float32)[:2], [None, None])
    assert [record["id"] for record in shard.retrieve(ids, payload=False, with_vector=False)] == ids


def test_records_come_in_the_order_asked_for_without_those_that_do_not_exist(shard: edge.Shard) -> None:
    for point in (1, 2, 3):
        _put(shard, point, {"n": point})
    records = shard.retrieve([3, 9, 1], payload=True, with_vector=True)
    assert [(record["id"], record["payload"]) for record in records] == [(3, {"n": 3}), (1, {"n": 1})]
    assert records[0]["vector"].tolist() == [1, 0, 0]


@pytest.mark.parametrize("stored", [True, False])
def test_a_boolean_matches_booleans_with_and_without_an_index(shard: edge.Shard, *, stored: bool) -> None:
    _put(shard, 1, {"done": stored})
    assert _matching(shard, "done", "value", stored) == 1
    assert _matching(shard, "done", "value", not stored) == 0
    shard.create_index("done", edge.index_schema("bool", {}))
    assert _matching(shard, "done", "value", stored) == 1
    assert _matching(shard, "done", "value", not stored) == 0


def test_the_binding_still_takes_true_for_one_so_the_work_around_is_still_needed(shard: edge.Shard) -> None:
    _put(shard, 1, {"done": True})
    plain = qdrant_edge.FieldCondition("done", match=qdrant_edge.MatchValue(True))  # noqa: FBT003 - the library's own signature
    assert shard.count(edge.filter_of(must=[plain])) == 0


@pytest.mark.parametrize("kind", edge.INDEX_OPTIONS)
def test_every_kind_of_index_is_made_reported_and_dropped(shard: edge.Shard, kind: str) -> None:
    shard.create_index("field", edge.index_schema(kind, {}))
    assert shard.state().indexes == {"field": (kind, 0)}
    shard.delete_index("field")
    assert shard.state().indexes == {}


def test_every_index_option_is_one_that_the_engine_takes() -> None:
    numbers = {"min_token_len": 1, "max_token_len": 9, "tokenizer": "word"}
    for kind, options in edge.INDEX_OPTIONS.items():
        edge.index_schema(kind, {option: numbers.get(option, True) for option in options})


def test_an_unreadable_path_is_refused_before_it_reaches_the_log(shard: edge.Shard, tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="invalid JSON path"):
        shard.create_index("a[", edge.index_schema("keyword", {}))
    shard.close()
    assert edge.Shard.load(tmp_path / "shard").count(None) == 0


def test_changing_the_payload_of_a_missing_point_is_not_found_and_does_not_spoil_the_log(
    shard: edge.Shard, tmp_path: Path
) -> None:
    _put(shard, 1, {})
    with pytest.raises(NotFound, match="No point with id 7 found"):
        shard.set_payload(edge.Selector(ids=[7]), {"a": 1}, None)
    shard.close()
    assert edge.Shard.load(tmp_path / "shard").count(None) == 1


def test_the_deepest_payload_that_is_accepted_can_be_read_back_from_the_log(shard: edge.Shard, tmp_path: Path) -> None:
    payload: dict[str, Any] = {"end": 1}
    for _ in range(edge.MAX_NESTING - 1):
        payload = {"a": payload}
    _put(shard, 1, payload)
    shard.set_payload(edge.Selector(where=edge.filter_of()), payload, None)
    shard.close()
    record = edge.Shard.load(tmp_path / "shard").retrieve([1], payload=True, with_vector=False)[0]
    assert record["payload"] == payload


def test_a_payload_too_deep_still_ruins_the_log_so_the_limit_is_still_needed(shard: edge.Shard, tmp_path: Path) -> None:
    payload: dict[str, Any] = {"end": 1}
    for _ in range(200):
        payload = {"a": payload}
    _put(shard, 1, payload)
    shard.close()
    with pytest.raises(Internal, match="RecursionLimitExceeded"):
        edge.Shard.load(tmp_path / "shard")


def test_a_closed_shard_fails_its_calls_and_closes_again(shard: edge.Shard) -> None:
    shard.close()
    shard.close()
    with pytest.raises(Internal, match="not initialized"):
        shard.count(None)


def test_a_folder_is_opened_once(shard: edge.Shard, tmp_path: Path) -> None:
    with pytest.raises(Internal, match="WouldBlock"):
        edge.Shard.load(tmp_path / "shard")
    shard.close()


def test_a_panic_of_the_engine_is_an_error_like_any_other(shard: edge.Shard, tmp_path: Path) -> None:
    _put(shard, 1, {})
    shard.flush()
    shard.close()
    (status,) = (tmp_path / "shard").glob("segments/*/vector_storage/deleted/status.dat")
    status.write_bytes(b"")
    with pytest.raises(Internal):
        edge.Shard.load(tmp_path / "shard")


def test_a_missing_folder_is_not_quietly_made_anew(tmp_path: Path) -> None:
    with pytest.raises(Internal, match="is missing"):
        edge.Shard.load(tmp_path / "nothing")


def test_a_wrong_dimension_has_qdrants_words(shard: edge.Shard) -> None:
    _put(shard, 1, {})
    with pytest.raises(WrongInput, match="Vector dimension error: expected dim: 3, got 2"):
        shard.nearest(
            np.ones(2, dtype=np.float32),
            where=None,
            limit=1,
            offset=0,
            threshold=None,
            payload=False,
            with_vector=False,
        )


def test_writes_reads_flushes_and_a_close_may_come_from_many_threads(shard: edge.Shard, tmp_path: Path) -> None:
    vectors = np.random.default_rng(1).normal(size=(600, 3)).astype(np.float32)

    def write(start: int) -> None:
        for first in range(start, start + 300, 30):
            ids = list(range(first, first + 30))
            shard.upsert(ids, vectors[ids], [{"n": point} for point in ids])

    def read() -> None:
        for _ in range(30):
            shard.scroll(where=None, limit=50, offset=None, payload=True, with_vector=True)
            shard.count(edge.filter_of(must=[edge.in_range("n", {"gte": 5.0})]))

    with ThreadPoolExecutor(6) as pool:
        tasks = [pool.submit(write, 0), pool.submit(write, 300), pool.submit(read), pool.submit(read)]
        tasks += [pool.submit(shard.flush)]
        for task in tasks:
            task.result()
        assert shard.count(None) == 600
        racing = [pool.submit(read), pool.submit(shard.close)]
        racing[1].result()
        error = racing[0].exception()
        assert error is None or isinstance(error, Internal)
    assert edge.Shard.load(tmp_path / "shard").count(None) == 600
