"""Brings services up and waits for them: `start` and `restart`."""

from embctl.apply import Applied
from embctl.engine.base import Engine
from embctl.events import Stage
from embctl.flows.change import preview, with_changes
from embctl.flows.context import Context
from embctl.flows.readiness import await_services, containers_of
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

    def until_ready(engine: Engine, _plan: Plan, _applied: Applied) -> tuple[ServiceReady, ...]:
        if not wait:
            return ()
        containers = containers_of(context, engine, services)
        return await_services(context, engine, containers, Stage.WARM if warmup else Stage.LOADED)

    plan, ready = with_changes(context, request, until_ready)
    return Result(command=command, data=Started(plan=plan, services=ready), changed=bool(plan))
