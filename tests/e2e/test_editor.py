"""The hotkeys in the real editor, on real services: wherever the focus is, each chord does what its task says."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from e2e.conftest import cannot_run
from e2e.stack import Stack, native_stack
from e2e.workbench import (
    DROPPED_AT_FIRST,
    CannotRun,
    Program,
    Window,
    in_the_home,
    installed,
    open_window,
    user_folder,
)

BOTH = {"qdrant", "jina"}
TASKS = """\
// My tasks, some of which I do not want any more.
{
    "version": "2.0.0",
    "tasks": [
        /* says hello, every time */
        {"label": "mine", "type": "shell", "command": "echo hello from my own task", "problemMatcher": []}, // keep
    ],
}
"""
KEYBINDINGS = """\
// Place your key bindings in this file to override the defaults
[
    {"key": "ctrl+alt+m", "command": "workbench.action.tasks.runTask", "args": "mine"}, // mine
    // {"key": "ctrl+shift+9", "command": "workbench.action.zoomIn"},
]
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """A window of the editor, where its focus is, and the services behind it."""

    window: Window
    focus: tuple[str, ...]
    stack: Stack

    def press(self, chord: str, task: str) -> str:
        """Press a chord where the focus is and wait for the end of its task; what that has printed."""
        return self.window.run(self.focus, chord, task)

    def ready(self) -> Mapping[str, str]:
        """The services that are ready, each with the time of its start."""
        seen = self.stack.succeed("status").data["services"]
        return {each["service"]: each["started_at"] for each in seen if each["stage"] == "warm"}

    def with_ready(self, *services: str) -> Mapping[str, str]:
        """The same, once exactly these are ready; the test before has mostly left it so."""
        ready = self.ready()
        if set(ready) != set(services):
            for service in sorted(BOTH):
                self.stack.succeed("start" if service in services else "stop", service)
            ready = self.ready()
        assert set(ready) == set(services)
        return ready


@pytest.fixture(scope="module")
def program() -> Program:
    """The editor and its browser: where they cannot be had a test is skipped, except in CI, where it fails."""
    try:
        return installed(os.environ)
    except CannotRun as reason:
        cannot_run(str(reason))


@pytest.fixture(scope="module")
def stack(program: Program, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:  # noqa: ARG001 - nothing starts without
    """The services of a user who has tasks and keybindings already, and has ours put beside them."""
    with native_stack(tmp_path_factory.mktemp("editor")) as alone:
        stack = in_the_home(alone)
        user = user_folder(stack.environment())
        (user / "tasks.json").write_text(TASKS, encoding="utf-8")
        (user / "keybindings.json").write_text(KEYBINDINGS, encoding="utf-8")
        stack.succeed("install-vscode")
        yield stack


@pytest.fixture(scope="module")
def window(program: Program, stack: Stack) -> Iterator[Window]:
    """The editor of that user."""
    with open_window(program, stack.environment(), stack.folder / "editor.log") as window:
        yield window


@pytest.fixture(scope="module", params=["editor", "terminal", "nothing"])
def desk(request: pytest.FixtureRequest, window: Window, stack: Stack) -> Desk:
    """A fresh window with its focus in a file, in a shell of a terminal, or, as an empty window, nowhere."""
    folder = _folder(stack.folder / "work") if request.param != "nothing" else None
    window.open(folder)
    focus = ("editor", "hello.py") if request.param == "editor" else (request.param,)
    assert "hello from my own task" in window.run(focus, "Control+Alt+m", "mine", again_after=DROPPED_AT_FIRST)
    return Desk(window=window, focus=focus, stack=stack)


def _folder(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "hello.py").write_text('print("hello")\n', encoding="utf-8")
    return folder


def test_shift_0_shows_the_table_of_the_hotkeys(desk: Desk) -> None:
    text = desk.press("Control+Shift+Digit0", "embctl: help")
    shown = [line.split("  ")[0] for line in text.splitlines() if line.startswith("Ctrl+Shift+")]
    assert shown == [f"Ctrl+Shift+{key}" for key in "9=-8760"]


def test_shift_9_makes_both_services_ready(desk: Desk) -> None:
    desk.with_ready()
    desk.press("Control+Shift+Digit9", "embctl: startall + warmup")
    assert set(desk.ready()) == BOTH


def test_shift_8_restarts_qdrant_alone(desk: Desk) -> None:
    before = desk.with_ready(*BOTH)
    desk.press("Control+Shift+Digit8", "embctl: qdrant restart")
    after = desk.ready()
    assert set(after) == BOTH
    assert after["qdrant"] > before["qdrant"]
    assert after["jina"] == before["jina"]


def test_shift_6_stops_jina_alone(desk: Desk) -> None:
    before = desk.with_ready(*BOTH)
    desk.press("Control+Shift+Digit6", "embctl: jina stop")
    assert desk.ready() == {"qdrant": before["qdrant"]}


def test_shift_7_makes_jina_ready(desk: Desk) -> None:
    before = desk.with_ready("qdrant")
    desk.press("Control+Shift+Digit7", "embctl: jina start + warmup")
    after = desk.ready()
    assert set(after) == BOTH
    assert after["qdrant"] == before["qdrant"]


def test_shift_equals_restarts_both_services(desk: Desk) -> None:
    before = desk.with_ready(*BOTH)
    desk.press("Control+Shift+Equal", "embctl: restartall")
    after = desk.ready()
    assert set(after) == BOTH
    assert all(after[service] > before[service] for service in BOTH)


def test_shift_minus_stops_both_services(desk: Desk) -> None:
    desk.with_ready(*BOTH)
    desk.press("Control+Shift+Minus", "embctl: stopall")
    assert {each["state"] for each in desk.stack.succeed("status").data["services"]} == {"exited"}
