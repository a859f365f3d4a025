"""Many clients at once: a bounded number in work, no work for those who left, an answer for everybody at the end."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from fastapi import FastAPI

from embserver.app import create_app
from embserver.body import READ_AHEAD_BYTES
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


async def settle() -> None:
    """Let every task run until it waits for something."""
    for _ in range(20):
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


def test_what_waits_in_the_queue_leaves_all_but_its_beginning_with_its_sender() -> None:
    async def scenario() -> None:
        fake = FakeModel()
        fake.encoder.hold()
        async with serving(fake, semaphore=1) as (app, service):
            working = Connection(app, ["x"])
            await begun(fake)
            queued = [Connection(app, ["x" * 2_000_000]) for _ in range(5)]
            await until(lambda: service.gate.waiting == 5)
            await settle()
            assert [client.taken for client in queued] == [READ_AHEAD_BYTES] * 5

            fake.encoder.release()
            await asyncio.gather(working.done, *(client.done for client in queued))
            assert [client.status for client in queued] == [200] * 5
            assert min(client.taken for client in queued) > 2_000_000

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("fields", "status"), [({"encoding_format": "hex"}, 400), ({"dimensions": 3}, 400), ({"model": "other"}, 404)]
)
def test_a_request_that_is_wrong_is_told_so_without_queueing(fields: dict[str, Any], status: int) -> None:
    async def scenario() -> None:
        fake = FakeModel()
        fake.encoder.hold()
        async with serving(fake, semaphore=1) as (app, service):
            working, wrong = Connection(app, ["x"]), Connection(app, ["y"], **fields)
            await wrong.done
            assert wrong.status == status
            assert not working.done.done()
            assert service.gate.waiting == 0

    asyncio.run(scenario())


def test_a_client_that_does_not_send_its_body_holds_no_place() -> None:
    async def scenario() -> None:
        fake = FakeModel()
        async with serving(fake, semaphore=1) as (app, service):
            idle = Connection(app, ["x"], stalls=True)
            await settle()
            busy = Connection(app, ["y"])
            await busy.done
            assert busy.status == 200
            assert service.gate.running == 0
            idle.hang_up()
            await idle.done

    asyncio.run(scenario())


def test_a_client_that_stops_sending_in_the_middle_gives_its_place_back(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        fake = FakeModel()
        async with serving(fake, semaphore=1) as (app, service):
            with monkeypatch.context() as hasty:
                hasty.setattr("embserver.body.BODY_SECONDS", 0.01)
                stalled = Connection(app, ["x" * 1_000_000], stalls=True)
                await stalled.done
            assert stalled.status == 408
            assert set(stalled.error) == {"message", "type", "param", "code"}
            assert (stalled.error["type"], stalled.error["code"]) == ("invalid_request_error", "request_timeout")
            assert service.gate.running == 0
            following = Connection(app, ["y"])
            await following.done
            assert following.status == 200

    asyncio.run(scenario())


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/health", "/info", "/v1/models"])
def test_probes_and_facts_never_queue(path: str) -> None:
    async def scenario() -> None:
        fake = FakeModel()
        fake.encoder.hold()
        async with serving(fake, semaphore=1) as (app, service):
            clients = [Connection(app, ["x"]) for _ in range(3)]
            await begun(fake)
            await until(lambda: service.gate.waiting == 2)
            probe = Connection(app, [], path=path)
            await probe.done
            assert probe.status == 200
            assert service.gate.waiting == 2
            fake.encoder.release()
            await asyncio.gather(*(client.done for client in clients))

    asyncio.run(scenario())


def test_one_text_behind_a_saturating_scan_is_answered_before_what_came_after_it() -> None:
    async def scenario() -> None:
        fake = FakeModel()
        fake.encoder.hold()
        answered: list[str] = []
        async with serving(fake, semaphore=2) as (app, service):

            def sending(name: str, texts: list[str]) -> Connection:
                client = Connection(app, texts)
                client.done.add_done_callback(lambda _: answered.append(name))
                return client

            before = [sending("before", ["x" * 30] * 60) for _ in range(10)]
            await until(lambda: service.gate.waiting == 8)
            probe = sending("probe", ["warm?"])
            await until(lambda: service.gate.waiting == 9)
            after = [sending("after", ["x" * 30] * 60) for _ in range(10)]
            await until(lambda: service.gate.waiting == 19)

            fake.encoder.release()
            await asyncio.gather(*(client.done for client in (*before, probe, *after)))
            assert probe.status == 200
            # Those before may still be in work beside it, those after enter one by one.
            assert answered.index("probe") <= 10
            assert "after" not in answered[: answered.index("probe")]

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
            assert queued.error["code"] == "shutting_down"
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
            assert client.error["code"] == "shutting_down"

    asyncio.run(scenario())
