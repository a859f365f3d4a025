"""The requests of code indexers, byte for byte as they send them, and the answers that they read.

Each exchange is one line of the contract: the request, the status, and the part of the answer that a client looks at.
"""

from typing import Any

import pytest
from starlette.testclient import TestClient

NAME = "ws-a78d2b873ce13ae2"
SIZE = 768
AXIS = [1.0] + [0.0] * (SIZE - 1)
BLOCK_ID = "6fa459ea-ee8a-5ca4-894e-db77e160355e"
METADATA_ID = "886313e1-3b8a-5372-9b90-0c9aee199e5d"
BLOCK = {
    "filePath": "src/app/main.ts",
    "codeChunk": "export const main = () => {}",
    "startLine": 1,
    "endLine": 1,
    "segmentHash": "9f86d081884c7d65",
    "pathSegments": {"0": "src", "1": "app", "2": "main.ts"},
}
METADATA = {"type": "metadata", "indexing_complete": True}
NOT_METADATA = [{"key": "type", "match": {"value": "metadata"}}]
SHOWN = ["filePath", "codeChunk", "startLine", "endLine", "pathSegments"]

CREATE = {
    "vectors": {"size": SIZE, "distance": "Cosine", "on_disk": True},
    "hnsw_config": {"m": 64, "ef_construct": 512, "on_disk": True},
}


def _search(**more: Any) -> dict[str, Any]:
    return {
        "query": AXIS,
        "filter": {"must_not": NOT_METADATA},
        "score_threshold": 0.4,
        "limit": 50,
        "params": {"hnsw_ef": 128, "exact": False},
        "with_payload": {"include": SHOWN},
    } | more


def _below(*folders: str) -> list[dict[str, Any]]:
    return [{"key": f"pathSegments.{level}", "match": {"value": name}} for level, name in enumerate(folders)]


def _send(client: TestClient, method: str, path: str, body: object = None) -> tuple[int, Any]:
    reply = client.request(method, path, json=body)
    return reply.status_code, reply.json()


@pytest.fixture
def indexed(client: TestClient) -> TestClient:
    """After the first indexing of a workspace of one block."""
    base = f"/collections/{NAME}"
    assert _send(client, "GET", base)[0] == 404
    status, created = _send(client, "PUT", base, CREATE)
    assert (status, created["result"], created["status"]) == (200, True, "ok")
    for field in ("type", *(f"pathSegments.{level}" for level in range(5))):
        status, reply = _send(client, "PUT", f"{base}/index", {"field_name": field, "field_schema": "keyword"})
        assert status == 200, reply
    for point in (
        {"id": BLOCK_ID, "vector": AXIS, "payload": BLOCK},
        {"id": METADATA_ID, "vector": [0] * SIZE, "payload": METADATA},
    ):
        status, reply = _send(client, "PUT", f"{base}/points?wait=true", {"points": [point]})
        assert status == 200
        assert set(reply) == {"result", "status", "time"}
        assert set(reply["result"]) == {"operation_id", "status"}
        assert reply["result"]["status"] == "completed"
    return client


def test_the_version_is_asked_for_once(client: TestClient) -> None:
    status, reply = _send(client, "GET", "/")
    assert status == 200
    assert set(reply) == {"title", "version", "commit"}
    major, minor, _ = map(int, reply["version"].split("."))
    assert (major, minor) >= (1, 10), "older ones have no /points/query"


def test_the_dimension_of_a_collection_is_read_from_its_description(indexed: TestClient) -> None:
    result = _send(indexed, "GET", f"/collections/{NAME}")[1]["result"]
    assert result["config"]["params"]["vectors"]["size"] == SIZE
    assert result["points_count"] == 2


def test_whether_indexing_was_complete_is_read_from_the_metadata_point(indexed: TestClient) -> None:
    body = {"ids": [METADATA_ID]}
    (point,) = _send(indexed, "POST", f"/collections/{NAME}/points", body)[1]["result"]
    assert point == {"id": METADATA_ID, "payload": METADATA}


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"must_not": NOT_METADATA}, 1),
        ({"must": _below("src"), "must_not": NOT_METADATA}, 1),
        ({"must": _below("src", "app"), "must_not": NOT_METADATA}, 1),
        ({"must": _below("docs"), "must_not": NOT_METADATA}, 0),
    ],
)
def test_a_search_answers_with_points_that_have_a_score_and_the_fields_asked_for(
    indexed: TestClient, filters: dict[str, Any], expected: int
) -> None:
    status, reply = _send(indexed, "POST", f"/collections/{NAME}/points/query", _search(filter=filters))
    assert status == 200
    points = reply["result"]["points"]
    assert len(points) == expected
    for point in points:
        assert point["id"] == BLOCK_ID
        assert point["score"] == pytest.approx(1, abs=1e-5)
        assert point["payload"] == {name: BLOCK[name] for name in SHOWN}


def test_a_score_below_the_threshold_is_left_out(indexed: TestClient) -> None:
    query = [0.39, (1 - 0.39**2) ** 0.5] + [0.0] * (SIZE - 2)
    for threshold, found in ((0.4, 0), (0.38, 1)):
        body = _search(query=query, score_threshold=threshold)
        assert len(_send(indexed, "POST", f"/collections/{NAME}/points/query", body)[1]["result"]["points"]) == found


@pytest.mark.parametrize(
    "filters",
    [
        {"must": _below("src", "app", "main.ts")},
        {"should": [{"must": _below("src", "app", "main.ts")}, {"must": _below("src", "b", "c", "d", "e", "f", "g")}]},
    ],
)
def test_a_file_is_deleted_by_its_path(indexed: TestClient, filters: dict[str, Any]) -> None:
    body = {"filter": filters}
    assert _send(indexed, "POST", f"/collections/{NAME}/points/delete?wait=true", body)[0] == 200
    assert _send(indexed, "POST", f"/collections/{NAME}/points/count", {})[1]["result"] == {"count": 1}


def test_everything_is_deleted_by_an_empty_filter_and_the_collection_by_its_name(indexed: TestClient) -> None:
    body: dict[str, Any] = {"filter": {"must": []}}
    assert _send(indexed, "POST", f"/collections/{NAME}/points/delete?wait=true", body)[0] == 200
    assert _send(indexed, "GET", f"/collections/{NAME}")[1]["result"]["points_count"] == 0
    assert _send(indexed, "DELETE", f"/collections/{NAME}")[1]["result"] is True
    assert _send(indexed, "GET", f"/collections/{NAME}")[0] == 404
