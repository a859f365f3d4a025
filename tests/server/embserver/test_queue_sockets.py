"""The queue on real sockets, where what a client sent lies before the news that it has left."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from embserver.app import create_app
from embserver.catalogue import HubSource, WantedModel
from embserver.server import Server, listen
from embserver.service import Service
from embserver.settings import Settings
from fakes.embedding_model import FakeModel

WANTED = WantedModel(name="m", ids=("m",), source=HubSource(repo_id="o/m", revision="r"))


class Client:
    """A connection that has sent one request, or, with `keep_back`, all of it but that many bytes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def asking(cls, port: int, text: str, *, keep_back: int = 0) -> "Client":
        """Asks for five texts, which is no search, the text given and shorter ones."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        body = json.dumps({"input": [text, "a", "b", "c", "d"]}).encode()
        head = f"POST /v1/embeddings HTTP/1.1\r\nHost: test\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body[: len(body) - keep_back])
        return cls(reader, writer)

    async def status(self) -> int:
        return int((await self._reader.readline()).split()[1])

    async def rest(self) -> bytes:
        """Everything up to the end of the connection."""
        return await self._reader.read()

    def hang_up(self) -> None:
        self._writer.transport.abort()


@asynccontextmanager
async def serving(fake: FakeModel) -> AsyncIterator[tuple[int, Service]]:
    app = create_app(Settings(semaphore=1), WANTED, fake.load, failed=lambda _: None)
    service: Service = app.state.service
    server = Server(app, stopping=service.close)
    # Without `serve`, which would take this process's signals.
    server.config.load()
    server.lifespan = server.config.lifespan_class(server.config)
    with listen("127.0.0.1", 0) as listener:
        await server.startup([listener])
        await until(lambda: service.ready)
        try:
            yield listener.getsockname()[1], service
        finally:
            fake.tokenizer.free.set()
            await server.shutdown([listener])


async def until(condition: Callable[[], bool]) -> None:
    """Let the loop turn until the service's own figures, which have no events, say so."""
    while not condition():  # noqa: ASYNC110 - see above
        await asyncio.sleep(0)


# The first fits into one piece; the second is more than the HTTP server takes in before it stops to read.
@pytest.mark.parametrize("size", [10, 200_000])
def test_a_client_that_leaves_the_queue_is_noticed_while_the_work_before_it_goes_on(size: int) -> None:
    async def scenario() -> None:
        fake = FakeModel()
        fake.tokenizer.free.clear()
        async with serving(fake) as (port, service):
            working = await Client.asking(port, "first")
            await until(lambda: service.gate.running == 1)
            leaving = await Client.asking(port, "x" * size)
            await until(lambda: service.gate.waiting == 1)
            leaving.hang_up()
            await until(lambda: service.gate.waiting == 0)
            assert service.gate.running == 1
            fake.tokenizer.free.set()
            assert await working.status() == 200
            working.hang_up()
        assert fake.tokenizer.texts == ["first", "a", "b", "c", "d"]

    asyncio.run(scenario())


def test_a_client_that_leaves_with_more_than_the_beginning_unsent_is_dropped_at_its_turn() -> None:
    async def scenario() -> None:
        fake = FakeModel()
        fake.tokenizer.free.clear()
        async with serving(fake) as (port, service):
            working = await Client.asking(port, "first")
            await until(lambda: service.gate.running == 1)
            leaving = await Client.asking(port, "x" * 3_000_000, keep_back=1)
            await until(lambda: service.gate.waiting == 1)
            leaving.hang_up()
            following = await Client.asking(port, "last")
            await until(lambda: service.gate.waiting == 2)
            fake.tokenizer.free.set()
            assert await working.status() == 200
            assert await following.status() == 200
            working.hang_up()
            following.hang_up()
        assert fake.tokenizer.texts == ["first", "a", "b", "c", "d", "last", "a", "b", "c", "d"]

    asyncio.run(scenario())


def test_a_client_that_leaves_while_its_texts_are_computed_stops_the_computing() -> None:
    async def scenario() -> None:
        fake = FakeModel()
        fake.encoder.hold()
        async with serving(fake) as (port, service):
            leaving = await Client.asking(port, "first")
            await asyncio.to_thread(fake.encoder.began.acquire)
            leaving.hang_up()
            await until(lambda: service.figures.abandoned == 1)
            fake.encoder.release()

    asyncio.run(scenario())


def test_a_body_that_does_not_arrive_is_answered_and_the_connection_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("embserver.body.BODY_SECONDS", 0.01)

    async def scenario() -> None:
        async with serving(FakeModel()) as (port, _):
            idle = await Client.asking(port, "x", keep_back=1)
            assert await idle.status() == 408
            assert b"request_timeout" in await idle.rest()
            idle.hang_up()

    asyncio.run(scenario())
