"""Waits for what already runs, without changing anything: `wait` and `warmup`."""

from embctl.events import Stage
from embctl.flows.context import Context
from embctl.flows.readiness import await_services, running_containers
from embctl.outcomes import Ready
from embctl.result import Result

__all__ = ["wait", "warmup"]


def wait(context: Context, services: tuple[str, ...]) -> Result[Ready]:
    """Return when the services have loaded, or raise NotReady."""
    return _until(context, "wait", services, Stage.LOADED)


def warmup(context: Context, services: tuple[str, ...]) -> Result[Ready]:
    """Return when a real embedding came back and every collection answers, or raise NotReady."""
    return _until(context, "warmup", services, Stage.WARM)


def _until(context: Context, command: str, services: tuple[str, ...], stage: Stage) -> Result[Ready]:
    engine = context.connect()
    containers = running_containers(context, engine, services)
    return Result(command=command, data=Ready(services=await_services(context, engine, containers, stage)))
