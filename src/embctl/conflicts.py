"""Conflicts that show in more than one place, told the same in each: the plan sees them ahead, the engine too late."""

from embctl.errors import Conflict
from embctl.model import PortOwner

__all__ = ["port_taken"]


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
