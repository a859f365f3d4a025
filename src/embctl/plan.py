"""What has to happen, decided in one place: `reconcile(spec, observed, request) -> Plan`, pure and printable.

Every operation is one engine call with its cause; `after` names the operations that must succeed first. Nothing here
talks to an engine, and nothing below may decide anything."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from embctl.conflicts import port_taken
from embctl.errors import Conflict
from embctl.model import ContainerState, Label, Observed, ObservedContainer, PortOwner, ServiceSpec, StackSpec

__all__ = ["MODEL_SERVICE", "Goal", "Operation", "Plan", "Request", "Verb", "reconcile"]

MODEL_SERVICE = "jina"
_ALIVE = {ContainerState.RUNNING, ContainerState.PAUSED, ContainerState.RESTARTING}


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
    container id, an image reference, a volume or network name; empty when the container is made earlier in the same
    plan."""

    id: int
    verb: Verb
    target: str
    cause: str
    name: str
    service: str | None = None
    after: tuple[int, ...] = ()

    def __str__(self) -> str:
        after = f" <- {', '.join(f'#{number}' for number in self.after)}" if self.after else ""
        return f"#{self.id} {self.target}, {self.verb}, {self.cause}{after}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Operations in an order that respects their dependencies."""

    operations: tuple[Operation, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.operations)

    def __str__(self) -> str:
        return "\n".join(map(str, self.operations)) if self.operations else "nothing to do"


@dataclass(slots=True)
class _Draft:
    """A plan in the making; numbers operations as they come."""

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
    ) -> int:
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
            )
        )
        return number


def reconcile(spec: StackSpec, observed: Observed, request: Request) -> Plan:
    """The operations that turn `observed` into what `request` asks of `spec`; an empty plan when nothing differs.

    Raises Conflict when a port or container name that would be needed belongs to somebody else.
    """
    draft = _Draft()
    services = tuple(spec.service(name) for name in request.services)
    match request.goal:
        case Goal.UP:
            _refuse_conflicts(spec, observed, services)
            _remove_leftovers(draft, spec, observed)
            _bring_up(draft, spec, observed, services, restart=request.restart)
        case Goal.STOPPED:
            for service in services:
                container = observed.container_of(spec.project, service.name)
                if container and container.state in _ALIVE:
                    _stop(draft, container, service.name, "asked to stop")
        case Goal.ABSENT:
            _take_down(draft, spec, observed, volumes=request.volumes)
        case Goal.FETCHED:
            _remove_leftovers(draft, spec, observed)
            _fetch(draft, spec, observed, services)
    return Plan(operations=tuple(draft.operations))


def _refuse_conflicts(spec: StackSpec, observed: Observed, services: tuple[ServiceSpec, ...]) -> None:
    for service in services:
        holder = next(
            (c for c in observed.containers if c.name == service.container_name and c.project != spec.project), None
        )
        if holder:
            raise Conflict(
                f"The container name {service.container_name} is taken by a container that embctl did not make "
                f"(image {holder.image}, {holder.state}); it is left untouched.",
                code="name_taken",
                details={
                    "service": service.name,
                    "container": holder.name,
                    "container_id": holder.id,
                    "image": holder.image,
                },
                actions=(
                    f"Remove or rename it: docker rm {holder.name}",
                    "Run beside it under another name: embctl --project NAME --port-offset 100 start all",
                ),
            )
        own = observed.container_of(spec.project, service.name)
        held = {p.published for p in own.ports} if own and own.state in _ALIVE else set()
        for port in service.ports:
            owner = next((o for o in observed.port_owners if o.port == port.published), None)
            owner = owner or _sibling_on(port.published, spec, observed, services)
            if owner is not None and port.published not in held:
                raise port_taken(service.name, port.published, owner, nothing_created=True)


def _sibling_on(port: int, spec: StackSpec, observed: Observed, services: tuple[ServiceSpec, ...]) -> PortOwner | None:
    """Our own container of a service that this plan does not touch, if it holds the port."""
    touched = {service.name for service in services}
    for container in observed.containers:
        ours_but_untouched = container.project == spec.project and container.service not in touched
        if ours_but_untouched and container.state in _ALIVE and port in {p.published for p in container.ports}:
            return PortOwner(port=port, kind="container", name=container.name)
    return None


def _is_leftover(container: ObservedContainer, project: str) -> bool:
    """A throw-away container of ours that an interrupted run could not remove."""
    return container.project == project and container.service is None


def _remove_leftovers(draft: _Draft, spec: StackSpec, observed: Observed) -> None:
    for container in observed.containers:
        if _is_leftover(container, spec.project):
            _discard(draft, container, f"container:{container.name}", "left over from an interrupted run")


def _bring_up(
    draft: _Draft, spec: StackSpec, observed: Observed, services: tuple[ServiceSpec, ...], *, restart: bool
) -> None:
    shared = _create_shared(draft, spec, observed, services)
    for service in services:
        container = observed.container_of(spec.project, service.name)
        reason = _why_create(service, container, observed)
        if reason:
            # The image comes first: nothing that runs is stopped for one that cannot be had.
            after = _provide_image(draft, observed, service)
            if container:
                target = f"service:{service.name}"
                after = [_discard(draft, container, target, reason, service=service.name, after=after)]
            _create_and_start(draft, service, reason, [*shared[service.name], *after])
        elif container and container.state in _ALIVE and restart:
            stopped = _stop(draft, container, service.name, "asked to restart")
            _start(draft, service.name, "asked to restart", name=container.id, after=[stopped])
        elif container and container.state not in (ContainerState.RUNNING, ContainerState.RESTARTING):
            _start(draft, service.name, _why_start(container), name=container.id)


