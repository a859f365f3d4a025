"""Points over HTTP: shapes of requests and answers."""

from typing import Any

import pytest
from starlette.testclient import TestClient

UUID = "0f3b1f3e-5c76-5d0e-9f43-6a8e6a7f6f0a"
EVERY: dict[str, Any] = {"filter": {"must": []}}


def _payload(client: TestClient, point: int) -> Any:
    return client.get(f"/collections/c/points/{point}").json()["result"]["payload"]


def _ids(reply: Any) -> list[Any]:
    assert reply.status_code == 200, reply.text
    result = reply.json()["result"]
    return [point["id"] for point in (result["points"] if isinstance(result, dict) else result)]


def test_an_update_is_completed_when_waited_for_and_acknowledged_otherwise(points: TestClient) -> None:
    body = {"points": [{"id": 4, "vector": [1, 1, 1]}]}
    waited = points.put("/collections/c/points?wait=true", json=body).json()
    assert waited["status"] == "ok"
    assert waited["result"]["status"] == "completed"
    assert waited["time"] >= 0
    later = points.put("/collections/c/points", json=body).json()["result"]
    assert later == {"operation_id": waited["result"]["operation_id"] + 1, "status": "acknowledged"}


def test_a_batch_upsert_is_the_same_in_columns(points: TestClient) -> None:
    batch = {"ids": [7, UUID], "vectors": [[1, 2, 3], [3, 2, 1]], "payloads": [{"a": 1}, None]}
    assert points.put("/collections/c/points?wait=true", json={"batch": batch}).status_code == 200
    assert _payload(points, 7) == {"a": 1}
    assert points.get(f"/collections/c/points/{UUID}").json()["result"]["payload"] == {}


def test_a_point_is_replaced_whole_by_an_upsert_of_its_id(points: TestClient) -> None:
    body = {"points": [{"id": 1, "vector": {"": [0, 0, 1]}, "payload": {"new": True}}]}
    points.put("/collections/c/points?wait=true", json=body)
    assert points.get("/collections/c/points/1").json()["result"] == {
        "id": 1,
        "payload": {"new": True},
        "vector": [0, 0, 1],
    }


def test_payloads_come_back_as_they_were_sent(points: TestClient) -> None:
    payload = {
        "t": "zeile\n\u0000ü😀",
        "n": None,
        "i": -(2**63),
        "f": 1e-7,
        "l": [[], {}, [1, "a"]],
        "o": {"a.b": {"": 1}},
    }
    points.put("/collections/c/points?wait=true", json={"points": [{"id": 5, "vector": [1, 1, 1], "payload": payload}]})
    assert _payload(points, 5) == payload


def test_the_all_zero_vector_is_kept_and_scores_zero(points: TestClient) -> None:
    reply = points.post("/collections/c/points/query", json={"query": [1, 0, 0], "limit": 3, "with_vector": True})
    scored = {point["id"]: point for point in reply.json()["result"]["points"]}
    assert scored[UUID]["score"] == 0
    assert scored[UUID]["vector"] == [0, 0, 0]
    assert scored[1]["score"] == pytest.approx(1)


def test_a_query_takes_filter_threshold_limit_and_offset(points: TestClient) -> None:
    def query(**body: Any) -> list[Any]:
        return _ids(points.post("/collections/c/points/query", json={"query": [0.9, 0.1, 0]} | body))

    assert query() == [1, 2, UUID]
    assert query(limit=1) == [1]
    assert query(limit=1, offset=1) == [2]
    assert query(score_threshold=0.9) == [1]
    assert query(filter={"must_not": [{"key": "path", "match": {"value": "a/b.py"}}]}) == [2, UUID]
    assert query(params={"hnsw_ef": 128, "exact": False}, limit=2) == [1, 2]
    assert query(offset=2**60) == []


