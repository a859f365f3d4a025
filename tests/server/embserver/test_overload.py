"""More than the queue holds, and the end: who is refused is told so, and those in work are answered."""

import asyncio

import pytest

from embserver.body import READ_AHEAD_BYTES
from fakes.asgi_clients import Connection, begun, scan, serving, until
from fakes.embedding_model import FakeModel


@pytest.mark.parametrize("texts", [list("abcde"), [letter * 2000 for letter in "abcde"]])
def test_a_full_queue_is_told_as_503_with_the_time_to_come_back(
    texts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("embserver.service.QUEUE_BYTES", 20_000)

    async def scenario() -> None:
        fake = FakeModel()
        fake.encoder.hold()
        async with serving(fake) as (app, _):
            large = Connection(app, scan("a"))
            await begun(fake)
            refused = Connection(app, texts)
            await refused.done
            assert refused.status == 503
            assert refused.error["code"] == "queue_full"
            assert int(refused.headers[b"retry-after"]) > 0
            fake.encoder.release()
            await large.done
            assert large.status == 200
            again = Connection(app, texts)
            await again.done
            assert again.status == 200

    asyncio.run(scenario())


def test_a_queue_full_of_scans_refuses_no_search(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("embserver.service.QUEUE_BYTES", 20_000)

    async def scenario() -> None:
        fake = FakeModel()
        fake.encoder.hold()
        async with serving(fake) as (app, service):
            large = Connection(app, scan("a"))
            await begun(fake)
            search = Connection(app, ["x"])
            await until(lambda: service.figures.interactive == 1)
            fake.encoder.release()
            await asyncio.gather(large.done, search.done)
            assert (large.status, search.status) == (200, 200)

    asyncio.run(scenario())


def test_bodies_that_wait_in_line_count_towards_the_queues_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("embserver.service.QUEUE_BYTES", 3 * READ_AHEAD_BYTES)

    async def scenario() -> None:
        fake = FakeModel()
        fake.tokenizer.free.clear()
        async with serving(fake, semaphore=1) as (app, service):
            preparing = Connection(app, scan("a"))
            await until(lambda: service.gate.running == 1)
            queued = [Connection(app, ["x" * 2_000_000]) for _ in range(5)]
            await until(lambda: sum(client.done.done() for client in queued) == 2)
            assert service.gate.waiting == 3
            fake.tokenizer.free.set()
            await asyncio.gather(preparing.done, *(client.done for client in queued))
            assert sorted(client.status for client in queued) == [200, 200, 200, 503, 503]

    asyncio.run(scenario())


def test_at_the_end_those_in_work_are_answered_and_those_who_wait_hear_503() -> None:
    async def scenario() -> None:
        fake = FakeModel()
        fake.encoder.hold()
        async with serving(fake, semaphore=1) as (app, service):
            working = Connection(app, scan("a"))
            await begun(fake)
            queued = Connection(app, scan("b"))
            await until(lambda: service.figures.waiting == 1)
            fake.tokenizer.free.clear()
            preparing = Connection(app, scan("c"))
            await until(lambda: service.gate.running == 1)
            in_line = Connection(app, scan("d"))
            await until(lambda: service.gate.waiting == 1)
            service.close()
            fake.tokenizer.free.set()
            late = Connection(app, ["x"])
            for client in (queued, preparing, in_line, late):
                await client.done
                assert client.status == 503
                assert client.error["code"] == "shutting_down"
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