def _why_create(service: ServiceSpec, container: ObservedContainer | None, observed: Observed) -> str | None:
    """None when the container is as defined: then its image is not needed any more, were it even gone."""
    if container is None:
        return "no existing container"
    if container.config_hash != service.config_hash:
        return "definition changed"
    if container.state in (ContainerState.DEAD, ContainerState.REMOVING):
        return f"existing container is {container.state}"
    if not set(service.networks) <= {network.name for network in observed.networks}:
        # A container remembers its network by id: one made anew under the same name does not serve it.
        return "its network is gone"
    image = observed.image(service.image)
    if image and image.id != container.image_id:
        return "image changed"
    return None


def _why_start(container: ObservedContainer) -> str:
    if container.state is ContainerState.CREATED:
        return "created but never started"
    if container.state is ContainerState.PAUSED:
        return "paused"
    return f"exited with code {container.exit_code}"


def _create_shared(
    draft: _Draft, spec: StackSpec, observed: Observed, services: tuple[ServiceSpec, ...]
) -> dict[str, list[int]]:
    """Networks and volumes that the services need and the engine lacks; the numbers each service has to wait for.

    One that exists is used whoever made it, as every engine does with names; it is removed only when it is ours.
    """
    needed: dict[str, list[int]] = {service.name: [] for service in services}
    networks, volumes = {n.name for n in observed.networks}, {v.name for v in observed.volumes}
    for network in spec.networks:
        users = [service for service in services if network.name in service.networks]
        if users and network.name not in networks:
            number = draft.add(Verb.CREATE_NETWORK, f"network:{network.name}", "no existing network", name=network.name)
            for service in users:
                needed[service.name].append(number)
    for volume in spec.volumes:
        users = [service for service in services if any(m.source == volume.name for m in service.mounts)]
        if users and volume.name not in volumes:
            number = draft.add(Verb.CREATE_VOLUME, f"volume:{volume.name}", "no existing volume", name=volume.name)
            for service in users:
                needed[service.name].append(number)
    return needed


def _provide_image(draft: _Draft, observed: Observed, service: ServiceSpec) -> list[int]:
    image = observed.image(service.image)
    target = f"image:{service.image}"
    if service.build is None:
        if image:
            return []
        return [draft.add(Verb.PULL_IMAGE, target, "no such image here", name=service.image, service=service.name)]
    if image is None:
        cause = "no such image here"
    elif image.labels.get(Label.BUILD_HASH, service.build.digest) != service.build.digest:
        cause = "its sources changed"
    else:
        # An image of that name without our label was brought by the user, who wants just that one.
        return []
    return [draft.add(Verb.BUILD_IMAGE, target, cause, name=service.image, service=service.name)]


def _create_and_start(draft: _Draft, service: ServiceSpec, cause: str, after: list[int]) -> None:
    created = draft.add(
        Verb.CREATE_CONTAINER,
        f"service:{service.name}",
        cause,
        service=service.name,
        name=service.container_name,
        after=after,
    )
    _start(draft, service.name, "just created", after=[created])


def _start(draft: _Draft, service: str, cause: str, *, name: str = "", after: Iterable[int] = ()) -> int:
    return draft.add(Verb.START_CONTAINER, f"service:{service}", cause, name=name, service=service, after=after)


def _stop(
    draft: _Draft,
    container: ObservedContainer,
    service: str | None,
    cause: str,
    *,
    target: str = "",
    after: Iterable[int] = (),
) -> int:
    return draft.add(
        Verb.STOP_CONTAINER,
        target or f"service:{service}",
        cause,
        name=container.id,
        service=service,
        after=after,
    )


def _discard(
    draft: _Draft,
    container: ObservedContainer,
    target: str,
    cause: str,
    *,
    service: str | None = None,
    after: Iterable[int] = (),
) -> int:
    """Stop (when alive) and remove; the number of the removal."""
    if container.state in _ALIVE:
        after = [_stop(draft, container, service, cause, target=target, after=after)]
    return draft.add(Verb.REMOVE_CONTAINER, target, cause, name=container.id, service=service, after=after)


def _take_down(draft: _Draft, spec: StackSpec, observed: Observed, *, volumes: bool) -> None:
    removed = [
        _discard(
            draft,
            container,
            f"service:{container.service}" if container.service else f"container:{container.name}",
            "asked to take down",
            service=container.service,
        )
        for container in observed.containers
        if container.project == spec.project
    ]
    for network in observed.networks:
        if network.project == spec.project:
            draft.add(
                Verb.REMOVE_NETWORK, f"network:{network.name}", "asked to take down", name=network.name, after=removed
            )
    for volume in observed.volumes:
        if volumes and volume.project == spec.project:
            draft.add(
                Verb.REMOVE_VOLUME, f"volume:{volume.name}", "asked to remove volumes", name=volume.name, after=removed
            )


def _fetch(draft: _Draft, spec: StackSpec, observed: Observed, services: tuple[ServiceSpec, ...]) -> None:
    for service in services:
        ready = _provide_image(draft, observed, service)
        if service.name != MODEL_SERVICE:
            continue
        shared = _create_shared(draft, spec, observed, (service,))[service.name]
        model = service.environment.get("EMBSERVER_MODEL", "")
        draft.add(
            Verb.FETCH_MODEL,
            f"model:{model}",
            "asked to fetch ahead of time",
            name=model,
            service=service.name,
            after=[*ready, *shared],
        )
