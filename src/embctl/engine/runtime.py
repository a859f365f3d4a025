"""Which engine runs the services: containers, or processes of this machine."""

from collections.abc import Callable

from embctl.engine.base import Engine
from embctl.errors import EngineUnreachable
from embctl.model import Runtime

__all__ = ["choose"]


def choose(
    runtime: Runtime, *, docker: Callable[[], Engine], native: Callable[[], Engine], tell: Callable[[str], None]
) -> Engine:
    """The engine of that runtime; AUTO is the container engine that answers, else native, of which `tell` hears with
    the reason. One that the user named and that does not answer is an error still: what was indexed is there."""
    if runtime is Runtime.NATIVE:
        return native()
    try:
        return docker()
    except EngineUnreachable as error:
        if runtime is Runtime.DOCKER or error.details.get("named"):
            raise
        tell("native runtime: no container engine answers")
        return native()
