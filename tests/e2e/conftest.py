"""Fixtures of the end-to-end tests: an engine that answers, images to run, a project for each test."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from e2e.stack import Stack, temporary_stack
from images.base import CannotMake
from images.choice import Images, choose
from images.docker_cli import engine_answers


@pytest.fixture(scope="session")
def engine() -> None:
    """A container engine: without one a test is skipped, except in CI, where it fails."""
    if not engine_answers():
        cannot_run("no container engine answers")


@pytest.fixture(scope="session")
def images(engine: None) -> Images:  # noqa: ARG001 - nothing can be made without one
    """The images to run on: where there are none, a test is skipped, except in CI, where it fails."""
    try:
        return choose(os.environ)
    except CannotMake as reason:
        cannot_run(str(reason))


@pytest.fixture
def stack(images: Images, tmp_path: Path) -> Iterator[Stack]:
    """A project of the test's own, off the engine again afterwards."""
    with temporary_stack(tmp_path, images) as stack:
        yield stack


def cannot_run(reason: str) -> NoReturn:
    """End the test for what this machine lacks."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"CI demands this test, and {reason}")
    pytest.skip(reason)
