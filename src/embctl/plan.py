"""A plan as data: operations, each one engine call with its cause, in an order that respects what waits for what.
Printable and pure; `reconcile` decides what goes into one, `apply` walks it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from embctl.model import ObservedContainer

__all__ = ["MODEL_SERVICE", "Draft", "Goal", "Operation", "Plan", "Request", "Verb"]

MODEL_SERVICE = "jina"


class Goal(StrEnum):
    """Where the services should end up."""

    UP = "up"
    STOPPED = "stopped"
    ABSENT = "absent"
    FETCHED = "fetched"


class Verb(StrEnum):
    """The operations; each is one engine call."""

    CREATE_NETWORK = "CreateNetwork"
    CREATE_VOLUME = "CreateVolume"
    PULL_IMAGE = "PullImage"
    BUILD_IMAGE = "BuildImage"
    FETCH_MODEL = "FetchModel"
    CREATE_CONTAINER = "CreateContainer"
    RENAME_CONTAINER = "RenameContainer"
    START_CONTAINER = "StartContainer"
    STOP_CONTAINER = "StopContainer"
    REMOVE_CONTAINER = "RemoveContainer"
    REMOVE_NETWORK = "RemoveNetwork"
    REMOVE_VOLUME = "RemoveVolume"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What the user asked for. `restart` stops and starts what already runs; `volumes` lets volumes go (ABSENT
    only)."""

    goal: Goal
    services: tuple[str, ...]
    restart: bool = False
    volumes: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One engine call. `target` is what it acts on as the user knows it; `name` is what the engine is given: a
    container id (the name to be when it is created), an image reference, a volume or network name; empty for the
    container that the same plan makes for `service`.

    It runs once everything in `after` succeeded. One with `unless` puts things back: it runs only when that operation
    failed or could not be tried."""

    id: int
    verb: Verb
    target: str
    cause: str
    name: str
    service: str | None = None
    after: tuple[int, ...] = ()
    unless: int | None = None

    def __str__(self) -> str:
        after = f" <- {', '.join(f'#{number}' for number in self.after)}" if self.after else ""
        unless = f", unless #{self.unless}" if self.unless else ""
        return f"#{self.id} {self.target}, {self.verb}, {self.cause}{after}{unless}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Operations in an order that respects their dependencies."""

    operations: tuple[Operation, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.operations)

    def __str__(self) -> str:
        return "\n".join(map(str, self.operations)) if self.operations else "nothing to do"


@dataclass(slots=True)
class Draft:
    """A plan in the making; numbers operations as they come and returns the numbers."""

    operations: list[Operation] = field(default_factory=list)

    def add(
        self,
        verb: Verb,
        target: str,
        cause: str,
        *,
        name: str = "",
        service: str | None = None,
        after: Iterable[int] = (),
        unless: int | None = None,
    ) -> int:
        """Any operation."""
        number = len(self.operations) + 1
        self.operations.append(
            Operation(
                id=number,
                verb=verb,
                target=target,
                cause=cause,
                name=name,
                service=service,
                after=tuple(sorted(set(after))),
                unless=unless,
            )
        )
        return number

    def on_service(
        self,
        verb: Verb,
        service: str,
        cause: str,
        *,
        name: str = "",
        after: Iterable[int] = (),
        unless: int | None = None,
    ) -> int:
        """An operation on a service's container."""
        return self.add(verb, f"service:{service}", cause, name=name, service=service, after=after, unless=unless)

    def discard(self, container: ObservedContainer, cause: str, *, after: Iterable[int] = ()) -> int:
        """Stop (when alive) and remove a container of ours; the number of the removal."""
        service = container.service
        target = f"service:{service}" if service else f"container:{container.name}"
        if container.alive:
            after = [self.add(Verb.STOP_CONTAINER, target, cause, name=container.id, service=service, after=after)]
        return self.add(Verb.REMOVE_CONTAINER, target, cause, name=container.id, service=service, after=after)

    def finished(self) -> Plan:
        """The plan."""
        return Plan(operations=tuple(self.operations))
