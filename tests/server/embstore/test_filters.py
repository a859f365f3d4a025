"""Qdrant's filter language: what each condition finds, and how unreadable ones are refused."""

from typing import Any

import pytest
from starlette.testclient import TestClient

POINTS: list[dict[str, Any]] = [
    {
        "id": 1,
        "payload": {
            "type": "code",
            "text": "where is the port taken",
            "size": 10,
            "share": 0.5,
            "done": True,
            "tags": ["a", "b", "c"],
            "place": {"lon": 13.4, "lat": 52.5},
            "when": "2026-01-02T03:04:05Z",
            "parts": [{"name": "x", "n": 1}, {"name": "y", "n": 2}],
        },
    },
    {"id": 2, "payload": {"type": "text", "text": "a taken road", "size": 20, "done": False, "tags": [], "gone": None}},
    {"id": 3, "payload": {"type": "metadata", "size": 30, "place": {"lon": -70, "lat": -33}, "parts": []}},
]
UUID = "0f3b1f3e-5c76-5d0e-9f43-6a8e6a7f6f0a"
SQUARE = [{"lon": lon, "lat": lat} for lon, lat in ((13, 52), (14, 52), (14, 53), (13, 53), (13, 52))]
TYPE_CODE = {"key": "type", "match": {"value": "code"}}
SIZE_20 = {"key": "size", "match": {"value": 20}}
DONE = {"key": "done", "match": {"value": True}}


@pytest.fixture
def found(client: TestClient) -> Any:
    client.put("/collections/f", json={"vectors": {"size": 1, "distance": "Dot"}})
    points = [*POINTS, {"id": UUID, "payload": {}}]
    body = {"points": [point | {"vector": [1]} for point in points]}
    assert client.put("/collections/f/points?wait=true", json=body).status_code == 200

    def ids(condition: dict[str, Any]) -> list[Any]:
        reply = client.post("/collections/f/points/scroll", json={"filter": condition, "limit": 10})
        assert reply.status_code == 200, reply.text
        return [point["id"] for point in reply.json()["result"]["points"]]

    return ids


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        pytest.param({}, [1, 2, 3, UUID], id="nothing asked"),
        pytest.param({"must": []}, [1, 2, 3, UUID], id="empty must"),
        pytest.param({"must": [TYPE_CODE, DONE]}, [1], id="must"),
        pytest.param({"must": TYPE_CODE}, [1], id="must with one condition and no list"),
        pytest.param({"should": [TYPE_CODE, SIZE_20]}, [1, 2], id="should"),
        pytest.param({"must_not": [TYPE_CODE]}, [2, 3, UUID], id="must_not"),
        pytest.param({"min_should": {"conditions": [TYPE_CODE, DONE, SIZE_20], "min_count": 2}}, [1], id="min_should"),
        pytest.param({"must": [{"should": [TYPE_CODE, SIZE_20]}], "must_not": [DONE]}, [2], id="filters in filters"),
        pytest.param({"must": [{"key": "done", "match": {"value": False}}]}, [2], id="boolean"),
        pytest.param({"must": [{"key": "type", "match": {"any": ["code", "text"]}}]}, [1, 2], id="any of strings"),
        pytest.param({"must": [{"key": "size", "match": {"any": [10, 30]}}]}, [1, 3], id="any of integers"),
        pytest.param({"must": [{"key": "size", "match": {"except": [10]}}]}, [2, 3], id="except"),
        pytest.param({"must": [{"key": "text", "match": {"text": "taken port"}}]}, [1], id="text"),
        pytest.param({"must": [{"key": "text", "match": {"text_any": "road port"}}]}, [1, 2], id="any word"),
        pytest.param({"must": [{"key": "text", "match": {"phrase": "port taken"}}]}, [1], id="phrase"),
        pytest.param({"must": [{"key": "size", "range": {"gt": 10, "lte": 30}}]}, [2, 3], id="range"),
        pytest.param({"must": [{"key": "share", "range": {"gte": 0.5, "lt": None}}]}, [1], id="range with a null"),
        pytest.param({"must": [{"key": "when", "range": {"gte": "2026-01-01T00:00:00Z"}}]}, [1], id="dates"),
        pytest.param(
            {"must": [{"key": "place", "geo_radius": {"center": {"lon": 13.4, "lat": 52.5}, "radius": 50}}]},
            [1],
            id="circle",
        ),
        pytest.param(
            {
                "must": [
                    {
                        "key": "place",
                        "geo_bounding_box": {
                            "top_left": {"lon": -71, "lat": 0},
                            "bottom_right": {"lon": 0, "lat": -34},
                        },
                    }
                ]
            },
            [3],
            id="box",
        ),
        pytest.param({"must": [{"key": "place", "geo_polygon": {"exterior": {"points": SQUARE}}}]}, [1], id="polygon"),
        pytest.param({"must": [{"has_id": [1, UUID, 99]}]}, [1, UUID], id="has_id"),
        pytest.param({"must": [{"has_vector": ""}]}, [1, 2, 3, UUID], id="has_vector"),
        pytest.param({"must": [{"is_empty": {"key": "tags"}}]}, [2, 3, UUID], id="is_empty"),
        pytest.param({"must": [{"key": "tags", "is_empty": False}]}, [1], id="a field that is not empty"),
        pytest.param({"must": [{"is_null": {"key": "gone"}}]}, [2], id="is_null"),
        pytest.param({"must": [{"key": "gone", "is_null": True}]}, [2], id="a field that is null"),
        pytest.param({"must": [{"key": "tags", "values_count": {"gte": 2}}]}, [1], id="values_count"),
        pytest.param(
            {
                "must": [
                    {
                        "nested": {
                            "key": "parts",
                            "filter": {
                                "must": [
                                    {"key": "name", "match": {"value": "x"}},
                                    {"key": "n", "match": {"value": 1}},
                                ]
                            },
                        }
                    }
                ]
            },
            [1],
            id="nested, in one element",
        ),
        pytest.param(
            {
                "must": [
                    {
                        "nested": {
                            "key": "parts",
                            "filter": {
                                "must": [
                                    {"key": "name", "match": {"value": "x"}},
                                    {"key": "n", "match": {"value": 2}},
                                ]
                            },
                        }
                    }
                ]
            },
            [],
            id="nested, in two elements",
        ),
        pytest.param({"must": [{"key": "parts[].name", "match": {"value": "y"}}]}, [1], id="path through an array"),
    ],
)
def test_a_condition_finds(found: Any, condition: dict[str, Any], expected: list[Any]) -> None:
    assert sorted(found(condition), key=str) == sorted(expected, key=str)


