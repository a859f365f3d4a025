"""A project of its own for one test, driven through the installed console script as a user would drive it."""

import json
import os
import secrets
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from images.choice import Images
from images.docker_cli import docker_json, docker_output
from images.stand_in import CHECKOUT

__all__ = [
    "JINA_IMAGE",
    "Reply",
    "Stack",
    "dead_socket",
    "free_ports",
    "native_stack",
    "parse",
    "stack_without_engine",
    "temporary_stack",
]

JINA_IMAGE = f"embctl-tests/jina:{CHECKOUT}"
PROGRAM = str(Path(sys.executable).parent / "embctl")
PROJECT_LABEL = "io.embctl.project"
# A first start builds the image; nothing here judges how long that takes, this only ends what hangs.
PATIENCE = 1500.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What one command line came to."""

    exit_code: int
    envelope: dict[str, Any]
    stderr: str

    @property
    def data(self) -> Any:
        """The command's data."""
        return self.envelope["data"]

    @property
    def error(self) -> dict[str, Any]:
        """The error object, empty when the command succeeded."""
        return self.envelope["error"] or {}

    def service(self, name: str) -> dict[str, Any]:
        """What `data` says about one service."""
        found: dict[str, Any] = next(each for each in self.data["services"] if each["service"] == name)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """A project: its name, its ports, the settings it runs with, and the folder that is its user's home."""

    name: str
    folder: Path
    qdrant_port: int
    jina_port: int
    settings: Mapping[str, str] = field(default_factory=dict)
    program: str = PROGRAM

    @property
    def qdrant_url(self) -> str:
        """Where this project's database answers."""
        return f"http://127.0.0.1:{self.qdrant_port}"

    @property
    def jina_url(self) -> str:
        """Where this project's embedding server answers."""
        return f"http://127.0.0.1:{self.jina_port}"

    def having(self, **settings: str) -> "Stack":
        """The same project with other settings, named as environment variables."""
        return replace(self, settings={**self.settings, **settings})

    def environment(self) -> dict[str, str]:
        """The whole environment of a command: the host's without its settings of embctl, then this project's."""
        own = {
            "HOME": str(self.folder),
            "XDG_CONFIG_HOME": str(self.folder / "config"),
            "XDG_STATE_HOME": str(self.folder / "state"),
            "XDG_DATA_HOME": str(self.folder / "data"),
            "EMBCTL_QDRANT_PORT": str(self.qdrant_port),
            "EMBCTL_JINA_PORT": str(self.jina_port),
            "EMBCTL_JINA_IMAGE": JINA_IMAGE,
            "EMBCTL_MODEL": "minilm",
        }
        host = {key: value for key, value in os.environ.items() if not key.startswith("EMBCTL_")}
        here = {**host, **own, **self.settings}
        return here if "DOCKER_HOST" in here else {**here, "DOCKER_HOST": _engine_address()}

    def command(self, *arguments: str, output: str = "json") -> list[str]:
        """The command line."""
        return [self.program, *arguments, "--project", self.name, "-o", output]

    def run(self, *arguments: str) -> Reply:
        """Run one command and read its envelope."""
        done = subprocess.run(
            self.command(*arguments),
            check=False,
            capture_output=True,
            text=True,
            cwd=self.folder,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            timeout=PATIENCE,
        )
        return parse(done.returncode, done.stdout, done.stderr)

    def succeed(self, *arguments: str) -> Reply:
        """Run one command that has to succeed."""
        reply = self.run(*arguments)
        assert reply.exit_code == 0, f"{arguments}: {json.dumps(reply.envelope, indent=2)}\n{reply.stderr}"
        return reply

    def open(self, *arguments: str, output: str = "jsonl") -> "subprocess.Popen[str]":
        """Start one command and let it run."""
        return subprocess.Popen(
            self.command(*arguments, output=output),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.folder,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
        )

    def container(self, service: str) -> dict[str, Any]:
        """The engine's own description of the service's container."""
        found: dict[str, Any] = docker_json("container", "inspect", f"{self.name}-{service}")[0]
        return found

    def things(self) -> dict[str, list[str]]:
        """Everything on the engine that carries this project's label, by kind."""
        label = f"label={PROJECT_LABEL}={self.name}"
        return {
            "container": docker_output("ps", "--all", "--quiet", "--filter", label).split(),
            "network": docker_output("network", "ls", "--quiet", "--filter", label).split(),
            "volume": docker_output("volume", "ls", "--quiet", "--filter", label).split(),
        }

    def remove(self) -> None:
        """Take everything of this project off the engine, without embctl's help."""
        for kind, names in self.things().items():
            if names:
                force = ["--force", "--volumes"] if kind == "container" else []
                docker_output(kind, "rm", *force, *names)


def parse(exit_code: int, stdout: str, stderr: str) -> Reply:
    """Read the one envelope on standard output, and hold it to what is documented of every envelope."""
    assert stdout.strip(), f"no envelope, exit code {exit_code}:\n{stderr}"
    envelope = json.loads(stdout)
    keys = {"schema", "command", "ok", "changed", "exit_code", "data", "warnings", "error"}
    assert keys == set(envelope) - {"type"}
    assert envelope["schema"] == "embctl/1"
    assert envelope["exit_code"] == exit_code
    assert envelope["ok"] == (envelope["error"] is None)
    if envelope["error"]:
        assert set(envelope["error"]) == {"code", "category", "message", "retryable", "details", "actions"}
    return Reply(exit_code=exit_code, envelope=envelope, stderr=stderr)


@contextmanager
def temporary_stack(folder: Path, images: Images) -> Iterator[Stack]:
    """A project with a random name, free ports and these images, which leaves nothing on the engine."""
    qdrant_port, jina_port = free_ports(2)
    stack = Stack(
        name=f"t-{secrets.token_hex(4)}",
        folder=folder,
        qdrant_port=qdrant_port,
        jina_port=jina_port,
        settings=images.settings,
    )
    try:
        yield stack
    finally:
        stack.remove()


@contextmanager
def native_stack(folder: Path) -> Iterator[Stack]:
    """A project without containers, with a random name and free ports, that leaves no process behind."""
    qdrant_port, jina_port = free_ports(2)
    settings = {"EMBCTL_RUNTIME": "native", "DOCKER_HOST": dead_socket(folder)}
    name = f"t-{secrets.token_hex(4)}"
    stack = Stack(name=name, folder=folder, qdrant_port=qdrant_port, jina_port=jina_port, settings=settings)
    try:
        yield stack
    finally:
        stack.succeed("down", "--volumes", "--yes")


def stack_without_engine(folder: Path, program: str = PROGRAM) -> Stack:
    """A project whose engine does not answer, for what has to be told before anybody asks one."""
    settings = {"DOCKER_HOST": dead_socket(folder)}
    return Stack(name="t-alone", folder=folder, qdrant_port=6333, jina_port=4000, settings=settings, program=program)


def dead_socket(folder: Path) -> str:
    """An engine address at which nobody answers."""
    return f"unix://{folder}/nobody.sock"


def free_ports(count: int) -> tuple[int, ...]:
    """Loopback ports that nobody holds right now."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return tuple(int(each.getsockname()[1]) for each in sockets)


def _engine_address() -> str:
    """The engine that the docker command talks to: a home of its own must not change which one that is."""
    return docker_output("context", "inspect", "--format", "{{.Endpoints.docker.Host}}")
