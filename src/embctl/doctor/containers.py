"""The services' containers, natively their processes: whether they run, as defined, and what was left behind."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from embctl.doctor.check import Check, Judgement, fail, ok, skipped, warn
from embctl.doctor.examination import Examination
from embctl.doctor.scene import Scene
from embctl.model import ContainerState, ObservedContainer
from embctl.outcomes import Remedy, RemedyKind

__all__ = ["CONTAINERS", "ContainerFacts", "look"]

# Stopped from outside: 128 and the signal's number.
STOPPED = frozenset({0, 137, 143})


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerFacts:
    """The container of each service, `drifted` the services whose container was made from another definition, and
    `leftovers`, what an interrupted run left behind; `unseen` is why there are none of these."""

    containers: Mapping[str, ObservedContainer | None]
    drifted: tuple[str, ...] = ()
    leftovers: tuple[ObservedContainer, ...] = ()
    unseen: str = ""


def look(scene: Scene) -> ContainerFacts:
    """Only sorts what the engine showed."""
    observed, project = scene.seen.observed, scene.spec.project
    if observed is None:
        return ContainerFacts(containers={}, unseen="what runs cannot be seen (engine.reachable)")
    containers = {service.name: scene.container(service.name) for service in scene.spec.services}
    chosen = {container.id for container in containers.values() if container}
    return ContainerFacts(
        containers=containers,
        drifted=tuple(
            service.name
            for service in scene.spec.services
            if (container := containers[service.name]) and container.config_hash != service.hash_on(observed.runtime)
        ),
        # What is alive may be somebody's at work, such as a fetch of the model.
        leftovers=tuple(
            each for each in observed.containers if each.project == project and each.id not in chosen and not each.alive
        ),
    )


def _state(service: str, facts: ContainerFacts) -> Judgement:
    if facts.unseen:
        return skipped(facts.unseen)
    container = facts.containers.get(service)
    if container is None:
        return warn(f"{service} was not created yet", *_start(service))
    return _running(service, container) if container.state is ContainerState.RUNNING else _down(service, container)


def _running(service: str, container: ObservedContainer) -> Judgement:
    if container.unsupervised:
        return warn(f"{service} runs, but nobody would restart it: its supervisor is gone", *_start(service))
    if container.restarts:
        return warn(f"{service} runs, after {container.restarts} restarts", _why(service))
    return ok(f"{service} runs")


def _down(service: str, container: ObservedContainer) -> Judgement:
    said = f": {container.error}" if container.error else ""
    if container.oom_killed:
        more = f"Give it more memory: EMBCTL_{service.upper()}_MEMORY=8g embctl start {service}"
        return fail(f"{service} was killed at its memory limit", more)
    if container.state is ContainerState.RESTARTING:
        return fail(f"{service} dies and is restarted again and again{said}", _why(service))
    if container.exit_code in STOPPED or container.state in {ContainerState.CREATED, ContainerState.PAUSED}:
        return warn(f"{service} is {container.state}{said}", *_start(service))
    return fail(f"{service} is {container.state}, exit code {container.exit_code}{said}", *_start(service))


def _start(service: str) -> tuple[str, Remedy]:
    return f"Start it: embctl start {service}", Remedy(kind=RemedyKind.START, subject=service)


def _why(service: str) -> str:
    return f"See why: embctl logs {service} -n 200"


def _drift(facts: ContainerFacts) -> Judgement:
    there = [name for name, container in facts.containers.items() if container]
    if facts.unseen or not there:
        return skipped(facts.unseen or "nothing was created yet")
    if facts.drifted:
        return warn(
            f"made from another definition than the present one: {', '.join(facts.drifted)}",
            f"See what differs (embctl config show --origin), then have it made anew: embctl start "
            f"{' '.join(facts.drifted)}",
        )
    return ok(f"as defined: {', '.join(there)}")


def _leftovers(facts: ContainerFacts) -> Judgement:
    if facts.unseen:
        return skipped(facts.unseen)
    if not facts.leftovers:
        return ok("nothing was left behind by an interrupted run")
    names = ", ".join(each.name for each in facts.leftovers)
    # One of a service is the half of a replacement, which only a start of that service can finish or undo.
    throw_aways = [each for each in facts.leftovers if each.service is None]
    return warn(
        f"left behind by an interrupted run: {names}",
        "The next start removes it: embctl start all",
        *([Remedy(kind=RemedyKind.TIDY, subject=", ".join(each.name for each in throw_aways))] if throw_aways else []),
    )


CONTAINERS = Examination(
    noun="containers",
    look=look,
    checks=(
        *(
            Check(id=f"containers.{name}", looks_at=f"whether {name} runs, supervised", judge=partial(_state, name))
            for name in ("qdrant", "jina")
        ),
        Check(id="containers.drift", looks_at="what runs against its definition", judge=_drift),
        Check(id="containers.leftovers", looks_at="what interrupted runs left behind", judge=_leftovers),
    ),
)
