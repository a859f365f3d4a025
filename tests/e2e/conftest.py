"""Fixtures of the end-to-end tests: an engine that answers, images made here, a project for each test."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.stack import Stack, temporary_stack
from images.docker_cli import docker, docker_output, engine_answers, image_labels
from images.stand_in import STAND_IN_LABEL, ensure_stand_in, pinned_qdrant


@pytest.fixture(scope="session")
def engine() -> None:
    """A container engine: without one a test is skipped, except in CI, where it fails."""
    if engine_answers():
        return
    if os.environ.get("CI") == "true":
        pytest.fail("CI demands the engine tests, and no container engine answers")
    pytest.skip("no container engine answers")


@pytest.fixture(scope="session")
def images(engine: None) -> Iterator[None]:  # noqa: ARG001 - nothing can be made without one
    """The images that the definition names: stand-ins made here, or with E2E_REAL_IMAGES=1 the real ones, pulled.

    The stand-in carries Qdrant's name while the tests run, and no longer.
    """
    if os.environ.get("E2E_REAL_IMAGES") == "1":
        yield
        return
    stand_in, pinned = ensure_stand_in(os.environ), pinned_qdrant()
    before = image_labels(pinned)
    if before is not None and STAND_IN_LABEL not in before:
        yield
        return
    docker("tag", stand_in, pinned)
    yield
    if before is None:
        docker_output("image", "rm", pinned)


@pytest.fixture
def stack(images: None, tmp_path: Path) -> Iterator[Stack]:  # noqa: ARG001 - they must be there
    """A project of the test's own, off the engine again afterwards."""
    with temporary_stack(tmp_path) as stack:
        yield stack
