"""What has to happen, decided in one place: `reconcile(spec, observed, request) -> Plan`, pure.

A running container whose definition has changed is replaced by a new one, a stopped one is started, one that is as
defined is left alone. Nothing here talks to an engine, and nothing below may decide anything."""

from collections.abc import Iterable
from dataclasses import dataclass

from embctl.conflicts import refuse_conflicts
from embctl.model import ContainerState, Label, Observed, ObservedContainer, ServiceSpec, StackSpec
from embctl.plan import MODEL_SERVICE, Draft, Goal, Plan, Request, Verb

__all__ = ["reconcile"]

# Sorts behind the service's own name, by which the two are told apart.
_NEXT = "-next"
_LEFT_OVER = "left over from an interrupted run"


def reconcile(spec: StackSpec, observed: Observed, request: Request) -> Plan:
    """The operations that turn `observed` into what `request` asks of `spec`; an empty plan when nothing differs.

    Raises Conflict when a port or container name that would be needed belongs to somebody else.
    """
    draft = Draft()
    services = tuple(spec.service(name) for name in request.services)
    match request.goal:
        case Goal.UP:
            refuse_conflicts(spec, observed, services)
            _remove_throw_aways(draft, spec, observed)
            _bring_up(draft, spec, observed, services, restart=request.restart)
        case Goal.STOPPED:
            for service in services:
                for container in observed.containers_of(spec.project, service.name):
                    if container.alive:
                        draft.on_service(Verb.STOP_CONTAINER, service.name, "asked to stop", name=container.id)
        case Goal.ABSENT:
            _take_down(draft, spec, observed, request)
        case Goal.FETCHED:
            _remove_throw_aways(draft, spec, observed)
            _fetch(draft, spec, observed, services)
    return draft.finished()


def _remove_throw_aways(draft: Draft, spec: StackSpec, observed: Observed) -> None:
    for container in observed.containers:
        if container.project == spec.project and container.service is None:
            draft.discard(container, _LEFT_OVER)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Creation:
    """A container made for `service` by operation `created`, in place of `old`, which operation `stopped` stops."""

    service: ServiceSpec
    cause: str
    created: int
    old: ObservedContainer | None = None
    stopped: int | None = None


def _bring_up(
    draft: Draft, spec: StackSpec, observed: Observed, services: tuple[ServiceSpec, ...], *, restart: bool
) -> None:
    shared = _create_shared(draft, spec, observed, services)
    creations = []
    for service in services:
        container = observed.container_of(spec.project, service.name)
        healed = _heal(draft, spec, observed, service, container)
        reason = _why_create(service, container, observed)
        if reason:
            creations.append(
                _create(draft, observed, service, container, reason, after=[*shared[service.name], *healed])
            )
        elif container and container.alive and restart:
            _restart(draft, service.name, container, after=healed)
        elif container and (why := _why_start(container)):
            draft.on_service(Verb.START_CONTAINER, service.name, why, name=container.id, after=healed)
    for creation in creations:
        _take_over(draft, creation, creations)


def _heal(
    draft: Draft, spec: StackSpec, observed: Observed, service: ServiceSpec, container: ObservedContainer | None
) -> list[int]:
    """Finish or undo a replacement that was interrupted: `container`, the one that counts, stays and gets the name."""
    extra = [other for other in observed.containers_of(spec.project, service.name) if other is not container]
    healed = [draft.discard(other, _LEFT_OVER) for other in extra]
    if container and container.name != service.container_name:
        cause = "its replacement was interrupted"
        healed.append(draft.on_service(Verb.RENAME_CONTAINER, service.name, cause, name=container.id, after=healed))
    return healed


def _create(
    draft: Draft,
    observed: Observed,
    service: ServiceSpec,
    old: ObservedContainer | None,
    cause: str,
    *,
    after: Iterable[int],
) -> _Creation:
    """Make the container, under a name of its own while there is an old one, and only then stop that: nothing that
    runs is stopped for an image or a model that cannot be had, or for a definition that the engine refuses."""
    before = [*after, *_provide_image(draft, observed, service)]
    if old and old.alive and service.name == MODEL_SERVICE:
        before = [_fetch_model(draft, service, "before the old one stops", after=before)]
    name = service.container_name + (_NEXT if old else "")
    created = draft.on_service(Verb.CREATE_CONTAINER, service.name, cause, name=name, after=before)
    stopped = None
    if old and old.alive:
        stopped = draft.on_service(Verb.STOP_CONTAINER, service.name, cause, name=old.id, after=[created])
    return _Creation(service=service, cause=cause, created=created, old=old, stopped=stopped)


