"""The two published ports: who has them."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from embctl.conflicts import port_taken
from embctl.doctor.check import Check, Judgement, fail, ok, skipped
from embctl.doctor.examination import Examination
from embctl.doctor.scene import Scene
from embctl.engine.ports import listening_processes
from embctl.model import PortOwner

__all__ = ["PORTS", "PortFacts", "look"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PortFacts:
    """One service's port: `own` when its own container has it, else the `owner`, None for nobody; `elsewhere` when the
    port is another machine's."""

    port: int
    own: bool
    owner: PortOwner | None
    elsewhere: bool


def look(scene: Scene) -> Mapping[str, PortFacts]:
    """By service, as the engine tells it; where there is none, by trying to bind."""
    observed, info = scene.seen.observed, scene.seen.info
    wanted = {service.name: service.ports[0] for service in scene.spec.services}
    owners = observed.port_owners if observed else listening_processes(wanted.values())
    return {
        name: PortFacts(
            port=port.published,
            own=(container := scene.container(name)) is not None
            and container.alive
            and any(held.published == port.published for held in container.ports),
            owner=next((owner for owner in owners if owner.port == port.published), None),
            elsewhere=info is not None and not info.local,
        )
        for name, port in wanted.items()
    }


def _judge(service: str, facts: Mapping[str, PortFacts]) -> Judgement:
    port = facts[service]
    if port.own:
        return ok(f"{service} has port {port.port}")
    if port.owner:
        taken = port_taken(service, port.port, port.owner)
        return fail(taken.message, "; or ".join(taken.actions))
    if port.elsewhere:
        return skipped("the engine is on another machine (engine.reachable)")
    return ok(f"port {port.port} is free")


PORTS = Examination(
    noun="ports",
    look=look,
    checks=tuple(
        Check(id=f"ports.{name}", looks_at=f"who has {name}'s port", judge=partial(_judge, name))
        for name in ("qdrant", "jina")
    ),
)
