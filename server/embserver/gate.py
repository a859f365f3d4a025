"""How many requests are in preparation at once; the others wait their turn in order."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from embserver.refusals import Closed

__all__ = ["Gate"]


class Gate:
    """First come, first served, `limit` at a time. Lives on one event loop."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._running = 0
        self._queue: deque[asyncio.Future[None]] = deque()
        self._closed = False

    @property
    def running(self) -> int:
        """Requests in preparation."""
        return self._running

    @property
    def waiting(self) -> int:
        """Requests in line."""
        return len(self._queue)

    @asynccontextmanager
    async def enter(self) -> AsyncIterator[None]:
        """Hold one of the places for the block, waiting for it if need be.

        Raises Closed when the gate is, or becomes, closed before the place is had. Cancelling gives the turn away.
        """
        await self._acquire()
        try:
            yield
        finally:
            self._leave()

    def close(self) -> None:
        """Let those inside finish, and send everybody else away with Closed."""
        self._closed = True
        while self._queue:
            turn = self._queue.popleft()
            if not turn.done():
                turn.set_exception(Closed)

    async def _acquire(self) -> None:
        if self._closed:
            raise Closed
        if self._running < self.limit:
            self._running += 1
            return
        turn = asyncio.get_running_loop().create_future()
        self._queue.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn in self._queue:
                self._queue.remove(turn)
            elif turn.done() and not turn.cancelled() and turn.exception() is None:
                # The place was handed over in the same moment: pass it on.
                self._leave()
            raise

    def _leave(self) -> None:
        """Hand the place to the next in line, or free it. The count of running requests never exceeds the limit."""
        while self._queue:
            turn = self._queue.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._running -= 1
