"""Which engine runs the services: containers, or processes of this machine."""

from collections.abc import Callable

from embctl.engine.base import Engine
from embctl.errors import EngineUnreachable
from embctl.model import Runtime, StackSpec

__all__ = ["choose"]


def choose(
    runtime: Runtime,
    spec: StackSpec,
    *,
    docker: Callable[[], Engine],
    native: Callable[[], Engine],
    tell: Callable[[str], None],
) -> Engine:
    """The engine for `spec`. AUTO stays native where the stack is so already; else it is the container engine that
    answers, else native. One that the user named and that does not answer is an error still: what was indexed is
    there. `tell` hears of a native choice and its reason."""
    if runtime is Runtime.DOCKER:
        return docker()
    processes = native()
    if runtime is Runtime.NATIVE:
        return processes
    if any(container.project == spec.project for container in processes.observe(spec).containers):
        tell(f"native runtime: the project {spec.project} runs natively here")
        return processes
    try:
        return docker()
    except EngineUnreachable as error:
        if error.details.get("named"):
            raise
        tell("native runtime: no container engine answers")
        return processes
