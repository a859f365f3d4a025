"""A container engine in memory that keeps the promises of `embctl.engine.base.Engine`; the contract suite holds it to
a real one. Tests script it (`behave`, `fail`, `add_container`, `crash`) and read what happened (`calls`, `mutations`).

Thread-safe, because independent operations of a plan run in parallel.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from embctl.conflicts import port_taken
from embctl.engine.base import Cancel, OnProgress
from embctl.engine.labels import container_labels, oneoff_labels
from embctl.errors import Conflict, EngineUnreachable, Failed
from embctl.events import Progress
from embctl.model import (
    ContainerState,
    EngineInfo,
    Label,
    LogLine,
    MountKind,
    NetworkSpec,
    Observed,
    ObservedContainer,
    ObservedImage,
    ObservedNetwork,
    ObservedVolume,
    Port,
    PortOwner,
    ResourceUse,
    ServiceSpec,
    StackSpec,
    VolumeSpec,
)
from fakes.fake_container import EPOCH, INFO, USE, Behaviour, FakeContainer, owners, port_owners, stop_if
from fakes.hooks import Hooks

__all__ = ["Behaviour", "FakeContainer", "FakeEngine"]

READING = frozenset({"info", "observe", "inspect", "logs", "stats", "close"})


class FakeEngine:
    """`images` exist from the start; `registry` is what can be pulled (None: everything)."""

    def __init__(self, *, images: tuple[str, ...] = (), registry: frozenset[str] | None = None) -> None:
        self.runtime = INFO.runtime
        self.containers: dict[str, FakeContainer] = {}
        self.volumes: dict[str, ObservedVolume] = {}
        self.networks: dict[str, ObservedNetwork] = {}
        self.images: dict[str, ObservedImage] = {}
        self.processes: list[PortOwner] = []
        self.calls: list[tuple[str, str]] = []
        self.unreachable = False
        self.closed = False
        self.use = USE
        self._registry = registry
        self._behaviours: dict[str, Behaviour] = {}
        self._hooks = Hooks()
        self._changed = threading.Condition(threading.RLock())
        self._ids = 0
        self._seconds = 0
        for reference in images:
            self.add_image(reference)

    # What tests arrange.

    def behave(self, service: str, behaviour: Behaviour) -> None:
        """Every later start of a container of `service` behaves so."""
        self._behaviours[service] = behaviour

    def on(
        self, method: str, action: Callable[[], None], *, target: str | None = None, times: int | None = None
    ) -> None:
        """Call `action` when `method` begins (for `target` only), at most `times` times; it may raise or block."""
        self._hooks.add(method, target, action, times)

    def fail(self, method: str, error: Exception, *, target: str | None = None, times: int | None = None) -> None:
        """Let `method` raise `error`, having done nothing; `target` is the name of the container, image, volume, ..."""

        def action() -> None:
            raise error

        self.on(method, action, target=target, times=times)

    def add_image(self, reference: str, *, labels: Mapping[str, str] | None = None) -> None:
        """An image that is there already; one put in place of another has another id."""
        self.images[reference] = ObservedImage(
            reference=reference, id=self._new_id("sha256:"), labels=dict(labels or {})
        )

    def add_container(
        self,
        name: str,
        *,
        labels: Mapping[str, str] | None = None,
        ports: tuple[Port, ...] = (),
        state: ContainerState = ContainerState.RUNNING,
        image: str = "somebody/else:1",
    ) -> FakeContainer:
        """A container that embctl did not create, unless `labels` say so."""
        with self._changed:
            container = FakeContainer(
                id=self._new_id(),
                name=name,
                image=image,
                image_id=f"sha256:{image}",
                labels=dict(labels or {}),
                ports=ports,
                state=state,
            )
            self.containers[container.id] = container
            return container

    def add_process(self, port: int, name: str, pid: int | None = None) -> None:
        """A process of this machine that listens on `port`."""
        self.processes.append(PortOwner(port=port, kind="process", name=name, pid=pid))

    def crash(self, name: str, *, exit_code: int = 137, oom_killed: bool = False) -> None:
        """The process of container `name` dies now; its restart policy applies."""
        with self._changed:
            self.named(name).crash(exit_code, oom_killed=oom_killed)
            self._changed.notify_all()

    def pause(self, container_id: str) -> None:
        """Somebody freezes that container."""
        self._get(container_id).state = ContainerState.PAUSED

    def say(self, name: str, *lines: str, stream: str = "stdout") -> None:
        """Container `name` prints `lines`."""
        with self._changed:
            container = self.named(name)
            service = container.labels.get(Label.SERVICE, container.name)
            container.log += [
                LogLine(service=service, text=line, stream=stream, timestamp=self._now()) for line in lines
            ]
            self._changed.notify_all()

    @property
    def mutations(self) -> list[tuple[str, str]]:
        """The calls that change something, as (method, name of the thing), in order."""
        return [call for call in self.calls if call[0] not in READING]

    def named(self, name: str) -> FakeContainer:
        """The container of that name; KeyError when there is none."""
        for container in self.containers.values():
            if container.name == name:
                return container
        raise KeyError(name)

    # The Engine protocol.

    def info(self) -> EngineInfo:
        with self._call("info"):
            return replace(INFO, runtime=self.runtime)

    def observe(self, spec: StackSpec) -> Observed:
        with self._call("observe", spec.project):
            containers = [container.observed() for container in self.containers.values()]
            names = {service.container_name for service in spec.services}
            names |= {volume.name for volume in spec.volumes} | {network.name for network in spec.networks}
            references = {service.image for service in spec.services}

            def matters(thing: ObservedContainer | ObservedVolume | ObservedNetwork) -> bool:
                return thing.project == spec.project or thing.name in names

            return Observed(
                runtime=self.runtime,
                containers=tuple(sorted(filter(matters, containers), key=lambda container: container.name)),
                volumes=tuple(volume for _, volume in sorted(self.volumes.items()) if matters(volume)),
                networks=tuple(network for _, network in sorted(self.networks.items()) if matters(network)),
                images=tuple(image for name, image in sorted(self.images.items()) if name in references),
                port_owners=port_owners(spec, self._others(lambda _: False), self.processes),
            )

    def inspect(self, container_id: str) -> ObservedContainer:
        with self._call("inspect", self._name_of(container_id)):
            container = self._get(container_id)
            if container.state is ContainerState.RESTARTING:
                container.restarts += 1
            return container.observed()

    def pull_image(self, reference: str, on_progress: OnProgress, cancel: Cancel) -> None:
        with self._call("pull_image", reference):
            stop_if(cancel)
            if self._registry is not None and reference not in self._registry:
                raise Failed(f"The image {reference} could not be pulled: not found.", code="pull_failed")
            for done in (50, 100):
                on_progress(Progress(text=reference, done=done << 20, total=100 << 20, unit="B"))
                stop_if(cancel)
            self.add_image(reference)

    def build_image(self, service: ServiceSpec, on_progress: OnProgress, cancel: Cancel) -> None:
        with self._call("build_image", service.image):
            if service.build is None:
                raise ValueError(f"{service.name} has nothing to build")
            for step in (1, 2):
                stop_if(cancel)
                on_progress(Progress(text=f"RUN step {step}", done=step - 1, total=2, unit="steps"))
            stop_if(cancel)
            self.add_image(service.image, labels={Label.BUILD_HASH: service.build.digest})
            on_progress(Progress(text=service.image, done=2, total=2, unit="steps"))

    def create_network(self, project: str, network: NetworkSpec) -> None:
        with self._call("create_network", network.name):
            if network.name in self.networks:
                raise Conflict(f"A network named {network.name} exists already.", code="network_taken")
            self.networks[network.name] = ObservedNetwork(name=network.name, project=project)

    def create_volume(self, project: str, volume: VolumeSpec) -> None:
        with self._call("create_volume", volume.name):
            self.volumes.setdefault(volume.name, ObservedVolume(name=volume.name, project=project))

    def create_container(self, project: str, service: ServiceSpec) -> str:
        with self._call("create_container", service.container_name):
            return self._create(service, service.container_name, container_labels(project, service, self.runtime)).id

    def rename_container(self, container_id: str, name: str) -> None:
        with self._call("rename_container", self._name_of(container_id)):
            self._refuse_taken(name)
            self._get(container_id).name = name

    def start_container(self, container_id: str) -> None:
        with self._call("start_container", self._name_of(container_id)):
            container = self._get(container_id)
            if container.state is ContainerState.PAUSED:
                container.state = ContainerState.RUNNING
            container.unsupervised = False
            if container.alive:
                return
            self._refuse_what_is_missing_or_taken(container)
            behaviour = self._behaviour(container)
            container.state, container.health = ContainerState.RUNNING, behaviour.health
            container.exit_code, container.oom_killed = None, False
            container.started_at, container.restarts = self._now(), 0
            self.say(container.name, *behaviour.lines, stream=behaviour.stream)
            if behaviour.exit_code is not None:
                container.crash(behaviour.exit_code, oom_killed=behaviour.oom_killed)

    def stop_container(self, container_id: str, grace: float) -> None:
        with self._call("stop_container", self._name_of(container_id)):
            container = self._get(container_id)
            if container.alive:
                container.end(143 if grace > 0 else 137)
                self._changed.notify_all()

    def remove_container(self, container_id: str) -> None:
        with self._call("remove_container", self._name_of(container_id)):
            container = self.containers.get(container_id)
            if container is None:
                return
            if container.alive:
                raise Failed(f"The container {container.name} is running.", code="container_running")
            del self.containers[container_id]

    def remove_network(self, name: str) -> None:
        with self._call("remove_network", name):
            if any(container.alive and name in container.networks for container in self.containers.values()):
                raise Failed(f"The network {name} is in use.", code="network_in_use")
            self.networks.pop(name, None)

    def remove_volume(self, name: str) -> None:
        with self._call("remove_volume", name):
            if any(name in container.volumes for container in self.containers.values()):
                raise Failed(f"The volume {name} is in use.", code="volume_in_use")
            self.volumes.pop(name, None)

    def run_once(
        self,
        project: str,
        service: ServiceSpec,
        command: tuple[str, ...],
        on_line: Callable[[str], None],
        cancel: Cancel,
    ) -> int:
        with self._call("run_once", service.container_name):
            name = f"{service.container_name}-run-{self._new_id()[-4:]}"
            container = self._create(
                replace(service, command=command, ports=()), name, oneoff_labels(project, service, self.runtime)
            )
            try:
                behaviour = self._behaviours.get(service.name, Behaviour())
                for line in behaviour.once_lines:
                    stop_if(cancel)
                    on_line(line)
                stop_if(cancel)
                return behaviour.once_exit_code
            finally:
                del self.containers[container.id]

    def logs(
        self,
        container: ObservedContainer,
        *,
        follow: bool,
        tail: int | None,
        since: datetime | None,
        cancel: Cancel,
    ) -> Iterator[LogLine]:
        with self._call("logs", container.name):
            record = self._get(container.id)
            lines = [line for line in record.log if since is None or (line.timestamp or EPOCH) >= since]
            seen = len(record.log)
        yield from lines if tail is None else lines[len(lines) - min(tail, len(lines)) :]
        while follow and not cancel.is_set():
            with self._changed:
                fresh = record.log[seen:]
                seen += len(fresh)
                if not fresh:
                    if not record.alive or record.id not in self.containers:
                        return
                    self._changed.wait(timeout=0.01)  # `cancel` cannot notify this condition
            yield from fresh

    def stats(self, container_id: str) -> ResourceUse:
        with self._call("stats", self._name_of(container_id)):
            container = self._get(container_id)
            return replace(self.use, memory_limit=container.spec.mem_limit if container.spec else 0)

    def close(self) -> None:
        self.closed = True

    # How it works inside.

    def _call(self, method: str, target: str = "") -> threading.Condition:
        """Record a call and play the hooks outside the lock, so that one that blocks holds up nobody else."""
        with self._changed:
            self.calls.append((method, target))
            due = self._hooks.due(method, target)
        for action in due:
            action()
        if self.unreachable:
            raise EngineUnreachable("The engine went away.", code="engine_unreachable", retryable=True)
        return self._changed

    def _new_id(self, prefix: str = "") -> str:
        self._ids += 1
        return f"{prefix}{self._ids:064x}"

    def _now(self) -> datetime:
        self._seconds += 1
        return EPOCH + timedelta(seconds=self._seconds)

    def _get(self, container_id: str) -> FakeContainer:
        container = self.containers.get(container_id)
        if container is None:
            raise Failed(f"The container {container_id[:12]} no longer exists.", code="container_gone", retryable=True)
        return container

    def _name_of(self, container_id: str) -> str:
        container = self.containers.get(container_id)
        return container.name if container else container_id

    def _behaviour(self, container: FakeContainer) -> Behaviour:
        return self._behaviours.get(container.spec.name, Behaviour()) if container.spec else Behaviour()

    def _create(self, service: ServiceSpec, name: str, labels: Mapping[str, str]) -> FakeContainer:
        if service.image not in self.images:
            raise Failed(f"The image {service.image} is not on the engine.", code="image_missing")
        self._refuse_taken(name)
        volumes = tuple(mount.source for mount in service.mounts if mount.kind is MountKind.VOLUME)
        for volume in volumes:  # an engine makes the missing ones itself, without labels
            self.volumes.setdefault(volume, ObservedVolume(name=volume, project=None))
        container = FakeContainer(
            id=self._new_id(),
            name=name,
            image=service.image,
            image_id=self.images[service.image].id,
            labels=labels,
            ports=service.ports,
            restart=service.restart,
            volumes=volumes,
            networks=service.networks,
            spec=service,
            mounted={mount.target: mount.source for mount in service.mounts if mount.kind is MountKind.VOLUME},
        )
        self.containers[container.id] = container
        return container

    def _refuse_taken(self, name: str) -> None:
        if any(container.name == name for container in self.containers.values()):
            raise Conflict(f"A container named {name} exists already.", code="name_taken")

    def _refuse_what_is_missing_or_taken(self, container: FakeContainer) -> None:
        for network in container.networks:
            if network not in self.networks:
                raise Failed(f"The network {network} does not exist.", code="network_missing")
        for port in container.ports:
            for owner in owners(port, self._others(lambda other: other is container), self.processes):
                raise port_taken(container.labels.get(Label.SERVICE, container.name), port.published, owner)

    def _others(self, left_out: Callable[[FakeContainer], bool]) -> list[FakeContainer]:
        return [container for container in self.containers.values() if container.alive and not left_out(container)]
