"""The nouns that flow through embctl: what is wanted (specs) and what is there (observations). Data only, no behaviour
beyond lookups; sizes are bytes, durations seconds, times timezone-aware UTC."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path

__all__ = [
    "BuildSpec",
    "ContainerState",
    "EngineInfo",
    "Health",
    "HealthcheckSpec",
    "Label",
    "LogLine",
    "Mount",
    "MountKind",
    "NativeSpec",
    "NetworkSpec",
    "Observed",
    "ObservedContainer",
    "ObservedImage",
    "ObservedNetwork",
    "ObservedVolume",
    "Port",
    "PortOwner",
    "ResourceUse",
    "Runtime",
    "ServiceSpec",
    "StackSpec",
    "Ulimit",
    "VolumeSpec",
]


class Label(StrEnum):
    """The labels by which embctl recognises its own; whatever lacks PROJECT is foreign and never touched."""

    PROJECT = "io.embctl.project"
    SERVICE = "io.embctl.service"
    CONFIG_HASH = "io.embctl.config-hash"
    VERSION = "io.embctl.version"
    BUILD_HASH = "io.embctl.build-hash"
    STAND_IN = "io.embctl.stand-in"


class Runtime(StrEnum):
    """What runs the services: containers, processes of this machine, or whichever of them there is."""

    AUTO = "auto"
    DOCKER = "docker"
    NATIVE = "native"


class MountKind(StrEnum):
    """Named volumes and tmpfs only: bind mounts corrupt a database on some hosts and mean nothing to a remote
    engine."""

    VOLUME = "volume"
    TMPFS = "tmpfs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Port:
    """A published TCP port."""

    host_ip: str
    published: int
    target: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """A volume (`source` is the engine-wide volume name) or a tmpfs (`source` is empty) at `target`."""

    kind: MountKind
    source: str = ""
    target: str
    read_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthcheckSpec:
    """`test` as the engine takes it: ("CMD", ...) or ("CMD-SHELL", ...)."""

    test: tuple[str, ...]
    interval: float
    timeout: float
    retries: int
    start_period: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Ulimit:
    """A process limit such as `nofile`."""

    name: str
    soft: int
    hard: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildSpec:
    """How an image is made: `context` is an absolute folder, `files` the paths in it that belong, the Dockerfile
    included (relative, with slashes), `digest` a hash over those files and the options."""

    context: Path
    dockerfile: str
    target: str | None
    args: Mapping[str, str]
    files: tuple[str, ...]
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NativeSpec:
    """How a service runs as a process of this machine: `module` of embctl's own Python environment; `environment` is
    laid over the service's; `folders` maps variables to the engine-wide names of the volumes whose folders they
    give."""

    module: str
    environment: Mapping[str, str]
    folders: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSpec:
    """One service as its compose file defines it, every variable substituted.

    `config_hash` covers everything that a running container depends on, `native_hash` everything that a process does;
    where the one of the runtime at hand is the same, nothing needs to be made anew.
    `labels` are the definition's own; the engine adds the `Label`s and compose's. `container_runtime` is the program by
    which the engine runs the container, such as "runc" or "nvidia"; empty for the engine's own.
    """

    name: str
    image: str
    build: BuildSpec | None
    container_name: str
    command: tuple[str, ...] | None
    entrypoint: tuple[str, ...] | None
    environment: Mapping[str, str]
    user: str | None
    ports: tuple[Port, ...]
    mounts: tuple[Mount, ...]
    networks: tuple[str, ...]
    healthcheck: HealthcheckSpec | None
    init: bool
    read_only: bool
    restart: str
    container_runtime: str
    stop_grace_period: float
    mem_limit: int
    memswap_limit: int
    pids_limit: int
    ulimits: tuple[Ulimit, ...]
    cap_drop: tuple[str, ...]
    security_opt: tuple[str, ...]
    log_driver: str
    log_options: Mapping[str, str]
    labels: Mapping[str, str]
    native: NativeSpec | None
    compose_file: Path
    config_hash: str
    native_hash: str

    @property
    def volumes(self) -> tuple[str, ...]:
        """The engine-wide names of the volumes that it has anything to do with."""
        mounted = {mount.source for mount in self.mounts if mount.kind is MountKind.VOLUME}
        return tuple(sorted(mounted.union(self.native.folders.values() if self.native else ())))

    def program_on(self, runtime: Runtime) -> str:
        """What runs there: an image, or a module beside embctl."""
        return self.native.module if runtime is Runtime.NATIVE and self.native else self.image

    def hash_on(self, runtime: Runtime) -> str:
        """The hash that counts on `runtime`."""
        return self.native_hash if runtime is Runtime.NATIVE else self.config_hash


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeSpec:
    """A named volume: `key` in the compose file, `name` on the engine."""

    key: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkSpec:
    """A bridge network: `key` in the compose file, `name` on the engine."""

    key: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StackSpec:
    """Everything that should exist for one project."""

    project: str
    services: tuple[ServiceSpec, ...]
    volumes: tuple[VolumeSpec, ...]
    networks: tuple[NetworkSpec, ...]

    def service(self, name: str) -> ServiceSpec:
        """The service of that name; KeyError when the definition has none."""
        for service in self.services:
            if service.name == name:
                return service
        raise KeyError(name)


class ContainerState(StrEnum):
    """The engine's own states."""

    CREATED = "created"
    RUNNING = "running"
    PAUSED = "paused"
    RESTARTING = "restarting"
    REMOVING = "removing"
    EXITED = "exited"
    DEAD = "dead"


