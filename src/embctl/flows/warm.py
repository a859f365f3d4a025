"""Waits for what already runs, without changing anything: `wait` and `warmup`."""

from embctl.errors import Failed
from embctl.events import Stage
from embctl.flows.context import Context
from embctl.flows.readiness import await_services, containers_of, far_away, not_started
from embctl.model import ContainerState
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
    if not engine.info().local:
        raise Failed(far_away(context, services), code="engine_remote")
    containers = containers_of(context, engine, services)
    for service, container in containers.items():
        if container.state in (ContainerState.CREATED, ContainerState.EXITED, ContainerState.DEAD):
            raise not_started(service, f"it is {container.state}")
    return Result(command=command, data=Ready(services=await_services(context, engine, containers, stage)))
