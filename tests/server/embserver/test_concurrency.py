"""Many clients at once: a bounded number in work, no work for those who left, an answer for everybody at the end."""

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

WANTED = WantedModel(name="m", ids=("m",), source=HubSource(repo_id="o/m", revision="r"))


class Connection:
    """One client's request, spoken in ASGI, so that a test can hang up."""

    def __init__(self, app: FastAPI, texts: list[str]) -> None:
        self.status = 0
        self.body = b""
        self._gone = asyncio.Event()
        self._sent = False
        self._payload = json.dumps({"input": texts}).encode()
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http",
            "path": "/v1/embeddings", "raw_path": b"/v1/embeddings", "root_path": "", "query_string": b"",
            "headers": [(b"host", b"test")], "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 2),
        }  # fmt: skip
        self.done = asyncio.create_task(app(scope, self._receive, self._send))

    def hang_up(self) -> None:
        self._gone.set()

    async def _receive(self) -> dict[str, Any]:
        if not self._sent:
            self._sent = True
            return {"type": "http.request", "body": self._payload, "more_body": False}
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
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
            fake.encoder.release()


async def begun(fake: FakeModel) -> None:
    """Wait until one more batch has begun."""
    await asyncio.to_thread(fake.encoder.began.acquire)


async def until(condition: Callable[[], bool]) -> None:
    """Let the other tasks run until the service's own figures, which have no events, say so."""
    while not condition():  # noqa: ASYNC110 - see above
        await asyncio.sleep(0)


def test_no_more_requests_are_in_work_than_the_semaphore_allows_and_the_rest_queue() -> None:
    async def scenario() -> None:
        fake = FakeModel()
        fake.encoder.hold()
        async with serving(fake, semaphore=3) as (app, service):
            clients = [Connection(app, [f"text {number}"]) for number in range(10)]
            await begun(fake)
            await until(lambda: service.gate.running + service.gate.waiting == 10)
            assert (service.gate.running, service.gate.waiting) == (3, 7)
            # Those in the queue have not even been cut into tokens.
            await until(lambda: len(fake.tokenizer.texts) == 3)
            assert len(fake.encoder.batches) == 1

            fake.encoder.release()
            await asyncio.gather(*(client.done for client in clients))
            assert [client.status for client in clients] == [200] * 10
            assert (service.gate.running, service.gate.waiting) == (0, 0)

    asyncio.run(scenario())


def test_probes_are_answered_while_a_batch_is_computed() -> None:
    async def scenario() -> None:
        fake = FakeModel()
        fake.encoder.hold()
        async with serving(fake) as (app, service):
            client = Connection(app, ["x"])
            await begun(fake)
            assert service.gate.running == 1
            assert not client.done.done()
            fake.encoder.release()
            await client.done
            assert client.status == 200

    asyncio.run(scenario())


def test_the_queued_work_of_a_closed_connection_is_dropped_before_it_starts() -> None:
    async def scenario() -> None:
        fake = FakeModel()
        fake.encoder.hold()
        async with serving(fake, semaphore=1) as (app, service):
            working, leaving = Connection(app, ["first"]), Connection(app, ["second"])
            await begun(fake)
            await until(lambda: service.gate.waiting == 1)

            leaving.hang_up()
            await leaving.done
            assert (service.gate.running, service.gate.waiting) == (1, 0)
            fake.encoder.release()
            await working.done
            assert working.status == 200
            assert fake.tokenizer.texts == ["first"]
            assert len(fake.encoder.batches) == 1

    asyncio.run(scenario())


def test_a_client_that_hangs_up_in_the_middle_stops_its_remaining_batches() -> None:
    async def scenario() -> None:
        fake = FakeModel()
        fake.encoder.hold()
        async with serving(fake, semaphore=1) as (app, service):
            leaving = Connection(app, ["x" * 30] * 600)
            await begun(fake)
            leaving.hang_up()
            await leaving.done
            staying = Connection(app, ["next"])
            fake.encoder.release()
            await staying.done
            assert staying.status == 200
            # 600 texts are nineteen batches; only the one that had begun was computed.
            assert len(fake.encoder.batches) == 2
            assert service.gate.running == 0

    asyncio.run(scenario())


def test_requests_in_work_advance_side_by_side_so_a_search_is_not_behind_a_whole_scan() -> None:
    async def scenario() -> None:
        fake = FakeModel()
        fake.encoder.hold()
        async with serving(fake) as (app, service):
            scan = Connection(app, ["x" * 30] * 600)
            await begun(fake)
            search = Connection(app, ["where is it?"])
            await until(lambda: service.gate.running == 2)
            fake.encoder.release()
            await asyncio.gather(search.done, scan.done)
            place = next(n for n, batch in enumerate(fake.encoder.batches) if len(batch) == 1)
            assert place < len(fake.encoder.batches) - 5

    asyncio.run(scenario())


def test_at_the_end_those_in_work_are_answered_and_those_in_the_queue_hear_503() -> None:
    async def scenario() -> None:
        fake = FakeModel()
        fake.encoder.hold()
        async with serving(fake, semaphore=1) as (app, service):
            working, queued = Connection(app, ["first"]), Connection(app, ["second"])
            await begun(fake)
            await until(lambda: service.gate.waiting == 1)
            service.gate.close()
            await queued.done
            assert queued.status == 503
            assert json.loads(queued.body)["error"]["code"] == "shutting_down"
            fake.encoder.release()
            await working.done
            assert working.status == 200

    asyncio.run(scenario())


def test_what_the_grace_of_a_shutdown_does_not_cover_is_answered_with_503() -> None:
    async def scenario() -> None:
        fake = FakeModel()
        fake.encoder.hold()
        async with serving(fake) as (app, _):
            client = Connection(app, ["x"])
            await begun(fake)
            client.done.cancel()
            await client.done
            assert client.status == 503
            assert json.loads(client.body)["error"]["code"] == "shutting_down"

    asyncio.run(scenario())
