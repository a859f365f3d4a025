"""What collections take on the disk, where Qdrant's telemetry has it."""

from typing import Any

import pytest
from starlette.testclient import TestClient

CREATE = {"vectors": {"size": 256, "distance": "Cosine", "on_disk": True}}


def told(client: TestClient, level: str) -> Any:
    return client.get(f"/telemetry?details_level={level}").json()["result"]["collections"]


def test_each_collection_tells_its_points_and_bytes_and_more_points_take_more(client: TestClient) -> None:
    for name in ("a", "b"):
        client.put(f"/collections/{name}", json=CREATE)
    points = [{"id": number, "vector": [1.0] * 256, "payload": {}} for number in range(500)]
    client.put("/collections/b/points?wait=true", json={"points": points})

    infos = {
        each["id"]: each["shards"][0]["local"]["segments"][0]["info"] for each in told(client, "10")["collections"]
    }

    assert {name: info["num_points"] for name, info in infos.items()} == {"a": 0, "b": 500}
    assert infos["b"]["disk_usage_bytes"] > infos["a"]["disk_usage_bytes"] + 500 * 256 * 4 > 0


def test_without_a_level_only_the_number_of_collections_is_told(client: TestClient) -> None:
    client.put("/collections/a", json=CREATE)
    assert client.get("/telemetry").json()["result"]["collections"] == {"number_of_collections": 1}
    assert told(client, "0") == {"number_of_collections": 1}


@pytest.mark.parametrize("level", ["-1", "all", ""])
def test_a_level_that_is_no_number_is_refused(client: TestClient, level: str) -> None:
    assert client.get(f"/telemetry?details_level={level}").status_code == 400
