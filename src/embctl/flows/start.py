"""Brings services up and waits for them: `start` and `restart`."""

from embctl.events import Note, Stage
from embctl.flows.change import carry_out, preview
from embctl.flows.context import Context
from embctl.flows.dimensions import misfits_of_plan, misfits_of_services
from embctl.flows.readiness import await_services, containers_of, far_away
from embctl.flows.remembering import remember
from embctl.model import Runtime
from embctl.outcomes import Planned, ServiceReady, Started
from embctl.plan import Goal, Plan, Request
from embctl.result import Result

__all__ = ["start"]


def start(
    context: Context,
    services: tuple[str, ...],
    *,
    restart: bool = False,
    wait: bool = True,
    warmup: bool = True,
    dry_run: bool = False,
) -> Result[Started] | Result[Planned]:
    """Make the services run as defined, wait for them and warm them. The second call of two changes nothing."""
    command = "restart" if restart else "start"
    request = Request(goal=Goal.UP, services=services, restart=restart)
    if dry_run:
        return preview(context, command, request)

    warnings: list[str] = []

    def prepare(plan: Plan) -> None:
        engine = context.connect().info()
        if context.settings.runtime == Runtime.AUTO and engine.runtime is Runtime.DOCKER:
            context.emit(Note(message=f"docker runtime: {engine.flavour} {engine.version} answers ({engine.origin})"))
        if warning := misfits_of_plan(context, plan):
            warnings.append(warning)
            context.emit(Note(message=warning, warning=True))

    plan, applied = carry_out(context, request, approve=prepare)
    remember(context)
    ready: tuple[ServiceReady, ...] = ()
    if wait:
        engine = context.connect()
        if engine.info().local:
            until = Stage.WARM if warmup else Stage.LOADED
            ready = await_services(context, engine, containers_of(context, engine, services), until)
            warnings = warnings or misfits_of_services(context, ready)
        else:
            warnings.append(far_away(context, services))
    data = Started(plan=plan, services=ready)
    return Result(command=command, data=data, changed=applied.changed, warnings=tuple(warnings))
