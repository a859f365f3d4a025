"""Ports and names that belong to somebody else: found ahead in what was observed, and told the same way when the
engine notices too late."""

from embctl.errors import Conflict
from embctl.model import Observed, PortOwner, ServiceSpec, StackSpec

__all__ = ["port_taken", "refuse_conflicts"]


def port_taken(service: str, port: int, owner: PortOwner | None, *, nothing_created: bool = False) -> Conflict:
    """`port`, which `service` needs, is held by `owner`, None when nobody could be found. `nothing_created` is whether
    that showed before the first change. The details are always service, port and owner (kind, name, pid; or null)."""
    who = "somebody else"
    if owner is not None:
        who = f"{owner.kind} {owner.name}" + (f" (pid {owner.pid})" if owner.pid else "")
    so_far = " Nothing was created." if nothing_created else ""
    return Conflict(
        f"Port {port}, which {service} needs, is taken by {who}.{so_far}",
        code="port_taken",
        details={
            "service": service,
            "port": port,
            "owner": owner and {"kind": owner.kind, "name": owner.name, "pid": owner.pid},
        },
        actions=(
            f"Stop {who}" if owner else f"Stop what listens on port {port}",
            f"Use another port: EMBCTL_{service.upper()}_PORT, or --port-offset",
        ),
        retryable=True,
    )


def refuse_conflicts(spec: StackSpec, observed: Observed, services: tuple[ServiceSpec, ...]) -> None:
    """Raise Conflict for the first port or container name that `services` need and somebody else holds."""
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
        own = observed.containers_of(spec.project, service.name)
        held = {port.published for container in own if container.alive for port in container.ports}
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
        if ours_but_untouched and container.alive and port in {p.published for p in container.ports}:
            return PortOwner(port=port, kind="container", name=container.name)
    return None
