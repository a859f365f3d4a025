"""The embedded store as its users run it: `python -m embstore` in a process of its own, on a real port."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any, Self

__all__ = ["SERVER", "StoreProcess", "free_port"]

SERVER = Path(__file__).resolve().parent.parent / "server"
_POLL_SECONDS = 0.05
_START_SECONDS = 60


def free_port() -> int:
    """A port that nobody listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class StoreProcess:
    """A running store; leaving the `with` block kills it if it still runs."""

    def __init__(self, storage: Path, **env: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        variables = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(SERVER),
            "QDRANT__SERVICE__HTTP_PORT": str(self.port),
            "QDRANT__STORAGE__STORAGE_PATH": str(storage),
        }
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the process
        self.process = subprocess.Popen(
            [sys.executable, "-m", "embstore"],
            env=variables | env,
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )

    def __enter__(self) -> Self:
        self.wait_until_ready()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self.process.poll() is None:
            self.kill()
        self._log.close()

    def wait_until_ready(self) -> None:
        """Return once /readyz answers 200; fail with the log when the process ends before that."""
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise AssertionError(f"the store ended with {self.process.returncode}: {self.end()[1]}")
            try:
                with urllib.request.urlopen(f"{self.url}/readyz", timeout=5):  # noqa: S310 - our own URL
                    return
            except (urllib.error.URLError, OSError):
                time.sleep(_POLL_SECONDS)
        raise AssertionError("the store did not become ready")

    def call(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """One request; the status and the parsed body, of errors too."""
        request = urllib.request.Request(  # noqa: S310 - our own URL
            self.url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as reply:  # noqa: S310 - our own URL
                return reply.status, json.load(reply)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)

    def kill(self) -> None:
        """SIGKILL, as the kernel's out-of-memory killer would."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> tuple[int, str]:
        """SIGTERM, and the exit code and log that it led to."""
        self.process.send_signal(signal.SIGTERM)
        return self.end()

    def log(self) -> str:
        """What it has logged so far."""
        # Read by position: the process writes through the same open file.
        return os.pread(self._log.fileno(), os.fstat(self._log.fileno()).st_size, 0).decode()

    def end(self) -> tuple[int, str]:
        """Wait for the process to end by itself; its exit code and log."""
        code = self.process.wait(timeout=60)
        with self._log:
            self._log.seek(0)
            return code, self._log.read().decode()
