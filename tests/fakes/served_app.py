"""The embedding server's application over a model without weights, called without sockets."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from fastapi.testclient import TestClient

from embserver.app import create_app
from embserver.catalogue import HubSource, WantedModel
from embserver.failures import StartFailed
from embserver.settings import Settings
from fakes.embedding_model import CLS, SEP, FakeModel

WANTED = WantedModel(
    name="jina-code-v2",
    ids=("jina-code-v2", "jinaai/jina-embeddings-v2-base-code"),
    source=HubSource(repo_id="jinaai/jina-embeddings-v2-base-code", revision="r1"),
)


@contextmanager
def serving(
    fake: FakeModel, settings: Settings | None = None, *, wait: bool = True, failures: list[StartFailed] | None = None
) -> Iterator[TestClient]:
    """A client of the application over the fake, once it is ready unless `wait` is False."""
    heard = [] if failures is None else failures
    app = create_app(settings or Settings(), WANTED, fake.load, failed=heard.append)
    with TestClient(app, raise_server_exceptions=False) as client:
        while wait and client.get("/readyz").status_code != 200:
            pass
        yield client
        fake.gate.set()


def envelope(body: Any) -> dict[str, Any]:
    """The error in a body, which must hold nothing else."""
    assert list(body) == ["error"]
    error: dict[str, Any] = body["error"]
    assert set(error) == {"message", "type", "param", "code"}
    return error


def ids(text: str) -> list[int]:
    """The ids that the fake's tokenizer makes of a text."""
    return [CLS, *map(ord, text), SEP]
