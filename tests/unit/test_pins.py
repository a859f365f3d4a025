"""The exact versions in server/constraints.txt agree with what the code asks for, and the images install by them."""

import re
from pathlib import Path

import pytest

from embctl.compose.context import build_spec
from pins import CONSTRAINTS, REQUIREMENTS, SERVER, pins

STAND_IN = Path(__file__).parents[1] / "images" / "qdrant"


@pytest.mark.parametrize("requirements", REQUIREMENTS, ids=lambda file: file.stem)
def test_every_requirement_is_pinned_at_the_version_that_the_code_asks_for(requirements: Path) -> None:
    asked = pins(requirements)

    assert asked
    assert pins(CONSTRAINTS).items() >= asked.items(), "run: python tests/pins.py"


def test_each_pin_is_one_exact_version_of_any_build() -> None:
    versions = pins(CONSTRAINTS)

    assert [name for name, version in versions.items() if not re.fullmatch(r"[0-9a-z.]+", version)] == []


@pytest.mark.parametrize("folder", [SERVER, STAND_IN], ids=["embserver", "stand-in"])
def test_every_installation_of_an_image_keeps_to_the_pins(folder: Path) -> None:
    dockerfile = (folder / "Dockerfile").read_text(encoding="utf-8")
    installations = dockerfile.count("pip install")

    assert installations > 0
    assert dockerfile.count("pip install -c /tmp/constraints.txt ") == installations


def test_another_pin_makes_another_image() -> None:
    assert CONSTRAINTS.name in build_spec(SERVER, "Dockerfile", None, {}).files
