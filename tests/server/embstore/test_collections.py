"""Collections over HTTP: made, described, changed, indexed, removed."""

from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from embstore.app import create_app
from embstore.settings import Settings

# The body that code indexers send.
CREATE: dict[str, Any] = {
    "vectors": {"size": 3, "distance": "Cosine", "on_disk": True},
    "hnsw_config": {"m": 64, "ef_construct": 512, "on_disk": True},
}


def test_a_collection_is_made_listed_described_and_removed(client: TestClient) -> None:
    reply = client.put("/collections/ws-0123456789abcdef", json=CREATE)
    assert reply.status_code == 200
    assert reply.json() | {"time": 0} == {"result": True, "status": "ok", "time": 0}
    listed = client.get("/collections").json()["result"]
    assert listed == {"collections": [{"name": "ws-0123456789abcdef"}]}
    assert client.get("/collections/ws-0123456789abcdef/exists").json()["result"] == {"exists": True}
    assert client.delete("/collections/ws-0123456789abcdef").json()["result"] is True
    assert client.get("/collections").json()["result"] == {"collections": []}
    assert client.get("/collections/ws-0123456789abcdef/exists").json()["result"] == {"exists": False}
    assert client.delete("/collections/ws-0123456789abcdef").json()["result"] is False


def test_the_description_gives_back_the_configuration_and_says_that_search_is_exact(client: TestClient) -> None:
    client.put("/collections/c", json=CREATE)
    result = client.get("/collections/c").json()["result"]
    assert result["status"] == "green"
    assert result["optimizer_status"] == "ok"
    assert result["points_count"] == 0
    assert result["config"]["params"]["vectors"] == CREATE["vectors"]
    assert result["config"]["hnsw_config"] == CREATE["hnsw_config"] | {
        "full_scan_threshold": 10000,
        "max_indexing_threads": 0,
    }
    assert "searches exactly" in result["warnings"][0]["message"]


def test_a_patch_changes_what_is_reported_and_nothing_else(client: TestClient) -> None:
    client.put("/collections/c", json=CREATE)
    change = {"hnsw_config": {"m": 8}, "params": {"replication_factor": 2}}
    assert client.patch("/collections/c", json=change).json()["result"] is True
    config = client.get("/collections/c").json()["result"]["config"]
    assert config["hnsw_config"]["m"] == 8
    assert config["hnsw_config"]["ef_construct"] == 512
    assert config["params"]["replication_factor"] == 2
    assert config["params"]["vectors"] == CREATE["vectors"]


def test_payload_indexes_are_made_reported_with_their_options_and_dropped(client: TestClient) -> None:
    client.put("/collections/c", json=CREATE)
    for field in ("type", *(f"pathSegments.{n}" for n in range(5))):
        reply = client.put("/collections/c/index?wait=true", json={"field_name": field, "field_schema": "keyword"})
        assert reply.json()["result"]["status"] == "completed"
    schema = {"type": "integer", "lookup": True, "range": False}
    client.put("/collections/c/index", json={"field_name": "n", "field_schema": schema})
    reported = client.get("/collections/c").json()["result"]["payload_schema"]
    assert reported["pathSegments.4"] == {"data_type": "keyword", "points": 0}
    assert reported["n"] == {"data_type": "integer", "params": schema, "points": 0}
    assert client.delete("/collections/c/index/pathSegments.4").status_code == 200
    assert "pathSegments.4" not in client.get("/collections/c").json()["result"]["payload_schema"]


def test_a_name_of_any_script_gets_a_folder_inside_the_storage_and_survives_a_restart(tmp_path: Path) -> None:
    settings = Settings(storage_path=tmp_path / "storage")
    names = ["plain", "Plain", "..", "con", "a b.c", "ключ", "x" * 255]
    with TestClient(create_app(settings)) as client:
        for name in names:
            assert client.put(f"/collections/{name.replace('..', '%2E%2E')}", json=CREATE).status_code == 200
    assert {path.name for path in tmp_path.iterdir()} == {"storage"}
    with TestClient(create_app(settings)) as client:
        listed = client.get("/collections").json()["result"]["collections"]
        assert sorted(entry["name"] for entry in listed) == sorted(names)
        assert client.get("/collections/Plain").status_code == 200


