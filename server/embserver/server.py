"""uvicorn, told how this server stops: no new connections, answers for those in work, gone within ten seconds."""

import asyncio
import socket
from collections.abc import Callable
from types import FrameType

import uvicorn
from fastapi import FastAPI

from embserver import log
from embserver.failures import StartFailed

__all__ = ["Server", "listen"]

_log = log.named("server")
_GRACE_SECONDS = 8
_BACKLOG = 2048
# Longer than clients keep an idle connection: whoever closes second never writes into a closed one.
_IDLE_SECONDS = 75


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes any free one. Raises StartFailed, naming the address and the reason."""
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.create_server((host, port), family=family, backlog=_BACKLOG)
        # Its connections take it over; asyncio sets it only on sockets that name their protocol. Without it the second
        # packet of an answer waits 40 ms for the acknowledgement of the first.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except OSError as error:
        raise StartFailed(
            f"Cannot listen on {host}:{port}: {error.strerror or error}. Stop what listens there, or choose another "
            "address with EMBSERVER_HOST and EMBSERVER_PORT."
        ) from error
    # The port asked for may have been 0, and then nobody else knows it.
    log.event(_log, "listening", host=host, port=listener.getsockname()[1])
    return listener


class Server(uvicorn.Server):
    """One application on one socket; `stopping` is called on its loop as soon as a signal asks for the end."""

    def __init__(self, app: FastAPI, *, stopping: Callable[[], None]) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_keep_alive=_IDLE_SECONDS,
                timeout_graceful_shutdown=_GRACE_SECONDS,
            )
        )
        self._stopping = stopping
        self._loop: asyncio.AbstractEventLoop | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start the application and answer on the sockets."""
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Take the signal: those in work are finished, those in the queue hear at once that they are not."""
        super().handle_exit(sig, frame)
        if self._loop is not None:
            # Not from here: a signal may interrupt the very write of a log line.
            self._loop.call_soon_threadsafe(self._stop, sig)

    def _stop(self, sig: int) -> None:
        log.event(_log, "stopping", signal=sig, grace_seconds=_GRACE_SECONDS)
        self._stopping()
