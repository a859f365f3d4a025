"""Further steps on the native bench: who runs, what was said, and how somebody is ended."""

import os
import signal
import time

from embctl.engine.native.identity import Identity, is_alive
from embctl.engine.native.records import Status
from embctl.model import ObservedContainer
from engines.native_bench import NativeBench
from engines.programs import Program
from engines.steps import never

__all__ = [
    "OBEDIENT",
    "STUBBORN",
    "TELLS",
    "await_end",
    "await_line",
    "end",
    "lines",
    "process_of",
    "status_of",
    "supervisor_of",
]

OBEDIENT = Program(script="trap 'echo bye; exit 0' TERM; echo ready; while :; do sleep 0.02; done")
STUBBORN = Program(script="trap '' TERM; echo ready; while :; do sleep 0.02; done")
TELLS = Program(script="trap 'echo heard' USR1; echo ready; while :; do sleep 0.02; done")


def status_of(bench: NativeBench, container: ObservedContainer) -> Status:
    """What was told of the container last."""
    status = bench.container(container.id).status()
    assert status
    return status


def process_of(bench: NativeBench, container: ObservedContainer) -> Identity:
    """Its process."""
    process = status_of(bench, container).process
    assert process
    return process


def supervisor_of(bench: NativeBench, container: ObservedContainer) -> Identity:
    """Its supervisor."""
    supervisor = status_of(bench, container).supervisor
    assert supervisor
    return supervisor


def end(process: Identity, number: signal.Signals = signal.SIGKILL) -> None:
    """Signal the process and await its end."""
    os.kill(process.pid, number)
    await_end(process)


def await_end(process: Identity) -> None:
    """Return once the process is gone."""
    while is_alive(process):
        time.sleep(0.01)


def lines(bench: NativeBench, container: ObservedContainer) -> list[str]:
    """Its log up to now."""
    log = bench.engine.logs(container, follow=False, tail=None, since=None, cancel=never())
    return [line.text for line in log]


def await_line(bench: NativeBench, container: ObservedContainer, text: str) -> None:
    """Return once it has said `text`."""
    for line in bench.engine.logs(container, follow=True, tail=None, since=None, cancel=never()):
        if line.text == text:
            return
    raise AssertionError(f"it ended without having said {text}")
