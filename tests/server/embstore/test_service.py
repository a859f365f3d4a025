"""What the server says of itself."""

from importlib.metadata import version

from prometheus_client.parser import text_string_to_metric_families
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


def metrics(client: TestClient) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Every sample of Prometheus' text, by name and labels."""
    families = text_string_to_metric_families(client.get("/metrics").text)
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
    }


def test_metrics_count_collections_and_points(points: TestClient) -> None:
    samples = metrics(points)
    assert samples["collections_total", frozenset()] == 1
    assert samples["collections_broken", frozenset()] == 0
    assert samples["collection_points", frozenset({("id", "c")})] == 3


def test_metrics_count_and_time_answers_by_route_and_none_of_what_nobody_serves(client: TestClient) -> None:
    client.get("/collections/one/exists")
    client.get("/collections/two/exists")
    client.get("/collections/none")
    client.get("/anything/else")
    samples = metrics(client)
    route = {("method", "GET"), ("endpoint", "/collections/{name}/exists"), ("status", "200")}
    missing = {("method", "GET"), ("endpoint", "/collections/{name}"), ("status", "404")}
    assert samples["rest_responses_total", frozenset(route)] == 2
    assert samples["rest_responses_duration_seconds_count", frozenset(route)] == 2
    assert samples["rest_responses_total", frozenset(missing)] == 1
    assert not any("/anything" in str(labels) for _, labels in samples)
