"""Many clients at once: shared batches, searches first, no work for those who left."""

import asyncio
import json
from typing import Any

import pytest

from embserver.body import READ_AHEAD_BYTES
from fakes.asgi_clients import Connection, begun, scan, serving, settle, until
from fakes.embedding_model import FakeModel


def test_no_more_requests_are_prepared_at_once_than_the_semaphore_allows_and_the_rest_wait_in_line() -> None:
    async def scenario() -> None:
        fake = FakeModel()
        fake.tokenizer.free.clear()
        async with serving(fake, semaphore=3) as (app, service):
            clients = [Connection(app, scan(str(number))) for number in range(10)]
            await until(lambda: service.gate.running + service.gate.waiting == 10)
            await settle()
            assert (service.gate.running, service.gate.waiting) == (3, 7)

            fake.tokenizer.free.set()
            await asyncio.gather(*(client.done for client in clients))
            assert [client.status for client in clients] == [200] * 10
            assert (service.gate.running, service.gate.waiting) == (0, 0)

    asyncio.run(scenario())


def test_nobody_holds_a_place_in_preparation_while_vectors_are_computed() -> None:
    async def scenario() -> None:
        fake = FakeModel()
        fake.encoder.hold()
        async with serving(fake, semaphore=1) as (app, service):
            clients = [Connection(app, scan(str(number))) for number in range(10)]
            await until(lambda: service.figures.bulk == 10)
            assert (service.gate.running, service.gate.waiting) == (0, 0)
            fake.encoder.release()
            await asyncio.gather(*(client.done for client in clients))

    asyncio.run(scenario())


def test_what_waits_in_line_leaves_all_but_its_beginning_with_its_sender() -> None:
    async def scenario() -> None:
        fake = FakeModel()
        fake.tokenizer.free.clear()
        async with serving(fake, semaphore=1) as (app, service):
            preparing = Connection(app, scan("a"))
            await until(lambda: service.gate.running == 1)
            queued = [Connection(app, ["x" * 2_000_000]) for _ in range(5)]
            await until(lambda: service.gate.waiting == 5)
            await settle()
            assert [client.taken for client in queued] == [READ_AHEAD_BYTES] * 5

            fake.tokenizer.free.set()
            await asyncio.gather(preparing.done, *(client.done for client in queued))
            assert [client.status for client in queued] == [200] * 5
            assert min(client.taken for client in queued) > 2_000_000

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("fields", "status"), [({"encoding_format": "hex"}, 400), ({"dimensions": 3}, 400), ({"model": "other"}, 404)]
)
def test_a_request_that_is_wrong_is_told_so_without_queueing(fields: dict[str, Any], status: int) -> None:
    async def scenario() -> None:
        fake = FakeModel()
        fake.tokenizer.free.clear()
        async with serving(fake, semaphore=1) as (app, service):
            preparing = Connection(app, scan("a"))
            await until(lambda: service.gate.running == 1)
            wrong = Connection(app, scan("b"), **fields)
            await wrong.done
            assert wrong.status == status
            assert not preparing.done.done()
            assert service.gate.waiting == 0

    asyncio.run(scenario())


def test_a_client_that_does_not_send_its_body_holds_no_place() -> None:
    async def scenario() -> None:
        fake = FakeModel()
        async with serving(fake, semaphore=1) as (app, service):
            idle = Connection(app, scan("a"), stalls=True)
            await settle()
            busy = Connection(app, scan("b"))
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
            following = Connection(app, scan("a"))
            await following.done
            assert following.status == 200

    asyncio.run(scenario())


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/health", "/info", "/v1/models", "/api/tags"])
def test_probes_and_facts_never_queue(path: str) -> None:
    async def scenario() -> None:
        fake = FakeModel()
        fake.encoder.hold()
        fake.tokenizer.free.clear()
        async with serving(fake, semaphore=1) as (app, service):
            clients = [Connection(app, scan(str(number))) for number in range(3)]
            await until(lambda: service.gate.waiting == 2)
            probe = Connection(app, [], path=path)
            await probe.done
            assert probe.status == 200
            assert service.gate.waiting == 2
            fake.tokenizer.free.set()
            fake.encoder.release()
            await asyncio.gather(*(client.done for client in clients))

    asyncio.run(scenario())


