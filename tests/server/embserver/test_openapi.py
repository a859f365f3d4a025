"""The document at /openapi.json: complete, valid, and true: its examples work, and answers have the shapes it gives."""

from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
from fastapi.testclient import TestClient
from openapi_spec_validator import validate

from embserver.settings import Settings
from fakes.embedding_model import FakeModel
from fakes.served_app import serving


@pytest.fixture
def client() -> Iterator[TestClient]:
    with serving(FakeModel(), Settings(profile_memory=True)) as ready:
        yield ready


def document(client: TestClient) -> Any:
    return client.get("/openapi.json").json()


def operations(client: TestClient) -> list[tuple[str, str, Any]]:
    paths = document(client)["paths"]
    return [(path, method, operation) for path, entry in paths.items() for method, operation in entry.items()]


def test_it_is_a_valid_document_of_every_route(client: TestClient) -> None:
    validate(document(client))

    assert {path for path, _, _ in operations(client)} == {
        "/v1/embeddings", "/embeddings", "/v1/models", "/models", "/api/embed", "/api/tags", "/api/version",
        "/tokenize",
        "/livez", "/readyz", "/health", "/info", "/debug/memory",
    }  # fmt: skip


def test_every_example_of_a_request_is_answered_in_the_shape_that_is_promised(client: TestClient) -> None:
    asked = 0
    for path, method, operation in operations(client):
        examples = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("examples", {})
        bodies: list[Any] = [example["value"] for example in examples.values()] or [None]
        for body in bodies:
            response = client.request(method, path, json=body)
            assert response.status_code == 200, response.text
            content = operation["responses"]["200"]["content"]["application/json"]
            jsonschema.validate(response.json(), content["schema"])
            for header in operation["responses"]["200"].get("headers", ()):
                assert header in response.headers
            asked += 1
    assert asked == 9 + 4 + 4 + 1 + 1 + 1 - 1


def test_every_example_of_an_answer_has_the_shape_that_is_promised(client: TestClient) -> None:
    for _, _, operation in operations(client):
        for answer in operation["responses"].values():
            content = answer["content"]["application/json"]
            if "example" in content:
                jsonschema.validate(content["example"], content["schema"])


def test_errors_have_the_shape_that_is_promised(client: TestClient) -> None:
    schema = document(client)["paths"]["/v1/embeddings"]["post"]["responses"]["400"]["content"]["application/json"]
    wrong: tuple[dict[str, Any], ...] = ({"input": []}, {"input": "x", "dimensions": 3})
    for body in wrong:
        jsonschema.validate(client.post("/v1/embeddings", json=body).json(), schema["schema"])


def test_nothing_is_loaded_from_elsewhere(client: TestClient) -> None:
    assert client.get("/docs").status_code == 404
    assert client.get("/redoc").status_code == 404
    assert "http" not in client.get("/openapi.json").text