def _deep(levels: int) -> dict[str, Any]:
    condition: dict[str, Any] = {"must": [TYPE_CODE]}
    for _ in range(levels):
        condition = {"must": [condition]}
    return condition


@pytest.mark.parametrize(
    ("condition", "reason"),
    [
        ([], "expected a filter"),
        ({"musst": []}, "unknown field `musst`, expected one of `should`"),
        ({"must": "x"}, "expected a condition"),
        ({"must": [{"kez": "a"}]}, "did not match any variant of untagged enum Condition: `kez`"),
        ({"must": [{"key": "a"}]}, "says nothing"),
        ({"must": [{"key": 5, "match": {"value": 1}}]}, "invalid type: integer `5`, expected a payload key"),
        ({"must": [{"key": "a[", "match": {"value": 1}}]}, "invalid JSON path a["),
        ({"must": [{"key": "a", "mach": {"value": 1}}]}, "unknown field `mach`"),
        ({"must": [{"key": "a", "match": {"value": 1.5}}]}, "expected a string, an integer or a boolean"),
        ({"must": [{"key": "a", "match": {"value": 2**63}}]}, "expected a string, an integer or a boolean"),
        ({"must": [{"key": "a", "match": {"any": [1, "b"]}}]}, "a list of strings or a list of integers"),
        ({"must": [{"key": "a", "match": {"like": "b"}}]}, "unknown match `like`"),
        ({"must": [{"key": "a", "match": {"value": 1, "any": []}}]}, "exactly one of its forms"),
        ({"must": [{"key": "a", "range": {"gte": "soon"}}]}, "failed to parse date-time"),
        ({"must": [{"key": "a", "range": {"gte": 1, "lt": "2026-01-01"}}]}, "either numbers or dates"),
        ({"must": [{"key": "a", "range": {"over": 1}}]}, "unknown field `over`"),
        ({"must": [{"key": "a", "values_count": {"gte": -1}}]}, "expected an unsigned integer"),
        ({"must": [{"key": "a", "geo_radius": {"center": {"lon": 200, "lat": 0}, "radius": 1}}]}, "lon"),
        ({"must": [{"key": "a", "geo_polygon": {"exterior": {"points": SQUARE[:2]}}}]}, "polygon"),
        ({"must": [{"has_id": ["x"]}]}, "value x is not a valid point ID"),
        ({"must": [{"nested": {"key": "a"}}]}, "missing field `filter`"),
        ({"min_should": {"conditions": []}}, "missing field `min_count`"),
        (_deep(60), "recursion limit exceeded"),
    ],
)
def test_an_unreadable_condition_is_a_format_error(points: TestClient, condition: Any, reason: str) -> None:
    reply = points.post("/collections/c/points/delete?wait=true", json={"filter": condition})
    error = reply.json()["status"]["error"]
    assert reply.status_code == 400
    assert error.startswith("Format error in JSON body: ")
    assert reason in error
    assert points.post("/collections/c/points/count", json={}).json()["result"] == {"count": 3}


def test_several_tests_in_one_condition_are_refused_by_name(points: TestClient) -> None:
    both = {"key": "type", "match": {"value": "code"}, "is_null": False}
    reply = points.post("/collections/c/points/count", json={"filter": {"must": [both]}})
    assert reply.status_code == 501
    assert "Several tests in one condition (on `type`)" in reply.json()["status"]["error"]


def test_a_body_nested_without_end_is_a_format_error(points: TestClient) -> None:
    levels = 100_000
    body = '{"filter":' + '{"must":[' * levels + "]}" * levels + "}"
    reply = points.post("/collections/c/points/count", content=body)
    assert reply.status_code == 400
    assert reply.json()["status"]["error"].startswith("Format error in JSON body: ")
