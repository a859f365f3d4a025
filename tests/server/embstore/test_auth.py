"""The API key: what it guards, and the two ways to give it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from embstore.app import create_app
from embstore.settings import Settings


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[TestClient]:
    with TestClient(create_app(Settings(storage_path=tmp_path, api_key="geheim-ü"))) as client:
        yield client


@pytest.mark.parametrize("path", ["/", "/healthz", "/livez", "/readyz"])
def test_version_and_health_need_no_key(guarded: TestClient, path: str) -> None:
    assert guarded.get(path).status_code == 200


@pytest.mark.parametrize("path", ["/collections", "/metrics", "/collections/x", "/nowhere"])
def test_everything_else_answers_401_without_a_key(guarded: TestClient, path: str) -> None:
    reply = guarded.get(path)
    assert reply.status_code == 401
    assert reply.json()["status"] == {"error": "Must provide an API key or an Authorization bearer token"}


@pytest.mark.parametrize("headers", [{"api-key": "falsch"}, {"Authorization": "Bearer falsch"}, {"api-key": ""}])
def test_a_wrong_key_is_401(guarded: TestClient, headers: dict[str, str]) -> None:
    reply = guarded.get("/collections", headers=headers)
    assert (reply.status_code, reply.json()["status"]) == (401, {"error": "Invalid API key"})


@pytest.mark.parametrize("name", ["api-key", "Authorization"])
def test_the_right_key_opens_by_either_header(guarded: TestClient, name: str) -> None:
    value = "geheim-ü" if name == "api-key" else "Bearer geheim-ü"
    assert guarded.get("/collections", headers={name.encode(): value.encode()}).status_code == 200


def test_without_a_key_set_any_key_is_accepted(client: TestClient) -> None:
    assert client.get("/collections", headers={"api-key": "any"}).status_code == 200
