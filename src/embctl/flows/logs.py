"""The services' output, interleaved by time: `logs`."""

import heapq
from collections.abc import Callable, Iterator
from datetime import datetime
from queue import Queue
from threading import Thread

from embctl.flows.context import Context
from embctl.flows.parallel import received
from embctl.model import LogLine, ObservedContainer
from embctl.outcomes import Streamed
from embctl.result import Result

__all__ = ["logs"]

EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


def logs(
    context: Context,
    services: tuple[str, ...],
    show: Callable[[LogLine], None],
    *,
    follow: bool = False,
    tail: int | None = None,
    since: datetime | None = None,
) -> Result[Streamed]:
    """Hand over the lines of the services' containers, oldest first; with `follow` until they end or the user stops."""
    engine = context.connect()
    observed = engine.observe(context.spec)
    found = (observed.container_of(context.spec.project, service) for service in services)
    containers = [container for container in found if container]

    def read(container: ObservedContainer) -> Iterator[LogLine]:
        return engine.logs(container, follow=follow, tail=tail, since=since, cancel=context.cancel)

    lines = _as_they_come(context, containers, read) if follow else heapq.merge(*map(read, containers), key=_when)
    count = 0
    try:
        for line in lines:
            show(line)
            count += 1
    finally:
        context.cancel.set()
    missing = tuple(f"{service} has no container, so no log" for service in services if not _has(containers, service))
    return Result(command="logs", data=Streamed(lines=count), warnings=missing)


def _when(line: LogLine) -> datetime:
    return line.timestamp or EPOCH


def _has(containers: list[ObservedContainer], service: str) -> bool:
    return any(container.service == service for container in containers)


def _as_they_come(
    context: Context, containers: list[ObservedContainer], read: Callable[[ObservedContainer], Iterator[LogLine]]
) -> Iterator[LogLine]:
    """The lines of several endless streams, each read by a thread of its own."""
    queue: Queue[LogLine | Exception | None] = Queue()

    def pump(container: ObservedContainer) -> None:
        try:
            for line in read(container):
                queue.put(line)
        except Exception as error:  # noqa: BLE001  (carried over to the thread that asked)
            queue.put(error)
        queue.put(None)

    for container in containers:
        Thread(target=pump, args=(container,), daemon=True).start()
    open_streams = len(containers)
    while open_streams:
        item = received(queue)
        if item is None:
            open_streams -= 1
        elif isinstance(item, Exception):
            if not context.cancel.is_set():
                raise item
        else:
            yield item
