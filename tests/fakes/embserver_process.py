"""`python -m embserver` as a user runs it: a process, a socket, its log lines."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import embserver


class ServerProcess:
    """A running server. `events` blocks until the log has a line of that name."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.lines: list[dict[str, Any]] = []
        self._grown = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def event(self, name: str) -> dict[str, Any]:
        """The first log line of that name; fails when the log ends without one."""
        with self._grown:
            while True:
                for line in self.lines:
                    if line["event"] == name:
                        return line
                assert self._reader.is_alive(), f"the log ended without {name}: {self.lines}"
                self._grown.wait(0.1)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.event('listening')['port']}"

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._grown:
                self.lines.append(json.loads(line))
                self._grown.notify_all()


@contextmanager
def running(variables: Mapping[str, str]) -> Iterator[ServerProcess]:
    """A server with these settings on a free port of loopback, killed at the end if it still runs."""
    root = Path(embserver.__file__).parent.parent
    environment = {**os.environ, "PYTHONPATH": str(root), "EMBSERVER_PORT": "0", **variables}
    command = [sys.executable, "-m", "embserver"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        server = ServerProcess(process)
        try:
            yield server
        finally:
            process.kill()
            process.wait()
