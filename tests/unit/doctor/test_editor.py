"""Editors' files as they are on disk, and extensions that do not get on."""

from pathlib import Path

import pytest

from embctl.doctor.editor import EDITOR
from embctl.flows.editor_choice import Choice, Machine
from embctl.flows.editors import install, status
from embctl.outcomes import Finding, Remedy, RemedyKind, Verdict
from embctl.vscode.hotkeys import System
from fakes.contexts import context_on
from fakes.fake_engine import FakeEngine
from fakes.scenes import examined, make_scene
from fakes.stacks import make_stack


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A home with VS Code, started once, and with embctl's tasks in it."""
    home = tmp_path / "home"
    program = home / "bin" / "embctl"
    program.parent.mkdir(parents=True)
    program.touch(mode=0o755)
    (home / ".config" / "Code" / "User").mkdir(parents=True)
    machine = Machine(env={}, home=home, system=System.LINUX, called=str(program), executable="/nowhere/python")
    with context_on(FakeEngine(), make_stack(), tmp_path) as context:
        install(context, machine, Choice())
    return machine


def found(folder: Path, machine: Machine) -> dict[str, Finding]:
    editors = status(machine, Choice()).data.editors
    with make_scene(folder, editors=editors) as scene:
        return examined(EDITOR, scene)


def tasks_of(machine: Machine) -> Path:
    return machine.home / ".config" / "Code" / "User" / "tasks.json"


def test_tasks_that_are_up_to_date_are_well(tmp_path: Path, machine: Machine) -> None:
    assert found(tmp_path, machine)["editor.tasks"].verdict is Verdict.OK


def test_tasks_of_another_embctl_can_be_renewed(tmp_path: Path, machine: Machine) -> None:
    tasks = tasks_of(machine)
    tasks.write_text(tasks.read_text().replace('"restart"', '"restart-everything"'))
    seen = found(tmp_path, machine)["editor.tasks"]
    assert (seen.verdict, seen.remedies) == (Verdict.WARN, (Remedy(kind=RemedyKind.HOTKEYS, subject="code"),))


def test_tasks_whose_embctl_is_gone_can_be_renewed(tmp_path: Path, machine: Machine) -> None:
    tasks = tasks_of(machine)
    tasks.write_text(tasks.read_text().replace("/bin/embctl", "/old/embctl"))
    assert "is gone" in found(tmp_path, machine)["editor.tasks"].evidence


def test_a_file_that_the_editor_cannot_read_either_fails(tmp_path: Path, machine: Machine) -> None:
    tasks_of(machine).write_text("{")
    assert found(tmp_path, machine)["editor.tasks"].verdict is Verdict.FAIL


def test_an_editor_without_tasks_of_ours_is_skipped(tmp_path: Path) -> None:
    with make_scene(tmp_path) as scene:
        assert examined(EDITOR, scene)["editor.tasks"].verdict is Verdict.SKIPPED


@pytest.mark.parametrize(
    ("extensions", "verdict"),
    [
        ((), Verdict.SKIPPED),
        (("ms-python.python-2026.1",), Verdict.SKIPPED),
        (("zoocodeorganization.zoo-code-3.82.0",), Verdict.OK),
        (("zoocodeorganization.zoo-code-3.81.0", "zoocodeorganization.zoo-code-3.82.0"), Verdict.OK),
        (("RooVeterinaryInc.roo-cline-3.52.1", "kilocode.kilo-code-7.0.0"), Verdict.WARN),
    ],
)
def test_two_indexers_that_name_collections_alike_are_a_warning(
    tmp_path: Path, extensions: tuple[str, ...], verdict: Verdict
) -> None:
    for name in extensions:
        (tmp_path / ".vscode" / "extensions" / name).mkdir(parents=True)
    with make_scene(tmp_path) as scene:
        assert examined(EDITOR, scene)["editor.indexers"].verdict is verdict
