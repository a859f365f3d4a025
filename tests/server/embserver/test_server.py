"""How the server starts to listen and how it takes a signal."""

import asyncio
import os
import signal
import socket

import pytest
from fastapi import FastAPI

from embserver.failures import StartFailed
from embserver.server import Server, listen


def test_port_0_takes_a_free_one_and_a_taken_one_is_named() -> None:
    with listen("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        assert port > 0
        with pytest.raises(StartFailed, match=f"127.0.0.1:{port}: .*EMBSERVER_PORT"):
            listen("127.0.0.1", port)


def test_an_address_of_version_6_is_listened_on_too() -> None:
    if not socket.has_ipv6:
        pytest.skip("this machine has no IPv6")
    with listen("::1", 0) as listener:
        assert listener.family is socket.AF_INET6


def test_no_packet_of_an_answer_waits_for_the_one_before() -> None:
    with (
        listen("127.0.0.1", 0) as listener,
        socket.create_connection(listener.getsockname()),
        listener.accept()[0] as accepted,
    ):
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_a_signal_is_passed_on_at_once_and_then_ends_the_server() -> None:
    # uvicorn raises the signal again when it is done: without a handler of ours, that would end the tests.
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)

    async def scenario() -> None:
        stopping = asyncio.Event()
        server = Server(FastAPI(), stopping=stopping.set)
        serving = asyncio.create_task(server.serve([listen("127.0.0.1", 0)]))
        while not server.started:  # noqa: ASYNC110 - a plain flag of uvicorn's
            await asyncio.sleep(0)
        os.kill(os.getpid(), signal.SIGTERM)
        await serving
        assert stopping.is_set()

    try:
        asyncio.run(scenario())
    finally:
        signal.signal(signal.SIGTERM, before)
