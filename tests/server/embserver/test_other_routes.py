"""What else is asked of the server: by Ollama's clients, and about tokens."""

from collections.abc import Iterator

import numpy as np
import pytest
from fastapi.testclient import TestClient

from fakes.embedding_model import FakeModel
from fakes.served_app import WANTED, envelope, ids, serving


@pytest.fixture
def fake() -> FakeModel:
    return FakeModel()


@pytest.fixture
def client(fake: FakeModel) -> Iterator[TestClient]:
    with serving(fake) as ready:
        yield ready


def test_ollamas_clients_find_the_model_and_get_its_vectors(client: TestClient, fake: FakeModel) -> None:
    (first, *_) = client.get("/api/tags").json()["models"]
    answer = client.post("/api/embed", json={"model": first["name"], "input": ["test", "b"], "keep_alive": "5m"})

    assert answer.status_code == 200
    body = answer.json()
    assert set(body) == {"model", "embeddings", "total_duration", "load_duration", "prompt_eval_count"}
    assert body["model"] == first["name"] == "jina-code-v2"
    assert np.allclose(body["embeddings"], [fake.encoder.vector(ids("test")), fake.encoder.vector(ids("b"))])
    assert body["prompt_eval_count"] == 6 + 3


def test_both_ids_are_told_to_ollamas_clients(client: TestClient) -> None:
    assert [model["name"] for model in client.get("/api/tags").json()["models"]] == list(WANTED.ids)


def test_ollamas_clients_can_forbid_to_cut(client: TestClient) -> None:
    response = client.post("/api/embed", json={"input": "x" * 40, "truncate": False})

    assert response.status_code == 400
    assert envelope(response.json())["code"] == "context_length_exceeded"


def test_tokens_are_those_that_would_be_computed(client: TestClient, fake: FakeModel) -> None:
    answer = client.post("/tokenize", json={"input": ["ab", "x" * 99]}).json()

    first, second = answer["data"]
    assert first == {"object": "tokens", "index": 0, "tokens": ids("ab"), "count": 4, "truncated": False}
    assert (second["index"], second["count"], second["truncated"]) == (1, 32, True)
    assert (answer["max_tokens"], answer["usage"]["prompt_tokens"]) == (32, 36)
    assert fake.encoder.batches == []
    embedded = client.post("/v1/embeddings", json={"input": [first["tokens"]]}).json()["data"][0]["embedding"]
    assert np.allclose(embedded, client.post("/v1/embeddings", json={"input": "ab"}).json()["data"][0]["embedding"])


def test_a_large_request_for_tokens_is_answered_like_a_small_one(client: TestClient) -> None:
    texts = ["x" * (number % 40) for number in range(2000)]
    data = client.post("/tokenize", json={"input": texts}).json()["data"]

    assert [entry["count"] for entry in data] == [min(32, 2 + len(text)) for text in texts]


@pytest.mark.parametrize("path", ["/api/embed", "/tokenize"])
def test_what_is_wrong_is_told_in_the_same_envelope_everywhere(client: TestClient, path: str) -> None:
    for body, status in (({"input": []}, 400), ({"input": "x", "model": "other"}, 404)):
        response = client.post(path, json=body)
        assert response.status_code == status
        envelope(response.json())
