"""What Prometheus reads: requests by route and status, durations by kind, and the service's own figures."""

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

from embserver.settings import Settings
from fakes.embedding_model import FakeModel
from fakes.served_app import serving

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


@pytest.fixture
def client() -> Iterator[TestClient]:
    with serving(FakeModel()) as ready:
        yield ready


def samples(client: TestClient) -> Samples:
    families = text_string_to_metric_families(client.get("/metrics").text)
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
    }


def labelled(found: Samples, name: str, **labels: str) -> float:
    return found[name, frozenset(labels.items())]


def test_requests_are_counted_by_route_and_status_and_unknown_paths_together(client: TestClient) -> None:
    client.post("/v1/embeddings", json={"input": "a"})
    client.post("/v1/embeddings", json={"input": []})
    for path in ("/one", "/two"):
        client.get(path)
    found = samples(client)
    assert labelled(found, "embserver_http_requests_total", route="/v1/embeddings", status="200") == 1
    assert labelled(found, "embserver_http_requests_total", route="/v1/embeddings", status="400") == 1
    assert labelled(found, "embserver_http_requests_total", route="other", status="404") == 2


def test_answers_are_timed_apart_for_searches_and_scans(client: TestClient) -> None:
    client.post("/v1/embeddings", json={"input": "a search"})
    client.post("/v1/embeddings", json={"input": [f"text {number}" for number in range(60)]})
    client.post("/v1/embeddings", json={"input": []})
    found = samples(client)
    assert labelled(found, "embserver_embedding_duration_seconds_count", kind="interactive") == 1
    assert labelled(found, "embserver_embedding_duration_seconds_count", kind="bulk") == 1


def test_the_services_figures_are_those_of_info(client: TestClient) -> None:
    client.post("/v1/embeddings", json={"input": ["a", "b"]})
    found, facts = samples(client), client.get("/info").json()
    assert labelled(found, "embserver_ready") == 1
    assert labelled(found, "embserver_texts_total") == facts["counters"]["texts"] == 2
    assert labelled(found, "embserver_tokens_total") == facts["counters"]["tokens"]
    assert labelled(found, "embserver_queue_texts") == 0
    assert labelled(found, "embserver_resident_memory_bytes") > 0


def test_while_the_model_loads_metrics_say_that_it_is_not_ready() -> None:
    fake = FakeModel()
    fake.gate.clear()
    with serving(fake, wait=False) as client:
        found = samples(client)
        assert labelled(found, "embserver_ready") == 0
        assert not any(name.startswith("embserver_queue_texts") for name, _ in found)
        fake.gate.set()


def test_every_name_follows_the_conventions_of_prometheus(client: TestClient) -> None:
    for family in text_string_to_metric_families(client.get("/metrics").text):
        assert family.name.startswith("embserver_")
        assert family.documentation
        assert not family.name.endswith(("_ms", "_mb", "_milliseconds", "_percent"))


def test_with_a_key_metrics_ask_for_it_too() -> None:
    with serving(FakeModel(), Settings(api_key="k"), wait=False) as client:
        assert client.get("/metrics").status_code == 401
        assert client.get("/metrics", headers={"Authorization": "Bearer k"}).status_code == 200
