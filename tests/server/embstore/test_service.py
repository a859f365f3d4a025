"""What the server says of itself."""

from importlib.metadata import version

from qdrant_client.common import version_check
from starlette.testclient import TestClient


def test_the_title_says_what_this_is_and_the_version_is_one_that_clients_accept(client: TestClient) -> None:
    answer = client.get("/").json()
    assert answer["title"] == "Qdrant Edge engine, Qdrant REST subset"
    assert answer["version"] == "1.19.0"
    assert version_check.is_compatible("1.18.0", answer["version"])
    assert version_check.is_compatible("1.20.0", answer["version"])


def test_the_engine_that_is_named_is_the_one_installed(client: TestClient) -> None:
    assert client.get("/").json()["commit"] == f"qdrant-edge-py {version('qdrant-edge-py')}"


def test_health_is_plain_text(client: TestClient) -> None:
    assert client.get("/healthz").text == "healthz check passed"
    assert client.get("/livez").text == "healthz check passed"
    assert client.get("/readyz").text == "all shards are ready"


def test_metrics_count_collections_and_points(points: TestClient) -> None:
    lines = points.get("/metrics").text.splitlines()
    assert "collections_total 1" in lines
    assert "collections_broken 0" in lines
    assert 'collection_points{id="c"} 3' in lines
