"""`python -m embctl.engine.native.supervisor FOLDER TOKEN`: looks after the process of one container until it ends for
good or is to stop. Outlives the embctl that started it, and its terminal.

It alone writes the container's status as long as it lives. If it is killed the process goes on: what it writes is kept,
and whoever acts on the container next takes over. A signal to the supervisor means "stop" too, so that a machine that
shuts down stops its services properly.
"""

import os
import signal
import sys
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import FrameType

from embctl.engine.native.child import CANNOT_START, KILLED, TERMINATED, UNSEEN, Adopted, Child, Launch, spawn
from embctl.engine.native.container import Container
from embctl.engine.native.identity import Identity, identify, is_alive, kill, terminate
from embctl.engine.native.intake import Intake
from embctl.engine.native.locking import hold
from embctl.engine.native.policy import Backoff, restarts
from embctl.engine.native.records import Definition, Phase, RecordBroken, Status, stamp

__all__ = ["Supervision", "main"]

TURN = 0.05
# What has been silent for a while is looked after more seldom: a laptop should sleep.
QUIET_TURN = 0.2
QUIET_AFTER = 5.0
# Whoever held the lock before may be about to leave.
PATIENCE = 5.0
APART = "apart"


class Supervision:
    """From one start of a container to its end."""

    def __init__(self, container: Container, definition: Definition, status: Status) -> None:
        self.signalled = False
        self._starter_listens = True
        self._container = container
        self._definition = definition
        self._intake = Intake(container, definition)
        self._status = replace(status, supervisor=identify(os.getpid()), restarts=0, error="")
        self._untold = False

    def run(self) -> None:
        """Until the process ended for good."""
        orphan = self._status.process
        child: Child | None = Adopted(orphan) if orphan and is_alive(orphan) else None
        backoff = Backoff()
        while True:
            began = time.monotonic()
            code, error = self._one_run(child)
            never_ran = self._status.phase is Phase.STARTING
            child = None
            if never_ran or self._grace() is not None or not restarts(self._definition.restart, code):
                break
            count = self._status.restarts + 1
            self._tell(phase=Phase.RESTARTING, process=None, exit_code=code, error=error, restarts=count)
            if self._is_to_stop_within(backoff.after(time.monotonic() - began)):
                break
        self._tell(phase=Phase.EXITED, process=None, exit_code=code, error=error)

    def _one_run(self, child: Child | None) -> tuple[int, str]:
        """The exit code, and the reason why there was no run."""
        if child is None:
            self._intake.finish()
            try:
                child = self._spawn()
            except OSError as error:
                self._status = replace(self._status, process=None)
                return CANNOT_START, f"{error.strerror}: {error.filename}"
        else:
            self._tell(phase=Phase.RUNNING, exit_code=None)
        deadline, killed, spoke = None, False, time.monotonic()
        while not child.ended():
            grace = self._grace()
            if grace is not None and deadline is None:
                terminate(child.identity)
                deadline = time.monotonic() + grace
            if deadline is not None and time.monotonic() >= deadline:
                kill(child.identity)
                killed = True
            if self._intake.transfer():
                spoke = time.monotonic()
            if self._untold:
                self._tell()
            quiet = deadline is None and time.monotonic() - spoke > QUIET_AFTER
            time.sleep(QUIET_TURN if quiet else TURN)
        code = child.bury()
        self._intake.finish()
        if code == UNSEEN and deadline is not None:
            code = KILLED if killed else TERMINATED
        return code, ""

    def _spawn(self) -> Child:
        definition = self._definition
        paths = (definition.search_path, os.environ.get("PYTHONPATH", ""))
        launch = Launch(
            argv=definition.argv,
            environment={
                **os.environ,
                "PYTHONPATH": os.pathsep.join(filter(None, paths)),
                # Its output goes to a file: Python would hold lines back until there are 8 KiB of them.
                "PYTHONUNBUFFERED": "1",
                **definition.environment,
            },
            folder=self._container.work,
            output=self._intake.open(),
            open_files=definition.open_files,
        )
        began = stamp()
        child = spawn(launch, self._is_to_begin)
        self._tell(phase=Phase.RUNNING, exit_code=None, error="", started_at=began)
        return child

    def _is_to_begin(self, process: Identity) -> None:
        # Unlike any later change: a process of which no record tells must not begin, were the disk full.
        self._status = replace(self._status, process=process)
        self._container.tell(self._status)

    def _grace(self) -> float | None:
        """How long the process has to end, once it is to."""
        try:
            asked = self._container.asked_to_stop()
        except RecordBroken:
            asked = self._definition.grace
        # Without its records nobody could ever stop it again.
        if asked is None and (self.signalled or not self._container.folder.exists()):
            return self._definition.grace
        return asked

    def _is_to_stop_within(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            if self._grace() is not None:
                return True
            time.sleep(min(left, TURN))
        return self._grace() is not None

    def _tell(self, **changes: object) -> None:
        """Write the status down, later if the disk is full."""
        self._status = replace(self._status, **changes)  # type: ignore[arg-type]  # fields of Status, named by callers above
        try:
            self._container.tell(self._status)
            self._untold = False
        except OSError:
            self._untold = True
        if self._starter_listens and self._status.phase is not Phase.STARTING:
            self._starter_listens = False
            self._let_go_of_starter()

    def _let_go_of_starter(self) -> None:
        """Who started us listens until all is told; what is said from now on is for whoever looks for a fault."""
        try:
            log = os.open(self._container.supervisor_log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        except OSError:
            log = os.open(os.devnull, os.O_WRONLY)
        for descriptor in (1, 2):
            os.dup2(log, descriptor)
        os.close(log)


def main(arguments: list[str]) -> None:
    """Supervise the container whose folder and start the `arguments` name, unless that start is out of date."""
    _detach(arguments)
    folder, token = Path(arguments[0]), arguments[1]
    container = Container(state=folder.parent.parent, id=folder.name)
    with ExitStack() as stack:
        try:
            held = stack.enter_context(hold(container.lock, patience=PATIENCE))
        except FileNotFoundError:
            return
        definition, status = container.definition(), container.status()
        if not held or definition is None or status is None or status.token != token:
            return
        supervision = Supervision(container, definition, status)

        def stop(_number: int, _frame: FrameType | None) -> None:
            supervision.signalled = True

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        supervision.run()


def _detach(arguments: list[str]) -> None:
    """Go on in a process of which the starter knows nothing, so that it has none to wait for, in a session, or on
    Windows on a console, of its own."""
    if sys.platform == "win32":
        import subprocess  # noqa: PLC0415 - not needed elsewhere

        if APART not in arguments:
            subprocess.Popen(  # noqa: S603 - this very module
                (sys.executable, "-P", "-m", "embctl.engine.native.supervisor", *arguments, APART),
                stdin=subprocess.DEVNULL,
                stdout=1,
                stderr=2,
                creationflags=subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP,
            )
            os._exit(0)
    else:
        if os.fork():
            os._exit(0)
        os.setsid()
        signal.signal(signal.SIGHUP, signal.SIG_IGN)


if __name__ == "__main__":
    main(sys.argv[1:])
