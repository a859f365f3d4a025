"""Many clients of one application, spoken to in ASGI and without sockets, and the moments that a test waits for."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI

from embserver.app import create_app
from embserver.catalogue import HubSource, WantedModel
from embserver.service import Service
from embserver.settings import Settings
from fakes.embedding_model import FakeModel

PIECE = 64 * 1024
WANTED = WantedModel(name="m", ids=("m",), source=HubSource(repo_id="o/m", revision="r"))


class Connection:
    """One client's request, spoken in ASGI, so that a test can hang up, and see how much of the body was taken.

    The body comes in pieces of 64 KiB; with `stalls`, its last piece never does.
    """

    def __init__(
        self, app: FastAPI, texts: list[str], *, path: str = "/v1/embeddings", stalls: bool = False, **fields: Any
    ) -> None:
        self.status = 0
        self.body = b""
        self.headers: dict[bytes, bytes] = {}
        self.taken = 0
        self._gone = asyncio.Event()
        self._stalls = stalls
        self._payload = json.dumps({"input": texts, **fields}).encode()
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "scheme": "http",
            "method": "POST" if texts else "GET", "path": path, "raw_path": path.encode(), "root_path": "",
            "query_string": b"", "headers": [(b"host", b"test")], "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 2),
        }  # fmt: skip
        self.done = asyncio.create_task(app(scope, self._receive, self._send))

    @property
    def error(self) -> Any:
        return json.loads(self.body)["error"]

    def hang_up(self) -> None:
        self._gone.set()

    async def _receive(self) -> dict[str, Any]:
        piece = self._payload[self.taken : self.taken + PIECE]
        last = self.taken + len(piece) == len(self._payload)
        if not piece or (last and self._stalls):
            await self._gone.wait()
            return {"type": "http.disconnect"}
        self.taken += len(piece)
        return {"type": "http.request", "body": piece, "more_body": not last}

    async def _send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = dict(message["headers"])
        else:
            self.body += message.get("body", b"")


@asynccontextmanager
async def serving(fake: FakeModel, semaphore: int = 8) -> AsyncIterator[tuple[FastAPI, Service]]:
    app = create_app(Settings(semaphore=semaphore), WANTED, fake.load, failed=lambda _: None)
    service: Service = app.state.service
    async with app.router.lifespan_context(app):
        await until(lambda: service.ready)
        try:
            yield app, service
        finally:
            fake.tokenizer.free.set()
            fake.encoder.release()


async def begun(fake: FakeModel) -> None:
    """Wait until one more batch has begun."""
    await asyncio.to_thread(fake.encoder.began.acquire)


async def until(condition: Callable[[], bool]) -> None:
    """Let the other tasks run until the service's own figures, which have no events, say so."""
    while not condition():  # noqa: ASYNC110 - see above
        await asyncio.sleep(0)


def scan(name: str, texts: int = 60) -> list[str]:
    """A request that is no search: texts of 30 characters, all different, about a batch and a half of them."""
    return [f"{name} {number:3} ".ljust(30, "x") for number in range(texts)]


async def settle() -> None:
    """Let every task run until it waits for something."""
    for _ in range(20):
        await asyncio.sleep(0)
