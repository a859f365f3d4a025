"""Which process a number means: pids are used again, so one counts only together with the moment it began.

Supervisors import this: it stays with the standard library where it can.
"""

import os
import signal
import sys
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

__all__ = ["Identity", "identify", "is_alive", "kill", "terminate"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A process; `started` tells it from every other one that ever had, or will have, the pid."""

    pid: int
    started: str


def identify(pid: int) -> Identity | None:
    """The process that has `pid` now; None when there is none, or only the remains of one."""
    started = _started(pid)
    return None if started is None else Identity(pid=pid, started=started)


def is_alive(process: Identity | None) -> bool:
    """Whether that very process still runs."""
    return process is not None and _started(process.pid) == process.started


if sys.platform == "linux":

    def _started(pid: int) -> str | None:
        # Ticks since this boot: unlike a time of day they stay when the clock is set.
        try:
            fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
        except OSError:
            return None
        return None if fields[0] in {b"Z", b"X", b"x"} else f"{_boot()}:{fields[19].decode()}"

    @cache
    def _boot() -> str:
        try:
            return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        except OSError:
            return ""

else:

    def _started(pid: int) -> str | None:
        import psutil  # noqa: PLC0415 - see the module

        try:
            process = psutil.Process(pid)
            return None if process.status() == psutil.STATUS_ZOMBIE else f"{process.create_time():.3f}"
        except psutil.Error:
            return None


if sys.platform == "win32":

    def terminate(process: Identity) -> None:
        """Ask the process to end. The event reaches only what is on the caller's own console; the rest ends hard."""
        if is_alive(process):
            try:
                os.kill(process.pid, signal.CTRL_BREAK_EVENT)
            except OSError:
                kill(process)

    def kill(process: Identity) -> None:
        """End the process and its children at once."""
        import psutil  # noqa: PLC0415 - see the module

        with suppress(psutil.Error):
            parent = psutil.Process(process.pid)
            if is_alive(process):
                for each in (*parent.children(recursive=True), parent):
                    with suppress(psutil.Error):
                        each.kill()

else:

    def terminate(process: Identity) -> None:
        """Ask the process to end."""
        _send(process, signal.SIGTERM)

    def kill(process: Identity) -> None:
        """End the process, and all of its group if it leads one, at once."""
        with suppress(ProcessLookupError):
            # While the leader is there, nobody else can have its group's number.
            if os.getpgid(process.pid) == process.pid and is_alive(process):
                os.killpg(process.pid, signal.SIGKILL)
            else:
                _send(process, signal.SIGKILL)


if sys.platform == "linux":

    def _send(process: Identity, number: signal.Signals) -> None:
        try:
            descriptor = os.pidfd_open(process.pid)
        except ProcessLookupError:
            return
        except OSError:  # an old kernel, or a sandbox that forbids it
            _send_by_number(process, number)
            return
        try:
            # What was opened before it was recognised is what is signalled, whoever has the pid by then.
            if is_alive(process):
                with suppress(ProcessLookupError):
                    signal.pidfd_send_signal(descriptor, number)
        finally:
            os.close(descriptor)

elif sys.platform != "win32":

    def _send(process: Identity, number: signal.Signals) -> None:
        _send_by_number(process, number)


def _send_by_number(process: Identity, number: signal.Signals) -> None:
    if is_alive(process):
        with suppress(ProcessLookupError):
            os.kill(process.pid, number)