def _take_over(draft: Draft, creation: _Creation, creations: list[_Creation]) -> None:
    """Start the new container; the old one goes once that succeeded, and runs again when it does not."""
    service, old = creation.service.name, creation.old
    freed = [other.stopped for other in creations if other.stopped and _needs_port_of(creation.service, other.old)]
    before = [creation.created, *freed, *([creation.stopped] if creation.stopped else [])]
    started = draft.on_service(Verb.START_CONTAINER, service, "just created", after=before)
    if old is None:
        return
    removed = draft.on_service(Verb.REMOVE_CONTAINER, service, "the new one runs", name=old.id, after=[started])
    draft.on_service(Verb.RENAME_CONTAINER, service, "takes the place of the old one", after=[removed])
    undone = draft.on_service(Verb.REMOVE_CONTAINER, service, "did not start", after=[creation.created], unless=started)
    if creation.stopped:
        draft.on_service(
            Verb.START_CONTAINER,
            service,
            "its replacement did not start",
            name=old.id,
            after=[creation.stopped, undone],
            unless=started,
        )


def _needs_port_of(service: ServiceSpec, holder: ObservedContainer | None) -> bool:
    held = {port.published for port in holder.ports} if holder else set()
    return any(port.published in held for port in service.ports)


def _restart(draft: Draft, service: str, container: ObservedContainer, *, after: Iterable[int]) -> None:
    cause = "asked to restart"
    stopped = draft.on_service(Verb.STOP_CONTAINER, service, cause, name=container.id, after=after)
    started = draft.on_service(Verb.START_CONTAINER, service, cause, name=container.id, after=[stopped])
    why = "the restart was cut short"
    draft.on_service(Verb.START_CONTAINER, service, why, name=container.id, after=[stopped], unless=started)


def _why_create(service: ServiceSpec, container: ObservedContainer | None, observed: Observed) -> str | None:
    """None when the container is as defined: then its image is not needed any more, were it even gone."""
    if container is None:
        return "does not exist yet"
    if container.config_hash != service.hash_on(observed.runtime):
        return "definition changed"
    if container.state in (ContainerState.DEAD, ContainerState.REMOVING):
        return f"it is {container.state}"
    if not set(service.networks) <= {network.name for network in observed.networks}:
        # A container remembers its network by id: one made anew under the same name does not serve it.
        return "its network is gone"
    image = observed.image(service.image)
    if image and image.id != container.image_id:
        return "its program changed"
    return None


def _why_start(container: ObservedContainer) -> str | None:
    """None when it runs, and would run again after a crash. Starting what runs unsupervised does not interrupt it."""
    if container.state in (ContainerState.RUNNING, ContainerState.RESTARTING):
        return "its supervisor is gone" if container.unsupervised else None
    if container.state is ContainerState.CREATED:
        return "created but never started"
    if container.state is ContainerState.PAUSED:
        return "paused"
    return f"exited with code {container.exit_code}"


def _create_shared(
    draft: Draft, spec: StackSpec, observed: Observed, services: tuple[ServiceSpec, ...]
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


def _provide_image(draft: Draft, observed: Observed, service: ServiceSpec) -> list[int]:
    image = observed.image(service.image)
    target = f"image:{service.image}"
    if service.build is None:
        if image:
            return []
        return [draft.add(Verb.PULL_IMAGE, target, "not here yet", name=service.image, service=service.name)]
    if image is None:
        cause = "not here yet"
    elif image.labels.get(Label.BUILD_HASH, service.build.digest) != service.build.digest:
        cause = "its sources changed"
    else:
        # An image of that name without our label was brought by the user, who wants just that one.
        return []
    return [draft.add(Verb.BUILD_IMAGE, target, cause, name=service.image, service=service.name)]


def _take_down(draft: Draft, spec: StackSpec, observed: Observed, request: Request) -> None:
    """Everything of the project; only the containers of the services that the request names, if it names some."""
    removed = [
        draft.discard(container, "asked to take down")
        for container in observed.containers
        if container.project == spec.project and (not request.services or container.service in request.services)
    ]
    if request.services:
        return
    for network in observed.networks:
        if network.project == spec.project:
            draft.add(
                Verb.REMOVE_NETWORK, f"network:{network.name}", "asked to take down", name=network.name, after=removed
            )
    for volume in observed.volumes:
        if request.volumes and volume.project == spec.project:
            draft.add(
                Verb.REMOVE_VOLUME, f"volume:{volume.name}", "asked to remove volumes", name=volume.name, after=removed
            )


def _fetch(draft: Draft, spec: StackSpec, observed: Observed, services: tuple[ServiceSpec, ...]) -> None:
    for service in services:
        ready = _provide_image(draft, observed, service)
        if service.name != MODEL_SERVICE:
            continue
        shared = _create_shared(draft, spec, observed, (service,))[service.name]
        _fetch_model(draft, service, "asked to fetch ahead of time", after=[*ready, *shared])


def _fetch_model(draft: Draft, service: ServiceSpec, cause: str, *, after: Iterable[int]) -> int:
    model = service.environment.get("EMBSERVER_MODEL", "")
    return draft.add(Verb.FETCH_MODEL, f"model:{model}", cause, name=model, service=service.name, after=after)
