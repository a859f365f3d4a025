"""A server as a process of its own: started, watched and stopped; Linux only, for its figures come from /proc."""

import contextlib
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil

from servers.client import ready
from servers.contenders import Start
from servers.environments import CannotRun

__all__ = ["Running", "free_port", "started"]

_READY_SECONDS = 300
_STOP_SECONDS = 20
_WATCH_SECONDS = 0.5
_MB = 2**20


class Running:
    """A process that answers; `limit_mb` is the resident memory at which it is killed, to spare the machine."""

    def __init__(self, process: subprocess.Popen[bytes], url: str, limit_mb: int) -> None:
        self.url = url
        self.too_large = False
        self._process = process
        self._limit = limit_mb * _MB
        self._over = threading.Event()
        self._watch = threading.Thread(target=self._guard, daemon=True)
        self._watch.start()

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return self._process.poll() is None

    def cpu_seconds(self) -> float:
        """User and system time so far, children that still run included."""
        return sum(times.user + times.system for times in (one.cpu_times() for one in self._all()))

    def peak_mb(self) -> float:
        """Largest resident memory since the start or the last `forget_peak`."""
        return sum(_status(one.pid, "VmHWM") for one in self._all()) / 1024

    def forget_peak(self) -> None:
        """Let the peak begin anew at what is resident now."""
        for one in self._all():
            Path(f"/proc/{one.pid}/clear_refs").write_text("5", encoding="ascii")

    @contextlib.contextmanager
    def halted(self) -> Iterator[None]:
        """For the block, none of its threads runs. That it ended, whoever waits for its answers learns."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGCONT)

    def stop(self) -> None:
        """SIGTERM, and SIGKILL where that is not obeyed."""
        self._over.set()
        os.killpg(self._process.pid, signal.SIGTERM)
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self._watch.join()

    def why_it_failed(self, error: Exception) -> str:
        """A line for the table."""
        if self.too_large:
            return f"stopped at {self._limit // _MB} MB of resident memory"
        return f"{type(error).__name__}: {error}"[:160] if self.alive else f"exited with {self._process.returncode}"

    def _all(self) -> list[psutil.Process]:
        try:
            first = psutil.Process(self._process.pid)
            return [first, *first.children(recursive=True)]
        except psutil.NoSuchProcess:
            raise CannotRun("the server ended") from None

    def _guard(self) -> None:
        # Seldom, for looking takes a millisecond of the very cores that are measured.
        while not self._over.wait(_WATCH_SECONDS):
            try:
                taken = sum(one.memory_info().rss for one in self._all())
            except (CannotRun, psutil.Error):
                return
            if taken > self._limit:
                self.too_large = True
                os.killpg(self._process.pid, signal.SIGKILL)


@contextlib.contextmanager
def started(start: Callable[[int], Start], log: Path, limit_mb: int) -> Iterator[Running]:
    """The server, once it has embedded a text. Raises CannotRun, with its last line, where it never does."""
    port = free_port()
    begin = start(port)
    with log.open("wb") as output:
        process = subprocess.Popen(
            begin.command, env={**os.environ, **begin.env}, stdout=output, stderr=output, start_new_session=True
        )
        running = Running(process, f"http://127.0.0.1:{port}", limit_mb)
        try:
            deadline = time.monotonic() + _READY_SECONDS
            while not ready(running.url):
                if not running.alive or time.monotonic() > deadline:
                    raise CannotRun(f"never ready; {_last_line(log)}")
                time.sleep(0.1)
            yield running
        finally:
            if running.alive:
                running.stop()


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _status(pid: int, field: str) -> int:
    """A size of /proc/PID/status, in KiB."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return int(status.split(f"{field}:")[1].split()[0])


def _last_line(log: Path) -> str:
    lines = [line for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    return lines[-1][:160] if lines else "it printed nothing"
