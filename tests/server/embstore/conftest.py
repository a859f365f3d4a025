"""A store in this process, spoken to through ASGI."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from embstore.app import create_app
from embstore.settings import Settings


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    """A client of an empty store in a temporary folder."""
    with TestClient(create_app(Settings(storage_path=tmp_path / "storage"))) as client:
        yield client


@pytest.fixture
def points(client: TestClient) -> TestClient:
    """The same client, with a collection `c` of three-dimensional cosine vectors that holds three points."""
    created = client.put("/collections/c", json={"vectors": {"size": 3, "distance": "Cosine"}})
    assert created.status_code == 200
    body = {
        "points": [
            {"id": 1, "vector": [1, 0, 0], "payload": {"type": "code", "lines": [1, 2], "path": "a/b.py"}},
            {"id": 2, "vector": [0, 1, 0], "payload": {"type": "code", "lines": [5], "done": True}},
            {"id": "0f3b1f3e-5c76-5d0e-9f43-6a8e6a7f6f0a", "vector": [0, 0, 0], "payload": {"type": "metadata"}},
        ]
    }
    assert client.put("/collections/c/points?wait=true", json=body).status_code == 200
    return client
