"""The supervised process: how it begins, and how it is buried."""

import os
import signal
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, Protocol

from embctl.engine.native.identity import Identity, identify, is_alive

__all__ = ["CANNOT_START", "KILLED", "TERMINATED", "UNSEEN", "Adopted", "Child", "Launch", "spawn"]

CANNOT_START = 127
KILLED = 137
TERMINATED = 143
# As Docker says it of a process that nobody saw end.
UNSEEN = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """What to start. `output` are descriptors of stdout and stderr, given away; `open_files` is 0 for no wish."""

    argv: tuple[str, ...]
    environment: Mapping[str, str]
    folder: Path
    output: tuple[int, int]
    open_files: int


class Child(Protocol):
    """A process under supervision."""

    identity: Identity

    def ended(self) -> bool:
        """Whether it is over."""

    def bury(self) -> int:
        """Once it ended: end what it left behind, and tell its exit code; a signal counts 128 and its number."""


class Adopted:
    """A process whose supervisor was killed. Only a parent learns how its child ended."""

    def __init__(self, process: Identity) -> None:
        self.identity = process

    def ended(self) -> bool:
        """See Child."""
        return not is_alive(self.identity)

    def bury(self) -> int:
        """See Child."""
        return UNSEEN


def spawn(launch: Launch, announce: Callable[[Identity], None]) -> Child:
    """Start the process, in a session of its own; OSError when that cannot be.

    It does nothing before `announce` has returned: were the supervisor killed in between, a process would run of which
    no record tells. (Not so on Windows.)
    """
    try:
        return _spawn(launch, announce)
    finally:
        for descriptor in launch.output:
            os.close(descriptor)


if sys.platform == "win32":
    import subprocess

    class _Own:
        def __init__(self, process: "subprocess.Popen[bytes]") -> None:
            self._process = process
            self.identity = identify(process.pid) or Identity(pid=process.pid, started="")

        def ended(self) -> bool:
            return self._process.poll() is not None

        def bury(self) -> int:
            return self._process.wait()

    def _spawn(launch: Launch, announce: Callable[[Identity], None]) -> Child:
        child = _Own(
            subprocess.Popen(  # noqa: S603 - what the definition says
                launch.argv,
                stdin=subprocess.DEVNULL,
                stdout=launch.output[0],
                stderr=launch.output[1],
                cwd=launch.folder,
                env=dict(launch.environment),
                creationflags=subprocess.CREATE_NEW_PROCESS_GROUP,
            )
        )
        announce(child.identity)
        return child

else:
    import resource

    class _Own:
        def __init__(self, pid: int) -> None:
            self.identity = identify(pid) or Identity(pid=pid, started="")

        def ended(self) -> bool:
            return not is_alive(self.identity)

        def bury(self) -> int:
            # The dead leader keeps the number of its group from being used again until it is waited for.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.identity.pid, signal.SIGKILL)
            code = os.waitstatus_to_exitcode(os.waitpid(self.identity.pid, 0)[1])
            return code if code >= 0 else 128 - code

    def _spawn(launch: Launch, announce: Callable[[Identity], None]) -> Child:
        gate, opener = os.pipe()
        failure, reporter = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(opener)
            _become(launch, gate, reporter)
        os.close(gate)
        os.close(reporter)
        child = _Own(pid)
        try:
            announce(child.identity)
            with suppress(BrokenPipeError):
                os.write(opener, b"!")
        except BaseException:
            os.close(opener)  # the gate stays shut, and the child leaves
            os.close(failure)
            os.waitpid(pid, 0)
            raise
        os.close(opener)
        try:
            reason = os.read(failure, 16)
        finally:
            os.close(failure)
        if reason:
            child.bury()
            raise OSError(int(reason), os.strerror(int(reason)), launch.argv[0])
        return child

    def _become(launch: Launch, gate: int, reporter: int) -> NoReturn:
        try:
            # What a program expects to find; the supervisor's own ways stay with the supervisor.
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGPIPE, signal.SIGXFSZ):
                signal.signal(number, signal.SIG_DFL)
            os.setsid()
            if os.read(gate, 1):
                _allow_files(launch.open_files)
                os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
                os.dup2(launch.output[0], 1)
                os.dup2(launch.output[1], 2)
                os.chdir(launch.folder)
                os.execvpe(launch.argv[0], launch.argv, launch.environment)  # noqa: S606 - what the definition says
        except OSError as error:
            os.write(reporter, b"%d" % (error.errno or 0))
        finally:
            os._exit(CANNOT_START)

    def _allow_files(wanted: int) -> None:
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        if soft != resource.RLIM_INFINITY and soft < most:
            with suppress(ValueError, OSError):
                resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
