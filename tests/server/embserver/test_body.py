"""The body of a request: its beginning at once, the rest when it is wanted, nothing beyond the limits."""

import asyncio
from collections.abc import Sequence

import pytest
from starlette.types import Message

from embserver.body import READ_AHEAD_BYTES, Body
from embserver.errors import ApiError

PIECE = b"x" * (READ_AHEAD_BYTES // 4)


class Sender:
    """A connection that has these pieces to give, and then is silent or closed."""

    def __init__(self, pieces: Sequence[bytes], *, whole: bool = True, closed: bool = False) -> None:
        self.taken = 0
        self._pieces = pieces
        self._whole = whole
        self._closed = closed

    async def receive(self) -> Message:
        if self.taken == len(self._pieces):
            if not self._closed:
                await asyncio.Event().wait()
            return {"type": "http.disconnect"}
        self.taken += 1
        more = not self._whole or self.taken < len(self._pieces)
        return {"type": "http.request", "body": self._pieces[self.taken - 1], "more_body": more}


def test_a_small_body_is_there_before_it_is_wanted_and_is_handed_over_once() -> None:
    async def scenario() -> None:
        body = Body(Sender([b"ab", b"", b"cd"]).receive)
        reading = asyncio.create_task(body.read())

        assert await body.beginning() is True
        assert body.content == b"abcd"
        assert await body.whole() == b"abcd"
        assert body.content == b""
        reading.cancel()

    asyncio.run(scenario())


def test_a_large_body_is_left_with_its_sender_until_it_is_wanted() -> None:
    async def scenario() -> None:
        sender = Sender([PIECE] * 40)
        body = Body(sender.receive)
        reading = asyncio.create_task(body.read())

        assert await body.beginning() is False
        await settle()
        assert sender.taken == 4
        assert len(await body.whole()) == 40 * len(PIECE)
        reading.cancel()

    asyncio.run(scenario())


def test_the_reading_ends_when_the_client_leaves_whether_it_sent_everything_or_not() -> None:
    async def scenario() -> None:
        for whole in (True, False):
            await Body(Sender([b"abc"], whole=whole, closed=True).receive).read()

    asyncio.run(scenario())


def test_a_body_beyond_the_limit_is_refused_where_it_passes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("embserver.requests.MAX_BODY_BYTES", 100)

    async def scenario() -> None:
        sender = Sender([b"x" * 60] * 9)
        with pytest.raises(ApiError) as refusal:
            await Body(sender.receive).read()
        assert refusal.value.status == 413
        assert sender.taken == 2

    asyncio.run(scenario())


@pytest.mark.parametrize("pieces", [[b'{"input'], [PIECE] * 5])
def test_a_body_that_does_not_arrive_in_time_is_given_up(
    pieces: Sequence[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("embserver.body.BODY_SECONDS", 0.01)

    async def scenario() -> None:
        body = Body(Sender(pieces, whole=False).receive)
        reading = asyncio.create_task(body.read())
        with pytest.raises(ApiError) as refusal:
            await (body.whole() if len(pieces) > 1 else body.beginning())
        assert refusal.value.status == 408
        assert "did not arrive within" in refusal.value.message
        assert refusal.value.headers == {"Connection": "close"}
        reading.cancel()

    asyncio.run(scenario())


async def settle() -> None:
    """Let every task run until it waits for something."""
    for _ in range(10):
        await asyncio.sleep(0)