def test_a_query_by_id_searches_with_that_points_vector_and_leaves_the_point_out(points: TestClient) -> None:
    points.put("/collections/c/points?wait=true", json={"points": [{"id": 3, "vector": [0.9, 0.1, 0]}]})
    for query in (1, {"nearest": 1}):
        assert _ids(points.post("/collections/c/points/query", json={"query": query, "limit": 1})) == [3]
    only = {"must": [{"key": "type", "match": {"value": "metadata"}}]}
    assert _ids(points.post("/collections/c/points/query", json={"query": UUID, "filter": only})) == []


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (None, None),
        (False, None),
        (True, {"type": "code", "lines": [1, 2], "path": "a/b.py"}),
        (["type"], {"type": "code"}),
        ({"include": ["type", "path"]}, {"type": "code", "path": "a/b.py"}),
        ({"exclude": ["lines"]}, {"type": "code", "path": "a/b.py"}),
        ([], {}),
    ],
)
def test_the_payload_comes_as_chosen(points: TestClient, choice: Any, expected: Any) -> None:
    body = {"query": [1, 0, 0], "limit": 1, "with_payload": choice}
    (point,) = points.post("/collections/c/points/query", json=body).json()["result"]["points"]
    assert point.get("payload") == expected
    assert set(point) - {"payload"} == {"id", "version", "score"}


def test_the_older_search_gives_a_plain_list(points: TestClient) -> None:
    body = {"vector": [0.9, 0.1, 0], "limit": 2, "with_payload": True}
    assert _ids(points.post("/collections/c/points/search", json=body)) == [1, 2]
    named = {"vector": {"name": "", "vector": [0, 1, 0]}, "limit": 1}
    assert _ids(points.post("/collections/c/points/search", json=named)) == [2]


def test_a_scroll_pages_through_every_point_once(points: TestClient) -> None:
    seen, offset = [], None
    while True:
        body = {"limit": 2, "offset": offset, "with_payload": False}
        result = points.post("/collections/c/points/scroll", json=body).json()["result"]
        seen += [point["id"] for point in result["points"]]
        offset = result["next_page_offset"]
        if offset is None:
            break
    assert seen == [1, 2, UUID]


def test_a_scroll_and_a_retrieval_carry_the_payload_unless_told_otherwise(points: TestClient) -> None:
    scrolled = points.post("/collections/c/points/scroll", json={"limit": 1}).json()["result"]["points"]
    retrieved = points.post("/collections/c/points", json={"ids": [1]}).json()["result"]
    assert scrolled == retrieved == [{"id": 1, "payload": {"type": "code", "lines": [1, 2], "path": "a/b.py"}}]


def test_a_retrieval_skips_what_does_not_exist(points: TestClient) -> None:
    body = {"ids": [9, UUID, 1], "with_payload": False, "with_vector": True}
    assert points.post("/collections/c/points", json=body).json()["result"] == [
        {"id": UUID, "vector": [0, 0, 0]},
        {"id": 1, "vector": [1, 0, 0]},
    ]


def test_a_count_counts_what_the_filter_finds(points: TestClient) -> None:
    code = {"filter": {"must": [{"key": "type", "match": {"value": "code"}}]}, "exact": True}
    assert points.post("/collections/c/points/count", json=code).json()["result"] == {"count": 2}
    assert points.post("/collections/c/points/count", json={}).json()["result"] == {"count": 3}


def test_points_are_deleted_by_id_and_missing_ones_are_no_error(points: TestClient) -> None:
    points.post("/collections/c/points/delete?wait=true", json={"points": [1, 99]})
    assert _ids(points.post("/collections/c/points/scroll", json={})) == [2, UUID]


def test_an_empty_filter_deletes_every_point(points: TestClient) -> None:
    points.post("/collections/c/points/delete?wait=true", json=EVERY)
    assert points.post("/collections/c/points/count", json={}).json()["result"] == {"count": 0}


def test_payload_fields_are_set_overwritten_deleted_and_cleared(points: TestClient) -> None:
    path = "/collections/c/points/payload"
    points.post(path, json={"payload": {"new": 1}, "points": [2]})
    assert _payload(points, 2) == {"type": "code", "lines": [5], "done": True, "new": 1}
    points.post(path, json={"payload": {"deep": 1}, "key": "a.b", "points": [2]})
    assert _payload(points, 2)["a"] == {"b": {"deep": 1}}
    points.post(f"{path}/delete", json={"keys": ["a.b.deep", "lines"], "points": [2]})
    assert _payload(points, 2) == {"type": "code", "done": True, "new": 1, "a": {"b": {}}}
    points.put(path, json={"payload": {"only": 1}, "filter": {"must": [{"key": "done", "match": {"value": True}}]}})
    assert _payload(points, 2) == {"only": 1}
    points.post(f"{path}/clear", json=EVERY)
    assert _payload(points, 1) == _payload(points, 2) == {}
