"""What is there now: containers, what they use, and what the services say of themselves. Changes nothing."""

from collections.abc import Callable
from functools import partial

from embctl.clock import now
from embctl.engine.base import Engine
from embctl.errors import Failed
from embctl.events import Stage
from embctl.flows.context import Context
from embctl.flows.parallel import as_they_come
from embctl.flows.readiness import BY_SIGNAL, far_away
from embctl.model import ContainerState, Health, Label, Observed, ObservedContainer, ResourceUse, ServiceSpec
from embctl.outcomes import ServiceStatus, Status
from embctl.probes import Probe, glance
from embctl.result import Result
from embctl.serverlog import failure_of

__all__ = ["status", "watch"]

LAST_LINES = 20
AT_WORK = frozenset({Stage.LOADED, Stage.WARM})


def status(context: Context, services: tuple[str, ...]) -> Result[Status]:
    """Observe the engine once, then ask both services side by side."""
    engine = context.connect()
    observed = engine.observe(context.spec)
    info = engine.info()

    def look(service: str) -> ServiceStatus:
        return _service(context, engine, observed, context.spec.service(service), reachable=info.local)

    found = dict(as_they_come({service: partial(look, service) for service in services}))
    return Result(
        command="status",
        data=Status(project=context.spec.project, engine=info, services=tuple(found[name] for name in services)),
        warnings=() if info.local else (far_away(context, services),),
    )


def watch(
    context: Context, services: tuple[str, ...], show: Callable[[Result[Status]], None], interval: float
) -> Result[Status]:
    """Show the status again and again, `interval` seconds apart, until the user stops it."""
    while True:
        # Not in this thread: an interrupt that comes while the engine's client frees an answer goes unheard.
        for _, seen in as_they_come({"status": partial(status, context, services)}):
            show(seen)
        context.clock.sleep(interval)


def _service(
    context: Context, engine: Engine, observed: Observed, service: ServiceSpec, *, reachable: bool
) -> ServiceStatus:
    container = observed.container_of(context.spec.project, service.name)
    endpoint = context.endpoint(service.name, container)
    running = container is not None and container.state is ContainerState.RUNNING
    answer = glance(endpoint, context.http) if running and reachable else Probe(stage=None, detail="")
    use = _use(engine, container) if running else None
    up_since = container.started_at if container and running else None
    return ServiceStatus(
        service=service.name,
        state=container.state if container else "absent",
        health=container.health if container and running else "none",
        stage=answer.stage,
        url=endpoint.url,
        image=container.image if container else service.program_on(observed.runtime),
        stand_in=container.labels.get(Label.STAND_IN) if container else None,
        drifted=container is not None and container.config_hash != service.hash_on(observed.runtime),
        unsupervised=container is not None and container.unsupervised,
        exit_code=container.exit_code if container and not running else None,
        oom_killed=container.oom_killed if container else False,
        started_at=up_since,
        uptime=(now() - up_since).total_seconds() if up_since else None,
        restarts=container.restarts if container else 0,
        cpu_percent=use.cpu_percent if use else None,
        memory=use.memory_anonymous if use else None,
        memory_limit=use.memory_limit if use else None,
        detail=_detail(context, engine, container, answer),
        facts=answer.facts,
    )


def _detail(context: Context, engine: Engine, container: ObservedContainer | None, answer: Probe) -> str:
    """What is missing now, and what the server said last before it died."""
    missing = answer.detail if answer.stage is not Stage.WARM else ""
    words = _last_words(context, engine, container) if container and _has_died(container, answer) else ""
    if container is None or container.state is not ContainerState.RUNNING:
        return words
    return "; ".join(filter(None, (missing, words and f"before that it died: {words}")))


def _has_died(container: ObservedContainer, answer: Probe) -> bool:
    """Whether it went down by itself and is not back at work."""
    match container.state:
        case ContainerState.RUNNING:
            back = answer.stage in AT_WORK or container.health is Health.HEALTHY
            return container.restarts > 0 and not back
        case ContainerState.RESTARTING:
            return True
        case ContainerState.EXITED | ContainerState.DEAD:
            # Who is stopped from outside has no last words about it.
            return container.exit_code not in {None, 0, *BY_SIGNAL}
    return False


def _last_words(context: Context, engine: Engine, container: ObservedContainer) -> str:
    """Of the last run that ended, the engine's own before the log's; empty when that cannot be read, or the present run
    has filled what is read."""
    if container.error and container.state is not ContainerState.RUNNING:
        return container.error
    running = container.started_at if container.state is ContainerState.RUNNING else None
    try:
        log = engine.logs(container, follow=False, tail=LAST_LINES, since=None, cancel=context.cancel)
        lines = [line.text for line in log if not (running and line.timestamp and line.timestamp >= running)]
    except Failed:
        return ""
    return "" if running and not lines else failure_of(lines)


def _use(engine: Engine, container: ObservedContainer | None) -> ResourceUse | None:
    """None when the container went away between two questions."""
    try:
        return engine.stats(container.id) if container else None
    except Failed:
        return None
