"""What the records and the processes of this machine say together, as embctl's nouns. Changes nothing."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePath

from embctl.engine.native.child import UNSEEN
from embctl.engine.native.container import Container
from embctl.engine.native.home import Home
from embctl.engine.native.identity import is_alive
from embctl.engine.native.images import Images
from embctl.engine.native.records import Definition, Phase, RecordBroken, Status
from embctl.engine.ports import listening_processes, overlapping, port_owners
from embctl.model import (
    ContainerState,
    Health,
    Label,
    Observed,
    ObservedContainer,
    ObservedNetwork,
    ObservedVolume,
    Port,
    PortOwner,
    Runtime,
    StackSpec,
)

__all__ = ["Sight", "look", "observe", "port_owner", "sights"]

# What the holder of a port is called.
KIND = "service"
NOBODY_SAW = "nobody saw it end: the machine was restarted, its supervisor was killed, or the disk was full"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """A container at one moment; `orphan` runs without its supervisor."""

    container: Container
    definition: Definition
    status: Status
    state: ContainerState
    orphan: bool

    @property
    def alive(self) -> bool:
        """Whether its process runs, or is to run again in a moment."""
        return self.state in {ContainerState.RUNNING, ContainerState.RESTARTING}

    @property
    def project(self) -> str | None:
        """None when embctl did not make it."""
        return self.definition.labels.get(Label.PROJECT)

    @property
    def ports(self) -> tuple[Port, ...]:
        """The ports it has, or would have."""
        return tuple(
            Port(host_ip=address, published=published, target=target)
            for address, published, target in self.definition.ports
        )

    def observed(self) -> ObservedContainer:
        """As every engine tells it."""
        exit_code, error = self.status.exit_code, self.status.error
        if self.state is ContainerState.EXITED and (exit_code is None or self.status.phase is Phase.RUNNING):
            exit_code, error = UNSEEN, NOBODY_SAW
        began = self.status.started_at
        return ObservedContainer(
            id=self.container.id,
            name=self.definition.name,
            project=self.project,
            service=self.definition.labels.get(Label.SERVICE),
            config_hash=self.definition.labels.get(Label.CONFIG_HASH),
            image=self.definition.image,
            image_id=self.definition.image_id,
            state=self.state,
            health=Health.NONE,
            exit_code=exit_code if self.state in {ContainerState.EXITED, ContainerState.RESTARTING} else None,
            oom_killed=False,
            error=error,
            started_at=datetime.fromisoformat(began) if began else None,
            restarts=self.status.restarts,
            ports=self.ports,
            labels=self.definition.labels,
            unsupervised=self.orphan,
            mounted={
                variable: name
                for variable, value in self.definition.environment.items()
                if (name := PurePath(value).name) in self.definition.volumes
            },
        )


def look(container: Container) -> Sight | None:
    """The container now; None when it is gone."""
    status = container.status()
    while True:
        definition = container.definition()
        if status is None or definition is None:
            return None
        supervised, runs = is_alive(status.supervisor), is_alive(status.process)
        before, status = status, container.status()
        # What was told and then seen belong together only if nothing was told in between.
        if status == before:
            state = _state(status, supervised=supervised, runs=runs)
            orphan = runs and not supervised
            return Sight(container=container, definition=definition, status=status, state=state, orphan=orphan)


def sights(home: Home, project: str | None) -> list[Sight]:
    """Every container now, by name. One whose records cannot be read is an error where it is `project`'s, and is
    passed over where it is not: nobody is held up by what belongs to somebody else."""
    found = []
    for container in home.containers():
        try:
            found.append(look(container))
        except (RecordBroken, OSError):
            if project is not None and container.project() == project:
                raise
    return sorted((sight for sight in found if sight), key=lambda sight: sight.definition.name)


def observe(home: Home, images: Images, spec: StackSpec) -> Observed:
    """The state that a plan for `spec` depends on."""
    everything = sights(home, spec.project)
    names = {service.container_name for service in spec.services}
    wanted = {volume.name for volume in spec.volumes}, {network.name for network in spec.networks}
    volumes, networks = home.volumes(wanted[0]), home.networks(wanted[1])
    found = {service.image: images.find(service) for service in spec.services}
    return Observed(
        runtime=Runtime.NATIVE,
        containers=tuple(
            sight.observed() for sight in everything if sight.project == spec.project or sight.definition.name in names
        ),
        volumes=tuple(
            ObservedVolume(name=name, project=labels.get(Label.PROJECT))
            for name, labels in volumes.items()
            if labels.get(Label.PROJECT) == spec.project or name in wanted[0]
        ),
        networks=tuple(
            ObservedNetwork(name=name, project=labels.get(Label.PROJECT))
            for name, labels in networks.items()
            if labels.get(Label.PROJECT) == spec.project or name in wanted[1]
        ),
        images=tuple(image for _, image in sorted(found.items()) if image),
        port_owners=port_owners(
            (port for service in spec.services for port in service.ports),
            own=[port for sight in everything if sight.alive and sight.project == spec.project for port in sight.ports],
            others=list(_published(sight for sight in everything if sight.project != spec.project)),
            kind=KIND,
            local=True,
        ),
    )


def port_owner(home: Home, wanted: Port, *, besides: Sight) -> PortOwner | None:
    """Who holds `wanted` now, the container `besides` excepted."""
    others = (sight for sight in sights(home, besides.project) if sight.container != besides.container)
    for name, port in _published(others):
        if overlapping(wanted, port):
            return PortOwner(port=wanted.published, kind=KIND, name=name)
    return next(iter(listening_processes([wanted])), None)


def _published(found: Iterable[Sight]) -> Iterator[tuple[str, Port]]:
    for sight in found:
        if sight.alive:
            yield from ((sight.definition.name, port) for port in sight.ports)


def _state(status: Status, *, supervised: bool, runs: bool) -> ContainerState:
    # A supervisor tells of a process before that has begun; without one, what runs has begun.
    if status.phase is Phase.RUNNING if supervised else runs:
        return ContainerState.RUNNING
    if supervised and status.phase is Phase.RESTARTING:
        return ContainerState.RESTARTING
    if status.phase is Phase.CREATED or (status.phase is Phase.STARTING and not status.started_at):
        return ContainerState.CREATED
    return ContainerState.EXITED
