"""Waits for services side by side and turns their verdicts into data or into the error that says what went wrong."""

from collections.abc import Mapping, Sequence
from functools import partial
from threading import Lock

from embctl.apply import MODEL_ACTIONS
from embctl.engine.base import Cancel, Engine
from embctl.errors import Failed, NotReady
from embctl.events import Event, Stage
from embctl.flows.context import Context
from embctl.flows.parallel import as_they_come
from embctl.model import ObservedContainer
from embctl.outcomes import ServiceReady
from embctl.plan import MODEL_SERVICE
from embctl.ready import Verdict, wait_until_ready
from embctl.serverlog import failure_of

__all__ = ["await_services", "containers_of", "database_elsewhere", "far_away", "not_started"]

BY_SIGNAL = (137, 143)


def containers_of(context: Context, engine: Engine, services: Sequence[str]) -> dict[str, ObservedContainer]:
    """The services' containers; NotReady names the first that has none."""
    observed = engine.observe(context.spec)
    found: dict[str, ObservedContainer] = {}
    for service in services:
        container = observed.container_of(context.spec.project, service)
        if container is None:
            raise not_started(service, f"nothing in the project {context.spec.project} runs it")
        found[service] = container
    return found


def not_started(service: str, why: str) -> NotReady:
    """Nobody started the service, so waiting for it would be in vain."""
    return NotReady(
        f"{service} is not started: {why}.",
        code="not_started",
        details={"service": service},
        actions=(f"embctl start {service}",),
    )


def database_elsewhere() -> Failed:
    """The engine publishes on the loopback of its own machine."""
    return Failed(
        "The engine is on another machine, and its database cannot be reached from here.",
        code="engine_remote",
        actions=("Run embctl on that machine.",),
    )


def await_services(
    context: Context, engine: Engine, containers: Mapping[str, ObservedContainer], until: Stage
) -> tuple[ServiceReady, ...]:
    """Wait until every service reached `until`; raises NotReady as soon as one cannot."""
    deadline = context.clock.monotonic() + context.settings.timeout
    emitting, over = Lock(), Cancel()

    def emit(event: Event) -> None:
        with emitting:
            context.emit(event)

    def wait(service: str) -> Verdict:
        return wait_until_ready(
            engine=engine,
            container_id=containers[service].id,
            endpoint=context.endpoint(service, containers[service]),
            http=context.http,
            clock=context.clock,
            deadline=deadline,
            until=until,
            emit=emit,
            cancel=over,
        )

    ready: dict[str, ServiceReady] = {}
    try:
        for service, verdict in as_they_come({name: partial(wait, name) for name in containers}):
            if verdict.outcome != "ready":
                raise _not_ready(context, verdict)
            ready[service] = _service_ready(verdict, context.endpoint(service, containers[service]).url)
    finally:
        # Whoever still waits need not: the containers run on.
        over.set()
    return tuple(ready[service] for service in containers)


def far_away(context: Context, services: Sequence[str]) -> str:
    """What to do about services on another machine: their ports are bound to its loopback, not to this one's."""
    ports = [port.published for name in services for port in context.spec.service(name).ports]
    tunnels = " ".join(f"-L {port}:127.0.0.1:{port}" for port in ports)
    return (
        "The engine is on another machine and publishes on its loopback, so readiness was not checked from here. "
        f"Forward the ports first: ssh -N {tunnels} HOST"
    )


def _service_ready(verdict: Verdict, url: str) -> ServiceReady:
    return ServiceReady(
        service=verdict.service,
        stage=verdict.stage,
        seconds=round(verdict.seconds, 3),
        url=url,
        facts=verdict.facts,
    )


def _not_ready(context: Context, verdict: Verdict) -> NotReady:
    service = verdict.service
    details = {
        "service": service,
        "outcome": verdict.outcome,
        "stage": verdict.stage,
        "seconds": round(verdict.seconds, 3),
        "exit_code": verdict.exit_code,
        "oom_killed": verdict.oom_killed,
        "last_seen": verdict.last_seen,
        "log": list(verdict.log_tail),
    }
    if verdict.outcome == "timed_out":
        return NotReady(
            f"{service} was not ready after {verdict.seconds:.0f} s; last seen: {verdict.last_seen}.",
            code="timed_out",
            details=details,
            actions=(
                f"Wait longer, it keeps running: embctl wait {service} --timeout {int(context.settings.timeout) * 2}",
                f"See what it does: embctl logs {service} -f",
            ),
            retryable=True,
        )
    if verdict.oom_killed:
        limit = context.spec.service(service).mem_limit
        return NotReady(
            f"{service} was killed because it needed more than its memory limit of {limit // 2**20} MiB.",
            code="out_of_memory",
            details={**details, "memory_limit": limit},
            actions=(f"Give it more: EMBCTL_{service.upper()}_MEMORY=8g embctl start {service}",),
        )
    how = "died" if verdict.exit_code is None else f"exited with code {verdict.exit_code}"
    # Who is stopped from outside has no last words about it.
    why = "it was stopped or killed" if verdict.exit_code in BY_SIGNAL else failure_of(verdict.log_tail)
    return NotReady(
        f"{service} {how} before it was ready: {why}",
        code="service_exited",
        details=details,
        actions=(
            f"See its whole log: embctl logs {service} -n 200",
            *(MODEL_ACTIONS if service == MODEL_SERVICE and verdict.stage is not Stage.LOADED else ()),
            f"Then start it again: embctl start {service}",
        ),
    )
