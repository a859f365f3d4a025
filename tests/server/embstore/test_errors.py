"""Every way to be refused: status code, and Qdrant's words in Qdrant's envelope."""

from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from embstore.app import create_app
from embstore.settings import Settings

POINTS = "/collections/c/points"
FORMAT = "Format error in JSON body: "
WRONG = "Wrong input: "
VECTOR = [1, 2, 3]


def _point(**fields: Any) -> dict[str, Any]:
    return {"points": [{"id": 1, "vector": VECTOR} | fields]}


def _nested(levels: int) -> dict[str, Any]:
    payload: dict[str, Any] = {}
    for _ in range(levels):
        payload = {"a": payload}
    return payload


def _refused(reply: Any, status: int, error: str) -> None:
    assert reply.status_code == status, reply.text
    body = reply.json()
    assert set(body) == {"status", "time"}
    assert set(body["status"]) == {"error"}
    assert body["status"]["error"].startswith(error), body["status"]["error"]


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "error"),
    [
        ("GET", "/collections/x", None, 404, "Not found: Collection `x` doesn't exist!"),
        ("PUT", "/collections/x/points", _point(), 404, "Not found: Collection `x` doesn't exist!"),
        (
            "PUT",
            "/collections/c",
            {"vectors": {"size": 3, "distance": "Dot"}},
            409,
            WRONG + "Collection `c` already ex",
        ),
        ("GET", "/collections/a%3Cb", None, 422, "Validation error in path parameters: [name: "),
        ("PUT", "/collections/" + "x" * 256, {}, 400, FORMAT + "missing field `vectors`"),
        ("GET", "/collections/" + "x" * 256, None, 422, "Validation error in path parameters: [name: length"),
        ("GET", f"{POINTS}/9", None, 404, "Not found: Point with id 9 does not exists!"),
        ("GET", f"{POINTS}/nine", None, 400, WRONG + 'Can not recognize "nine" as point id'),
        ("PUT", POINTS, _point(vector=[1, 2]), 400, WRONG + "Vector dimension error: expected dim: 3, got 2"),
        ("PUT", POINTS, _point(vector=["1", "2", "3"]), 400, FORMAT + "invalid vector"),
        ("PUT", POINTS, _point(vector=[1, None, 3]), 400, FORMAT + "invalid vector"),
        ("PUT", POINTS, _point(vector=[1, [2], 3]), 400, FORMAT + "invalid vector"),
        ("PUT", POINTS, _point(vector=[[1, 2, 3]]), 400, FORMAT + "invalid vector"),
        ("PUT", POINTS, _point(vector=[1, 1e39, 3]), 400, FORMAT + "invalid vector: a value is out of range"),
        ("PUT", POINTS, _point(vector={"x": VECTOR}), 400, WRONG + "Not existing vector name error: x"),
        ("PUT", POINTS, _point(vector={"indices": [1], "values": [1]}), 501, "Not implemented: A point without"),
        ("PUT", POINTS, _point(vector={"text": "a", "model": "b"}), 501, "Not implemented: Inference"),
        ("PUT", POINTS, _point(id=-1), 400, FORMAT + "value -1 is not a valid point ID, valid values are either an"),
        ("PUT", POINTS, _point(id="abc"), 400, FORMAT + "value abc is not a valid point ID"),
        ("PUT", POINTS, _point(id=True), 400, FORMAT + "value True is not a valid point ID"),
        ("PUT", POINTS, _point(id=2**64), 400, FORMAT),
        ("PUT", POINTS, {"points": [{"vector": VECTOR}]}, 400, FORMAT + "missing field `id`"),
        ("PUT", POINTS, {"points": [{"id": 1}]}, 400, FORMAT + "missing field `vector`"),
        ("PUT", POINTS, {"points": {}}, 400, FORMAT + "invalid type: map, expected a list of points"),
        ("PUT", POINTS, {}, 400, FORMAT + "missing field `points`"),
        ("PUT", POINTS, [], 400, FORMAT + "invalid type: sequence, expected an object"),
        ("PUT", POINTS, _point(payload=[1]), 400, FORMAT + "invalid type: sequence, expected a payload object"),
        ("PUT", POINTS, _point(payload=_nested(101)), 400, FORMAT + "recursion limit exceeded"),
        ("PUT", POINTS, _point() | {"update_filter": {}}, 501, "Not implemented: A conditional upsert"),
        ("PUT", POINTS, {"batch": {"ids": [1, 2], "vectors": [VECTOR]}}, 400, WRONG + "number of ids (2)"),
        ("PUT", f"{POINTS}?wait=maybe", _point(), 400, WRONG + "`wait`"),
        ("POST", f"{POINTS}/query", {"query": [1]}, 400, WRONG + "Vector dimension error: expected dim: 3, got 1"),
        ("POST", f"{POINTS}/query", {"query": 9}, 404, "Not found: No point with id 9 found"),
        (
            "POST",
            f"{POINTS}/query",
            {"query": VECTOR, "limit": 0},
            422,
            "Validation error in JSON body: [limit: value 0",
        ),
        ("POST", f"{POINTS}/query", {"query": VECTOR, "limit": -1}, 400, FORMAT + "limit: invalid type"),
        ("POST", f"{POINTS}/query", {"query": VECTOR, "using": "x"}, 400, WRONG + "Not existing vector name error: x"),
        ("POST", f"{POINTS}/query", {"query": {"fusion": "rrf"}, "prefetch": [{}]}, 501, "Not implemented: `prefetch`"),
        (
            "POST",
            f"{POINTS}/query",
            {"query": {"recommend": {}}},
            501,
            "Not implemented: A query of the kind `recommend`",
        ),
        ("POST", f"{POINTS}/query", {"query": VECTOR, "with_payload": 5}, 400, FORMAT),
        ("POST", f"{POINTS}/query", {"query": VECTOR, "score_threshold": "x"}, 400, FORMAT + "score_threshold"),
        ("POST", f"{POINTS}/search", {"vector": VECTOR}, 400, FORMAT + "missing field `limit`"),
        ("POST", f"{POINTS}/scroll", {"order_by": "n"}, 501, "Not implemented: `order_by`"),
        ("POST", f"{POINTS}/scroll", {"offset": "x"}, 400, FORMAT + "value x is not a valid point ID"),
        ("POST", f"{POINTS}/delete", {}, 400, FORMAT + "Either list of point ids or filter must be provided"),
        ("POST", f"{POINTS}/delete", {"points": [1], "filter": {}}, 501, "Not implemented: A selection by both"),
        ("POST", f"{POINTS}/payload", {"payload": {}, "points": [9]}, 404, "Not found: No point with id 9 found"),
        ("POST", f"{POINTS}/payload", {"payload": {"a": 1}, "key": "a[", "points": [1]}, 400, FORMAT),
        (
            "POST",
            f"{POINTS}/payload",
            {"payload": {}, "key": "a." * 60 + "a", "points": [1]},
            400,
            FORMAT + "recursion",
        ),
        ("POST", f"{POINTS}/payload/delete", {"points": [1]}, 400, FORMAT + "missing field `keys`"),
        ("POST", f"{POINTS}/facet", {}, 404, "Not found: there is no route `POST /collections/c/points/facet`"),
        ("GET", "/nowhere", None, 404, "Not found: there is no route `GET /nowhere`"),
        ("GET", "/collections/", None, 404, "Not found: there is no route"),
        ("POST", "/collections/c", {}, 404, "Not found: there is no route `POST /collections/c`"),
        ("POST", f"{POINTS}/recommend", {}, 501, "Not implemented: `POST /collections/{name}/points/recommend` is"),
        ("POST", "/collections/c/snapshots", None, 501, "Not implemented: `POST /collections/{name}/snapshots` is"),
        ("GET", "/cluster", None, 501, "Not implemented: `GET /cluster` is"),
    ],
)
def test_a_refusal(*, points: TestClient, method: str, path: str, body: Any, status: int, error: str) -> None:
    _refused(points.request(method, path, **({} if body is None else {"json": body})), status, error)
    assert points.post(f"{POINTS}/count", json={}).json()["result"] == {"count": 3}
    assert points.get(f"{POINTS}/1").json()["result"]["vector"] == [1, 0, 0]


@pytest.mark.parametrize("body", ["", "{", "nil", b"\xff", '{"points": NaN}'])
def test_what_is_no_json_is_a_format_error(points: TestClient, body: Any) -> None:
    _refused(points.put(POINTS, content=body), 400, FORMAT)


def test_a_body_over_the_limit_is_413_and_one_at_the_limit_is_read(tmp_path: Path) -> None:
    settings = Settings(storage_path=tmp_path, max_request_bytes=1000)
    with TestClient(create_app(settings)) as client:
        _refused(client.put("/collections/c", content=b" " * 1001), 413, "JSON payload is larger than allowed")
        body = b'{"vectors": {"size": 3, "distance": "Dot"}}'
        assert client.put("/collections/c", content=body.ljust(1000)).status_code == 200


def test_a_fault_of_ours_is_answered_in_the_same_shape(points: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("broken")

    monkeypatch.setattr("embstore.collection.Collection.count", fail)
    _refused(points.post(f"{POINTS}/count", json={}), 500, "Service internal error: ZeroDivisionError: broken")