def test_everything_is_kept_over_a_restart(tmp_path: Path) -> None:
    settings = Settings(storage_path=tmp_path)
    with TestClient(create_app(settings)) as client:
        client.put("/collections/c", json=CREATE)
        client.put("/collections/c/index", json={"field_name": "type", "field_schema": {"type": "keyword"}})
        body = {"points": [{"id": 1, "vector": [1, 2, 2], "payload": {"type": "code"}}]}
        client.put("/collections/c/points?wait=true", json=body)
        before = client.get("/collections/c").json()["result"]
    with TestClient(create_app(settings)) as client:
        assert client.get("/collections/c").json()["result"] == before
        point = client.get("/collections/c/points/1").json()["result"]
        assert point["payload"] == {"type": "code"}
        assert point["vector"] == pytest.approx([1 / 3, 2 / 3, 2 / 3])


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        ({}, 400, "Format error in JSON body: missing field `vectors`"),
        ({"vectors": {}}, 400, "Format error in JSON body: missing field `size`"),
        ({"vectors": {"size": 3}}, 400, "Format error in JSON body: missing field `distance`"),
        ({"vectors": {"size": 0, "distance": "Dot"}}, 422, "Validation error in JSON body: [vectors.size: value 0"),
        ({"vectors": {"size": 65537, "distance": "Dot"}}, 422, "Validation error in JSON body: [vectors.size"),
        ({"vectors": {"size": "3", "distance": "Dot"}}, 400, "Format error in JSON body: size: invalid type: string"),
        ({"vectors": {"size": 3, "distance": "dot"}}, 400, "Format error in JSON body: unknown variant `dot`"),
        ({"vectors": {"a": {"size": 3, "distance": "Dot"}}}, 501, "Not implemented: A named vector"),
        (CREATE | {"sparse_vectors": {"s": {}}}, 501, "Not implemented: A sparse vector"),
        (CREATE | {"strict_mode_config": {"enabled": True}}, 501, "Not implemented: Strict mode"),
        (CREATE | {"hnsw_config": 5}, 400, "Format error in JSON body: invalid type: integer `5`"),
    ],
)
def test_a_collection_that_cannot_be_made_leaves_nothing(
    client: TestClient, body: Any, status: int, error: str
) -> None:
    reply = client.put("/collections/c", json=body)
    assert (reply.status_code, reply.json()["status"]["error"][: len(error)]) == (status, error)
    assert client.get("/collections").json()["result"] == {"collections": []}


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        ({"field_schema": "keyword"}, 400, "Format error in JSON body: missing field `field_name`"),
        ({"field_name": "a"}, 501, "Not implemented: Guessing the schema"),
        ({"field_name": "a", "field_schema": "word"}, 400, "Format error in JSON body: unknown variant `word`"),
        ({"field_name": "a[", "field_schema": "keyword"}, 400, "Format error in JSON body: invalid JSON path a["),
        (
            {"field_name": "a", "field_schema": {"type": "text", "stopwords": "english"}},
            501,
            "Not implemented: The option `stopwords` of a text index",
        ),
    ],
)
def test_an_index_that_cannot_be_made_is_refused(client: TestClient, body: Any, status: int, error: str) -> None:
    client.put("/collections/c", json=CREATE)
    reply = client.put("/collections/c/index", json=body)
    assert (reply.status_code, reply.json()["status"]["error"][: len(error)]) == (status, error)
    assert client.get("/collections/c").json()["result"]["payload_schema"] == {}


@pytest.mark.parametrize("distance", ["Cosine", "Euclid", "Dot", "Manhattan"])
@pytest.mark.parametrize("datatype", ["float32", "float16", "uint8"])
def test_every_distance_and_datatype_finds_the_nearest_point(client: TestClient, distance: str, datatype: str) -> None:
    client.put("/collections/c", json={"vectors": {"size": 2, "distance": distance, "datatype": datatype}})
    points = [{"id": 1, "vector": [9, 1]}, {"id": 2, "vector": [1, 9]}]
    client.put("/collections/c/points?wait=true", json={"points": points})
    reply = client.post("/collections/c/points/query", json={"query": [8, 1], "limit": 1})
    assert [point["id"] for point in reply.json()["result"]["points"]] == [1]