class Health(StrEnum):
    """The verdict of the engine's healthcheck."""

    NONE = "none"
    STARTING = "starting"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineInfo:
    """The engine that answered: `runtime` (docker or native), `flavour` (Docker Engine, Docker Desktop, Podman, ...),
    `address` dialled, `origin` of that address (DOCKER_HOST, context NAME, socket, ...), `local` when its published
    ports are this machine's. `data_root` is the folder of its volumes on its own machine; empty where it tells none."""

    runtime: Runtime
    flavour: str
    version: str
    api_version: str
    address: str
    origin: str
    local: bool
    os: str
    architecture: str
    data_root: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedContainer:
    """A container as inspected. `project` and `service` come from our labels; None means foreign. `unsupervised` is a
    process that runs on though what should look after it is gone; containers never are. `mounted` are its volumes'
    names (of anything else the host's path) by where it finds them: a folder in a container, natively a variable."""

    id: str
    name: str
    project: str | None
    service: str | None
    config_hash: str | None
    image: str
    image_id: str
    state: ContainerState
    health: Health
    exit_code: int | None
    oom_killed: bool
    error: str
    started_at: datetime | None
    restarts: int
    ports: tuple[Port, ...]
    labels: Mapping[str, str]
    unsupervised: bool = False
    mounted: Mapping[str, str] = field(default_factory=dict)

    @property
    def alive(self) -> bool:
        """Whether it holds its ports and is in the way of another one."""
        return self.state in (ContainerState.RUNNING, ContainerState.PAUSED, ContainerState.RESTARTING)


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedVolume:
    """A named volume; `project` from our label, None when foreign."""

    name: str
    project: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedNetwork:
    """A network; `project` from our label, None when foreign."""

    name: str
    project: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedImage:
    """An image that the engine holds under `reference`."""

    reference: str
    id: str
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class PortOwner:
    """Who listens on a port that we want: a container or a local process (`pid` None when it cannot be read)."""

    port: int
    kind: str
    name: str
    pid: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """The engine's state, taken once: the project's containers, volumes and networks (also those of services no longer
    defined), foreign ones that hold a name we need, the images we need that exist, and who owns the ports we need.
    `runtime` is what the engine runs services as."""

    runtime: Runtime = Runtime.DOCKER
    containers: tuple[ObservedContainer, ...] = ()
    volumes: tuple[ObservedVolume, ...] = ()
    networks: tuple[ObservedNetwork, ...] = ()
    images: tuple[ObservedImage, ...] = ()
    port_owners: tuple[PortOwner, ...] = ()

    def containers_of(self, project: str, service: str) -> tuple[ObservedContainer, ...]:
        """The project's own containers for that service, by name: one, or two while one replaces the other."""
        own = (each for each in self.containers if each.project == project and each.service == service)
        return tuple(sorted(own, key=lambda container: container.name))

    def container_of(self, project: str, service: str) -> ObservedContainer | None:
        """The container that counts as that service's, if any: the living one of two, else the first."""
        own = self.containers_of(project, service)
        return next((container for container in own if container.alive), own[0] if own else None)

    def image(self, reference: str) -> ObservedImage | None:
        """The image held under exactly that reference, if any."""
        for image in self.images:
            if image.reference == reference:
                return image
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceUse:
    """One sample: CPU in percent of one core; `memory_anonymous` excludes page cache; `memory_limit` 0 when
    unlimited."""

    cpu_percent: float
    memory_anonymous: int
    memory_limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """One line of a container's output, without its newline; `stream` is stdout or stderr."""

    service: str
    text: str
    stream: str = "stdout"
    timestamp: datetime | None = field(default=None)
