"""Compose sees embctl's containers as one project of its own kind, and may look at them and stop them."""

import subprocess
from pathlib import Path

import pytest

from compose_reference import COMMANDS, find
from e2e.stack import Stack

pytestmark = pytest.mark.engine

# Compose 1.29 wants a file; it reads only the services' names from it here.
FILE = "services:\n  qdrant: {image: any}\n  jina: {image: any}\n"


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_compose_lists_shows_and_stops_the_project(stack: Stack, tmp_path: Path, command: tuple[str, ...]) -> None:
    if find(command) is None:
        pytest.skip(f"{' '.join(command)} is not installed")
    file = tmp_path / "compose.yaml"
    file.write_text(FILE, encoding="utf-8")

    def compose(*arguments: str) -> str:
        argv = [*command, "-p", stack.name, "-f", str(file), *arguments]
        return subprocess.run(argv, check=True, capture_output=True, text=True).stdout

    stack.succeed("start", "all")
    ids = {stack.container(service)["Id"] for service in ("qdrant", "jina")}
    assert set(compose("ps", "-q").split()) == ids
    assert "listening" in compose("logs", "jina")

    compose("stop")

    states = {each["service"]: each["state"] for each in stack.succeed("status").data["services"]}
    assert states == {"qdrant": "exited", "jina": "exited"}
