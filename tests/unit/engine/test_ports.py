"""Who holds a port on this machine."""

import os
import socket
from typing import Any

import psutil
import pytest

from embctl.engine.ports import listening_processes, overlapping
from embctl.model import Port, PortOwner


def port(host_ip: str, published: int) -> Port:
    return Port(host_ip=host_ip, published=published, target=1)


@pytest.mark.parametrize(
    ("one", "other", "overlap"),
    [
        (port("127.0.0.1", 1), port("127.0.0.1", 1), True),
        (port("127.0.0.1", 1), port("127.0.0.1", 2), False),
        (port("127.0.0.1", 1), port("127.0.0.2", 1), False),
        (port("127.0.0.1", 1), port("0.0.0.0", 1), True),  # noqa: S104 - compared
        (port("", 1), port("127.0.0.1", 1), True),
        (port("::", 1), port("127.0.0.1", 1), True),
    ],
)
def test_ports_overlap_on_one_address_or_on_all(one: Port, other: Port, overlap: bool) -> None:
    assert overlapping(one, other) is overlap
    assert overlapping(other, one) is overlap


def test_a_listening_process_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        number = server.getsockname()[1]
        (owner,) = listening_processes([port("127.0.0.1", number)])
    assert owner == PortOwner(port=number, kind="process", name=psutil.Process().name(), pid=os.getpid())


def test_a_listener_on_every_address_holds_loopback_too() -> None:
    with socket.create_server(("", 0)) as server:
        number = server.getsockname()[1]
        assert [owner.pid for owner in listening_processes([port("127.0.0.1", number)])] == [os.getpid()]


def test_a_free_port_has_no_owner() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        number = server.getsockname()[1]
    assert listening_processes([port("127.0.0.1", number)]) == ()


def forbidden(*_: Any, **__: Any) -> None:
    raise psutil.AccessDenied


def test_where_the_list_of_all_is_forbidden_each_process_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psutil, "net_connections", forbidden)
    with socket.create_server(("127.0.0.1", 0)) as server:
        number = server.getsockname()[1]
        assert [owner.pid for owner in listening_processes([port("127.0.0.1", number)])] == [os.getpid()]


def test_an_owner_that_may_not_be_seen_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psutil, "net_connections", forbidden)
    monkeypatch.setattr(psutil.Process, "net_connections", forbidden)
    with socket.create_server(("127.0.0.1", 0)) as server:
        number = server.getsockname()[1]
        assert listening_processes([port("127.0.0.1", number)]) == (
            PortOwner(port=number, kind="process", name="unknown"),
        )
