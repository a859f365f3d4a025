"""What the images have installed is what server/constraints.txt pins, no more and no less."""

import json

import pytest

from e2e.stack import JINA_IMAGE, Stack
from images.choice import Images
from images.docker_cli import docker_output
from pins import CONSTRAINTS, comes_with_torch, normalised, pins

pytestmark = pytest.mark.engine


def installed(image: str) -> dict[str, str]:
    """The version of each package in the image's environment, whatever its build; not pip, which comes with Python."""
    listing = docker_output(
        "run", "--rm", "--network", "none", "--entrypoint", "python", image, "-m", "pip", "list", "--format", "json"
    )
    found = {normalised(each["name"]): each["version"].partition("+")[0] for each in json.loads(listing)}
    return {name: version for name, version in found.items() if name != "pip" and not comes_with_torch(name)}


@pytest.fixture
def embedding_server(stack: Stack) -> dict[str, str]:
    """What the embedding server's image has installed."""
    stack.succeed("pull", "jina")
    return installed(JINA_IMAGE)


@pytest.fixture
def stand_in(images: Images) -> dict[str, str]:
    """What the stand-in for Qdrant's image has installed."""
    if "EMBCTL_QDRANT_IMAGE" not in images.settings:
        pytest.skip("the pinned image of Qdrant has no Python packages")
    return installed(images.settings["EMBCTL_QDRANT_IMAGE"])


def test_every_package_of_the_embedding_server_is_pinned_at_its_version(embedding_server: dict[str, str]) -> None:
    assert "torch" in embedding_server
    assert embedding_server.items() - pins(CONSTRAINTS).items() == set()


def test_every_package_of_the_stand_in_is_pinned_at_its_version(stand_in: dict[str, str]) -> None:
    del stand_in["setuptools"]  # of Python's own venv: nothing in this image asks for it

    assert "qdrant-edge-py" in stand_in
    assert stand_in.items() - pins(CONSTRAINTS).items() == set()


def test_nothing_is_pinned_that_no_image_installs(embedding_server: dict[str, str], stand_in: dict[str, str]) -> None:
    assert pins(CONSTRAINTS).keys() == embedding_server.keys() | stand_in.keys()
