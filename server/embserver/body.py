"""The body of a request while it arrives: its beginning at once, the rest only when the request's turn has come.

What a queue keeps in memory must not grow with what its clients send, so the rest waits in the socket, whose sender
is held back. The beginning does not: the end of a connection comes behind the bytes sent before it, so that a client
in the queue is seen to leave only if everything it sent was read. The batches of editors fit into the beginning; who
sends more, and leaves, is noticed when the turn comes.
"""

import asyncio

from starlette.types import Message, Receive

from embserver import requests
from embserver.errors import ApiError

__all__ = ["BODY_SECONDS", "READ_AHEAD_BYTES", "Body", "too_large"]

READ_AHEAD_BYTES = 256 * 1024
"""How much of a body is read before its turn; the last piece may reach beyond by what the HTTP server has buffered."""
BODY_SECONDS = 60
"""How long a client may take for the beginning, and again for the rest once it holds a place."""


class Body:
    """One request's body. `read` runs beside whoever waits for it; nobody else may receive from the connection."""

    def __init__(self, receive: Receive) -> None:
        self.content = bytearray()
        self._receive = receive
        self._begun = asyncio.Event()
        self._complete = asyncio.Event()
        self._wanted = asyncio.Event()

    async def read(self) -> None:
        """Take in what arrives; returns when the client has gone away. Raises ApiError (413) beyond the limit."""
        while self._take(await self._receive()):
            if len(self.content) > requests.MAX_BODY_BYTES:
                raise too_large()
            if self._begun.is_set() and not self._complete.is_set():
                await self._wanted.wait()

    async def beginning(self) -> bool:
        """Wait for the beginning, and say whether that is all, in `content`. Raises ApiError (408) if it takes long."""
        await _in_time(self._begun)
        return self._complete.is_set()

    async def whole(self) -> bytearray:
        """Let the rest in and hand everything over, keeping nothing. Raises ApiError (408) if it takes long."""
        self._wanted.set()
        await _in_time(self._complete)
        content, self.content = self.content, bytearray()
        return content

    def _take(self, message: Message) -> bool:
        if message["type"] != "http.request":
            return False
        self.content += message.get("body", b"")
        if not message.get("more_body", False):
            self._complete.set()
        if self._complete.is_set() or len(self.content) >= READ_AHEAD_BYTES:
            self._begun.set()
        return True


def too_large() -> ApiError:
    """The refusal of a body beyond the limit."""
    return ApiError(413, f"The body is larger than {requests.MAX_BODY_BYTES} bytes.", code="body_too_large")


async def _in_time(event: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(BODY_SECONDS):
            await event.wait()
    except TimeoutError:
        raise ApiError(
            408,
            f"The body did not arrive within {BODY_SECONDS} seconds. Send the request again, with fewer inputs if the "
            "connection is slow.",
            code="request_timeout",
            headers={"Connection": "close"},
        ) from None
