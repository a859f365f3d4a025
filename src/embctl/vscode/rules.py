"""What the editor is told: a task for each hotkey, a keybinding for each of its chords. Data as the editor reads it."""

from collections.abc import Collection
from typing import Any

from embctl.vscode.hotkeys import HOTKEYS, Hotkey, System

__all__ = ["RUN_TASK", "keybindings", "tasks"]

RUN_TASK = "workbench.action.tasks.runTask"


def tasks(command: str) -> list[dict[str, Any]]:
    """The tasks; `command` is what they run: a path, or a name on the editor's PATH."""
    return [_task(hotkey, command) for hotkey in HOTKEYS]


def _task(hotkey: Hotkey, command: str) -> dict[str, Any]:
    return {
        "label": hotkey.label,
        "detail": hotkey.does,
        # Not "shell", which has quoting rules of its own.
        "type": "process",
        "command": command,
        "args": list(hotkey.arguments),
        # Not the folder that is open: its .embctl.toml would choose another project for each window.
        "options": {"cwd": "${userHome}"},
        "problemMatcher": [],
        "presentation": {
            "reveal": "always",
            "focus": False,
            "panel": "dedicated",
            "clear": True,
            "showReuseMessage": False,
        },
        # A second press shows the terminal of the first; only a restart begins anew.
        "runOptions": {"instancePolicy": "terminateNewest" if hotkey.restarts else "silent"},
    }


def keybindings(system: System, without: Collection[str] = ()) -> list[dict[str, str]]:
    """The keybindings, but for the chords in `without`."""
    return [
        {"key": chord, "command": RUN_TASK, "args": hotkey.label}
        for hotkey in HOTKEYS
        for chord in hotkey.chords(system)
        if chord not in without
    ]
