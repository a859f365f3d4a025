"""The docker command for image scripts and end-to-end tests: a way to the engine apart from embctl's own, so that its
adapter is never checked with itself."""

import json
import subprocess
import sys
from typing import Any

__all__ = ["docker", "docker_json", "docker_output", "engine_answers", "image_id", "image_labels", "image_size"]


def docker(*arguments: str, stdin: bytes | None = None) -> None:
    """Run `docker ...`; its output goes to stderr, a failure raises."""
    subprocess.run(["docker", *arguments], check=True, stdout=sys.stderr, input=stdin)


def docker_output(*arguments: str) -> str:
    """Run `docker ...` and return what it printed, stripped."""
    return subprocess.run(["docker", *arguments], check=True, capture_output=True, text=True).stdout.strip()


def docker_json(*arguments: str) -> Any:
    """The JSON array that an inspecting `docker ...` command prints, empty when nothing is there."""
    done = subprocess.run(["docker", *arguments], check=False, capture_output=True, text=True)
    return json.loads(done.stdout or "[]")


def image_labels(reference: str) -> dict[str, str] | None:
    """The labels of a local image, None when the engine has no such image."""
    found = docker_json("image", "inspect", reference)
    return (found[0]["Config"].get("Labels") or {}) if found else None


def image_id(reference: str) -> str:
    """The engine's id of a local image."""
    return docker_output("image", "inspect", "--format", "{{.Id}}", reference)


def image_size(reference: str) -> int | None:
    """The size of a local image in bytes, None when the engine has no such image."""
    found = docker_json("image", "inspect", reference)
    return int(found[0]["Size"]) if found else None


def engine_answers() -> bool:
    """Whether `docker info` reaches an engine."""
    try:
        done = subprocess.run(["docker", "info"], check=False, capture_output=True)
    except FileNotFoundError:
        return False
    return done.returncode == 0