def test_a_search_waits_neither_for_a_place_in_preparation_nor_for_the_batch_in_work() -> None:
    async def scenario() -> None:
        fake = FakeModel()
        fake.encoder.hold()
        answered: list[str] = []
        async with serving(fake, semaphore=2) as (app, service):

            def sending(name: str, texts: list[str]) -> Connection:
                client = Connection(app, texts)
                client.done.add_done_callback(lambda _: answered.append(name))
                return client

            scans = [sending("scan", scan(str(number))) for number in range(10)]
            await begun(fake)
            await until(lambda: service.figures.bulk == 10)
            fake.tokenizer.free.clear()
            scans += [sending("scan", scan(str(number))) for number in range(10, 20)]
            await until(lambda: service.gate.waiting == 8)
            search = sending("search", ["where is it?"])
            # Its batch begins inside the one that is held.
            await begun(fake)
            assert len(fake.encoder.batches) == 2
            assert len(fake.encoder.batches[1]) == 1

            fake.encoder.release()
            await search.done
            assert answered == ["search"]
            fake.tokenizer.free.set()
            await asyncio.gather(*(client.done for client in scans))
            assert {client.status for client in (search, *scans)} == {200}

    asyncio.run(scenario())


def test_all_connections_share_batches_and_a_text_that_several_send_is_computed_once() -> None:
    async def scenario() -> None:
        fake = FakeModel()
        fake.encoder.hold()
        async with serving(fake) as (app, service):
            first = Connection(app, scan("first", 5))
            await begun(fake)
            others = [Connection(app, [*scan("common", 5), f"own {number}"]) for number in range(4)]
            await until(lambda: service.figures.bulk == 5)
            fake.encoder.release()
            await asyncio.gather(first.done, *(client.done for client in others))

            assert [len(batch) for batch in fake.encoder.batches] == [5, 5 + 4]
            vectors = [[entry["embedding"] for entry in json.loads(client.body)["data"]] for client in others]
            assert all(answer[:5] == vectors[0][:5] for answer in vectors)
            assert len({str(answer[5]) for answer in vectors}) == 4

    asyncio.run(scenario())


def test_who_leaves_the_line_before_preparation_is_forgotten() -> None:
    async def scenario() -> None:
        fake = FakeModel()
        fake.tokenizer.free.clear()
        async with serving(fake, semaphore=1) as (app, service):
            preparing, leaving = Connection(app, scan("a")), Connection(app, scan("b"))
            await until(lambda: service.gate.waiting == 1)
            leaving.hang_up()
            await leaving.done
            assert (service.gate.running, service.gate.waiting) == (1, 0)
            fake.tokenizer.free.set()
            await preparing.done
            assert preparing.status == 200
            assert len(fake.tokenizer.texts) == 60

    asyncio.run(scenario())


def test_the_queued_work_of_a_closed_connection_is_dropped_before_it_starts() -> None:
    async def scenario() -> None:
        fake = FakeModel()
        fake.encoder.hold()
        async with serving(fake) as (app, service):
            working = Connection(app, scan("a", 10))
            await begun(fake)
            leaving = Connection(app, scan("b", 10))
            await until(lambda: service.figures.waiting == 1)

            leaving.hang_up()
            await leaving.done
            await until(lambda: service.figures.bulk == 1)
            fake.encoder.release()
            await working.done
            assert working.status == 200
            assert len(fake.encoder.batches) == 1

    asyncio.run(scenario())


def test_a_client_that_hangs_up_in_the_middle_stops_even_the_batch_in_work() -> None:
    async def scenario() -> None:
        fake = FakeModel()
        fake.encoder.hold()
        async with serving(fake, semaphore=1) as (app, service):
            leaving = Connection(app, scan("a", 600))
            await begun(fake)
            leaving.hang_up()
            await leaving.done
            # Held, the batch would never end by itself.
            await until(lambda: service.figures.abandoned == 1)
            staying = Connection(app, scan("b", 5))
            await begun(fake)
            fake.encoder.release()
            await staying.done
            assert staying.status == 200
            assert len(fake.encoder.batches) == 2
            assert service.figures.bytes == 0

    asyncio.run(scenario())
