"""An engine of a test's own, to break: a second daemon with its own process, network and mount namespaces.

Linux, root and an installed dockerd only. Whatever it runs dies with it.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from e2e.waiting import until
from images.docker_cli import docker_output

__all__ = ["PrivateEngine", "private_engine", "small_disk"]


class PrivateEngine:
    """A running daemon; `address` is what embctl's --host takes."""

    def __init__(self, folder: Path, process: "subprocess.Popen[bytes]") -> None:
        self.address = f"unix://{folder}/docker.sock"
        self._log = folder / "dockerd.log"
        self._process = process

    def answers(self) -> bool:
        """Whether it takes requests yet; fails the test when it died instead."""
        assert self._process.poll() is None, self._log.read_text()
        return subprocess.run(["docker", "-H", self.address, "info"], check=False, capture_output=True).returncode == 0

    def copy_image(self, reference: str) -> None:
        """Give it the file system of an image that the usual engine has, under the same name."""
        container = docker_output("create", reference)
        try:
            with subprocess.Popen(["docker", "export", container], stdout=subprocess.PIPE) as export:
                command = ["docker", "-H", self.address, "import", "-", reference]
                subprocess.run(command, check=True, stdin=export.stdout, capture_output=True)
        finally:
            docker_output("rm", container)

    def kill(self) -> None:
        """End it at once, and with it everything that it runs."""
        self._process.kill()
        self._process.wait()


@contextmanager
def private_engine(data_root: Path | None = None) -> Iterator[PrivateEngine]:
    """Start a daemon and wait until it answers; skips where that is impossible, except in CI."""
    if shutil.which("dockerd") is None or shutil.which("unshare") is None or os.geteuid() != 0:
        if os.environ.get("CI") == "true":
            pytest.fail("CI demands the engine tests: they need root, dockerd and unshare")
        pytest.skip("an engine of the test's own needs Linux, root and dockerd")
    # Not pytest's folder: the path of a socket is limited to 107 bytes.
    folder = Path(tempfile.mkdtemp(prefix="engine-"))
    command = ["unshare", "--net", "--pid", "--fork", "--kill-child", "--mount-proc", "dockerd"]
    options = {
        "--host": f"unix://{folder}/docker.sock",
        "--data-root": str(data_root or folder / "data"),
        "--exec-root": str(folder / "exec"),
        "--pidfile": str(folder / "pid"),
    }
    with (folder / "dockerd.log").open("wb") as log:
        process = subprocess.Popen(
            [*command, *(f"{name}={value}" for name, value in options.items())], stdout=log, stderr=log
        )
    engine = PrivateEngine(folder, process)
    try:
        until(engine.answers)
        yield engine
    finally:
        engine.kill()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def small_disk(megabytes: int) -> Iterator[Path]:
    """A file system of that size, in memory."""
    folder = Path(tempfile.mkdtemp(prefix="disk-"))
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)
        folder.rmdir()
