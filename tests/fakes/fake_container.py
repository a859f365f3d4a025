"""A container of the fake engine: its mutable state, and how its process behaves once started."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from embctl.engine.base import Cancel
from embctl.engine.ports import overlapping
from embctl.errors import Interrupted
from embctl.model import (
    ContainerState,
    EngineInfo,
    Health,
    Label,
    LogLine,
    ObservedContainer,
    Port,
    PortOwner,
    ResourceUse,
    Runtime,
    ServiceSpec,
    StackSpec,
)

__all__ = ["EPOCH", "INFO", "USE", "Behaviour", "FakeContainer", "owners", "port_owners", "stop_if"]

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
INFO = EngineInfo(
    runtime=Runtime.DOCKER,
    flavour="Fake Engine",
    version="1.0",
    api_version="1.41",
    address="memory://",
    origin="test",
    local=True,
    os="linux",
    architecture="x86_64",
)
USE = ResourceUse(cpu_percent=1.5, memory_anonymous=50 << 20, memory_limit=0)
ALIVE = frozenset({ContainerState.RUNNING, ContainerState.PAUSED, ContainerState.RESTARTING})


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """What a service's process does once started: print `lines`, then run on (`exit_code` None) or exit with it.

    A process that exits under a restart policy loops: `restarting`, one more restart at every inspection.
    `once_*` is what it does as a throw-away container.
    """

    lines: tuple[str, ...] = ()
    stream: str = "stdout"
    exit_code: int | None = None
    oom_killed: bool = False
    health: Health = Health.NONE
    once_lines: tuple[str, ...] = ()
    once_exit_code: int = 0


@dataclass(slots=True, kw_only=True)
class FakeContainer:
    """A container's mutable state; `spec` is None for one that was put there by the test."""

    id: str
    name: str
    image: str
    image_id: str
    labels: Mapping[str, str]
    ports: tuple[Port, ...] = ()
    restart: str = "no"
    volumes: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    spec: ServiceSpec | None = None
    state: ContainerState = ContainerState.CREATED
    health: Health = Health.NONE
    exit_code: int | None = None
    oom_killed: bool = False
    error: str = ""
    restarts: int = 0
    started_at: datetime | None = None
    unsupervised: bool = False
    mounted: Mapping[str, str] = field(default_factory=dict)
    log: list[LogLine] = field(default_factory=list)

    @property
    def alive(self) -> bool:
        """Whether it holds its ports and volumes."""
        return self.state in ALIVE

    def end(self, exit_code: int) -> None:
        """Its process ends and stays down."""
        self.state, self.health, self.exit_code = ContainerState.EXITED, Health.NONE, exit_code
        self.unsupervised = False

    def crash(self, exit_code: int, *, oom_killed: bool) -> None:
        """Its process ends by itself; the restart policy may bring it up again."""
        self.end(exit_code)
        self.oom_killed = oom_killed
        if self.restart in {"always", "unless-stopped"} or (self.restart == "on-failure" and exit_code):
            self.state, self.restarts = ContainerState.RESTARTING, self.restarts + 1

    def observed(self) -> ObservedContainer:
        """What an inspection sees now."""
        return ObservedContainer(
            id=self.id,
            name=self.name,
            project=self.labels.get(Label.PROJECT),
            service=self.labels.get(Label.SERVICE),
            config_hash=self.labels.get(Label.CONFIG_HASH),
            image=self.image,
            image_id=self.image_id,
            state=self.state,
            health=self.health,
            exit_code=self.exit_code,
            oom_killed=self.oom_killed,
            error=self.error,
            started_at=self.started_at,
            restarts=self.restarts,
            ports=self.ports,
            labels=dict(self.labels),
            unsupervised=self.unsupervised,
            mounted=dict(self.mounted),
        )


def owners(wanted: Port, others: Iterable[FakeContainer], processes: Iterable[PortOwner]) -> list[PortOwner]:
    """Who holds `wanted`: containers first, because their engine's proxy is a process too."""
    found = [
        PortOwner(port=wanted.published, kind="container", name=other.name)
        for other in others
        if any(overlapping(wanted, taken) for taken in other.ports)
    ]
    return found or [process for process in processes if process.port == wanted.published]


def port_owners(
    spec: StackSpec, alive: Sequence[FakeContainer], processes: Iterable[PortOwner]
) -> tuple[PortOwner, ...]:
    """Who else holds the ports that the stack wants; those that its own containers hold are theirs."""
    own = [container for container in alive if container.labels.get(Label.PROJECT) == spec.project]
    others = [container for container in alive if container.labels.get(Label.PROJECT) != spec.project]
    held = [port for container in own for port in container.ports]
    wanted = [port for service in spec.services for port in service.ports]
    free = [port for port in wanted if not any(overlapping(port, taken) for taken in held)]
    return tuple(owner for port in free for owner in owners(port, others, processes))


def stop_if(cancel: Cancel) -> None:
    """What a long call does once the user cancelled it."""
    if cancel.is_set():
        raise Interrupted("Interrupted.", code="interrupted")
