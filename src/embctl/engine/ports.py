"""Who holds the ports that we want: other containers, and processes of this machine. Reads, never changes anything."""

import errno
import socket
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any

from embctl.model import Port, PortOwner

__all__ = ["free_port", "listening_addresses", "listening_processes", "overlapping", "port_owners"]

EVERY_ADDRESS = frozenset({"", "0.0.0.0", "::", "[::]"})  # noqa: S104 - compared with, never bound


def overlapping(wanted: Port, taken: Port) -> bool:
    """Whether both cannot be published at once: the same number on one address, or one of them on every address."""
    if wanted.published != taken.published:
        return False
    return wanted.host_ip == taken.host_ip or bool({wanted.host_ip, taken.host_ip} & EVERY_ADDRESS)


def port_owners(
    wanted: Iterable[Port], *, own: Sequence[Port], others: Sequence[tuple[str, Port]], kind: str, local: bool
) -> tuple[PortOwner, ...]:
    """Who else holds the `wanted` ports: `others`, of that `kind`, by name with a port each, or, where ports are this
    machine's (`local`), a process. What `own` containers hold has no other owner."""
    owners, unexplained = [], []
    for port in wanted:
        # Somebody listens for our own containers: asking the machine would find just that.
        if any(overlapping(port, held) for held in own):
            continue
        names = {name for name, taken in others if overlapping(port, taken)}
        owners += [PortOwner(port=port.published, kind=kind, name=name) for name in sorted(names)]
        if not names:
            unexplained.append(port)
    return (*owners, *(listening_processes(unexplained) if local else ()))


def free_port() -> int:
    """A port of the loopback address on which nobody listened a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def listening_processes(wanted: Iterable[Port]) -> tuple[PortOwner, ...]:
    """The processes of this network namespace that make a bind to the `wanted` ports fail.

    The bind is the proof and needs no permission; a name and pid that cannot be read leave `unknown` and None.
    """
    taken = [port for port in wanted if not _can_bind(port)]
    if not taken:
        return ()
    listeners = _listeners()
    return tuple(_owner(port, listeners) for port in taken)


def listening_addresses(port: int) -> tuple[str, ...]:
    """The addresses of this machine at which somebody listens on `port`, sorted; none where that cannot be read."""
    return tuple(sorted({listener.host_ip for listener, _ in _listeners() if listener.published == port}))


def _can_bind(port: Port) -> bool:
    family = socket.AF_INET6 if ":" in port.host_ip else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        if sys.platform == "win32":  # pragma: no cover - there, REUSEADDR would let two listen
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:  # connections in TIME_WAIT hold up nobody who listens
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((port.host_ip.strip("[]"), port.published))
        except OSError as reason:
            # A low port or an address that is not ours is the engine's business: only "in use" is somebody else's.
            return reason.errno != errno.EADDRINUSE
    return True


def _listeners() -> list[tuple[Port, int | None]]:
    import psutil  # noqa: PLC0415 - costs start-up time, and only a taken port asks for it

    try:
        connections = [(connection, connection.pid) for connection in psutil.net_connections(kind="tcp")]
    except psutil.AccessDenied:  # macOS shows them all to root only, but each user those of their own processes
        connections = list(_connections_by_process())
    except (psutil.Error, OSError):
        return []
    return [
        (Port(host_ip=connection.laddr.ip, published=connection.laddr.port, target=0), pid)
        for connection, pid in connections
        if connection.laddr and connection.status == psutil.CONN_LISTEN
    ]


def _connections_by_process() -> Iterator[tuple[Any, int]]:
    import psutil  # noqa: PLC0415 - see above

    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            yield from [(connection, process.pid) for connection in process.net_connections(kind="tcp")]


def _owner(port: Port, listeners: list[tuple[Port, int | None]]) -> PortOwner:
    import psutil  # noqa: PLC0415 - see above

    for listener, pid in listeners:
        if overlapping(port, listener) and pid is not None:
            try:
                return PortOwner(port=port.published, kind="process", name=psutil.Process(pid).name(), pid=pid)
            except psutil.Error:
                return PortOwner(port=port.published, kind="process", name="unknown", pid=pid)
    return PortOwner(port=port.published, kind="process", name="unknown")
