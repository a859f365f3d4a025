"""Stopping a container: word to its supervisor, or, where that is gone, the supervisor's work."""

import time
from contextlib import suppress
from dataclasses import replace

from embctl.engine.native import faults
from embctl.engine.native.child import KILLED, TERMINATED
from embctl.engine.native.container import Container
from embctl.engine.native.home import Home
from embctl.engine.native.identity import Identity, is_alive, kill, terminate
from embctl.engine.native.intake import Intake
from embctl.engine.native.locking import hold
from embctl.engine.native.records import Phase, Status

__all__ = ["stop"]

POLL = 0.02
# What a supervisor has beyond the grace period before it counts as hung, and the dead before they must be gone.
MARGIN = 10.0


def stop(home: Home, container_id: str, grace: float) -> None:
    """Stop the container; return once its process and its supervisor are gone."""
    container = home.container(container_id)
    first = status = _status(container)
    deadline = time.monotonic() + grace + MARGIN
    asked: Identity | None = None
    while True:
        supervisor = status.supervisor
        if supervisor and is_alive(supervisor):
            if supervisor != first.supervisor and not is_alive(first.process):
                return  # it stopped, and somebody started it again
            if supervisor != asked:
                _ask(container, supervisor, grace)
                asked = supervisor
            elif time.monotonic() > deadline:
                kill(supervisor)
        else:
            with hold(container.lock, patience=0.0) as held:
                if held:
                    _stop_unsupervised(container, grace)
                    return
            if time.monotonic() > deadline + MARGIN:
                raise faults.busy(home.known_as(container_id))
        time.sleep(POLL)
        status = _status(container)


def _ask(container: Container, supervisor: Identity, grace: float) -> None:
    try:
        container.ask_to_stop(grace)
    except OSError:
        # On a full disk no word can be left. A signal says the same, but for the grace period: the defined one counts.
        terminate(supervisor)


def _status(container: Container) -> Status:
    status = container.status()
    if status is None:
        raise faults.container_gone(container.id)
    return status


def _stop_unsupervised(container: Container, grace: float) -> None:
    """For who holds the lock: no supervisor is there, and one that comes late finds its start out of date."""
    container.forget_stop()
    status, definition = _status(container), container.definition()
    if definition and status.process and is_alive(status.process):
        code = _end(status.process, definition.name, grace)
        Intake(container, definition).finish()
        # On a full disk it cannot be told, and is true all the same.
        with suppress(OSError):
            container.tell(replace(status, phase=Phase.EXITED, token="", process=None, exit_code=code))
    elif status.phase is Phase.STARTING:
        phase = Phase.EXITED if status.started_at else Phase.CREATED
        container.tell(replace(status, phase=phase, token=""))


def _end(process: Identity, name: str, grace: float) -> int:
    """The exit code that its parent would most likely have seen."""
    terminate(process)
    if _is_gone_within(process, grace):
        return TERMINATED
    kill(process)
    if not _is_gone_within(process, MARGIN):
        raise faults.immortal(name, process.pid)
    return KILLED


def _is_gone_within(process: Identity, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while is_alive(process):
        if time.monotonic() >= deadline:
            return False
        time.sleep(POLL)
    return True
