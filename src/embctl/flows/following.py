"""The logs of services as they are written, through restarts and replacements of their containers. Shows nothing.

A stream of the engine ends with the run of its container. The service is then looked for until a container of it runs
again, the same or another one, and its log is read on from where it was left. As long as there is a container, stopped
or not, somebody may start it; following ends when no service has one any more.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from queue import Queue
from threading import Thread

from embctl.engine.base import Cancel, Engine
from embctl.errors import Failed
from embctl.flows.context import Context
from embctl.flows.parallel import received
from embctl.model import ContainerState, LogLine, Observed, ObservedContainer

__all__ = ["Following"]

# Nothing is lost in between: what a container wrote before it was seen running is read from its log.
LOOK_EVERY = 1.0
# Between an old container and its replacement there may be none for a moment.
LOOKS_FOR_A_REPLACEMENT = 3
SPEAKING = frozenset({ContainerState.RUNNING, ContainerState.PAUSED})


@dataclass(slots=True, kw_only=True)
class _Place:
    """How far one container's log was read: from `since`, or up to `last`; `run` is the start of the run read last.

    A stream ends once its run has ended and all its lines have come, so a line that is not later than `last` was seen:
    the engine is asked for times from `last` on, as lines may come closer together than times are told apart.
    """

    tail: int | None
    since: datetime | None
    last: datetime | None = None
    run: datetime | None = None

    def unread(self, engine: Engine, container: ObservedContainer, cancel: Cancel) -> Iterator[LogLine]:
        """The lines that were not read yet, until the container stops."""
        if self.tail == 0:
            # A stream that ends without a word would leave no place to go on from.
            for line in engine.logs(container, follow=False, tail=1, since=None, cancel=cancel):
                self.last = line.timestamp
            self.tail = None
        tail, self.tail, seen = self.tail, None, self.last
        for line in engine.logs(container, follow=True, tail=tail, since=seen or self.since, cancel=cancel):
            if line.timestamp and seen and line.timestamp <= seen:
                continue
            # Two output streams are stamped apart, so that times may step back a little.
            self.last = max(filter(None, (self.last, line.timestamp)), default=None)
            yield line


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ended:
    """The stream of that service's container is over."""

    service: str


class Following:
    """Follows the logs of `services`; `tail` is for the containers that are there when it begins. `found` names the
    services that have had a container."""

    def __init__(
        self,
        context: Context,
        engine: Engine,
        services: tuple[str, ...],
        *,
        tail: int | None,
        since: datetime | None,
    ) -> None:
        self.found: set[str] = set()
        self._context = context
        self._engine = engine
        self._services = services
        self._tail = tail
        self._since = since
        self._places: dict[str, _Place] = {}
        self._reading: set[str] = set()
        self._looking = False
        # Where nothing is there to begin with, nothing is being replaced.
        self._misses = LOOKS_FOR_A_REPLACEMENT
        self._come: Queue[LogLine | _Ended | Observed | Exception] = Queue()

    def lines(self) -> Iterator[LogLine]:
        """Each line once, as it comes; ends when no service has a container, or once the context is cancelled."""
        self._take(self._engine.observe(self._context.spec), tail=self._tail)
        while self._more():
            if not self._looking and self._reading != set(self._services):
                self._looking = True
                self._aside(self._look)
            match received(self._come):
                case LogLine() as line:
                    yield line
                case _Ended(service=service):
                    self._reading.discard(service)
                case Observed() as observed:
                    self._looking = False
                    self._take(observed, tail=None)
                case Exception() as error:
                    raise error

    def _more(self) -> bool:
        awaited = self._reading or self._misses < LOOKS_FOR_A_REPLACEMENT
        return bool(awaited) and not self._context.cancel.is_set()

    def _take(self, observed: Observed, *, tail: int | None) -> None:
        """Read on where there is, or may be, something new to read."""
        project = self._context.spec.project
        found = {service: observed.container_of(project, service) for service in self._services}
        containers = {service: container for service, container in found.items() if container}
        self.found.update(containers)
        self._misses = 0 if containers else self._misses + 1
        for service in containers.keys() - self._reading:
            container = containers[service]
            place = self._places.get(container.id, _Place(tail=tail, since=self._since))
            # A run may have begun and ended since the last look.
            if container.state in SPEAKING or container.started_at != place.run:
                place.run = container.started_at
                self._places[container.id] = place
                self._reading.add(service)
                self._aside(partial(self._read, service, container, place))

    def _read(self, service: str, container: ObservedContainer, place: _Place) -> None:
        try:
            for line in place.unread(self._engine, container, self._context.cancel):
                self._come.put(line)
        except Failed as error:
            if error.code != "container_gone":
                raise
        self._come.put(_Ended(service=service))

    def _look(self) -> None:
        self._context.clock.sleep(LOOK_EVERY)
        self._come.put(Observed() if self._context.cancel.is_set() else self._engine.observe(self._context.spec))

    def _aside(self, task: Callable[[], None]) -> None:
        """Do it in a thread of its own, which never holds up the exit; what it raises comes with the rest."""

        def run() -> None:
            try:
                task()
            except Exception as error:  # noqa: BLE001 - carried over to the thread that asked
                self._come.put(error)

        Thread(target=run, name="following", daemon=True).start()
