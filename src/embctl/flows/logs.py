"""The services' output, interleaved by time: `logs`."""

import heapq
from collections.abc import Callable, Collection, Iterator
from datetime import datetime

from embctl.flows.context import Context
from embctl.flows.following import Following
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
    """Hand over the lines of the services' containers, oldest first; with `follow` also those still to come, until the
    user stops it or no container is left."""
    engine = context.connect()
    lines: Iterator[LogLine]
    found: Collection[str]
    if follow:
        following = Following(context, engine, services, tail=tail, since=since)
        lines, found = following.lines(), following.found
    else:
        observed = engine.observe(context.spec)
        own = {service: observed.container_of(context.spec.project, service) for service in services}
        containers = {service: container for service, container in own.items() if container}

        def read(container: ObservedContainer) -> Iterator[LogLine]:
            return engine.logs(container, follow=False, tail=tail, since=since, cancel=context.cancel)

        lines, found = heapq.merge(*map(read, containers.values()), key=_when), containers
    count = 0
    try:
        for line in lines:
            show(line)
            count += 1
    finally:
        context.cancel.set()
    missing = tuple(f"{service} does not exist yet, so it has no log" for service in services if service not in found)
    return Result(command="logs", data=Streamed(lines=count), warnings=missing)


def _when(line: LogLine) -> datetime:
    return line.timestamp or EPOCH
