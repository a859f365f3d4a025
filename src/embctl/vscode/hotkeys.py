"""The table of hotkeys: the one source of tasks, keybindings, the help screen and the documentation's tables."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

__all__ = ["HOTKEYS", "PREFIX", "Hotkey", "System", "this_system"]

PREFIX = "embctl: "
"""What the labels of our tasks begin with: by it they are recognised, and a task of a workspace does not hide them."""


class System(StrEnum):
    """The operating systems that editors run on."""

    LINUX = "linux"
    MACOS = "macos"
    WINDOWS = "windows"


def this_system(platform: str = sys.platform) -> System:
    """The one that this process runs on."""
    return {"darwin": System.MACOS, "win32": System.WINDOWS}.get(platform, System.LINUX)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hotkey:
    """A task with its chord. `key` goes with shift and ctrl (cmd on macOS); `twin` names it by its place on the
    keyboard where some layouts cannot type it; `also` are whole chords for systems that keep the first."""

    key: str
    task: str
    does: str
    arguments: tuple[str, ...]
    twin: str = ""
    also: Mapping[System, str] | None = None
    restarts: bool = False

    @property
    def label(self) -> str:
        """The task's name in the editor."""
        return PREFIX + self.task

    def chords(self, system: System) -> tuple[str, ...]:
        """As keybindings write them, the one to tell people first."""
        modifiers = "cmd+shift+" if system is System.MACOS else "ctrl+shift+"
        twin = [modifiers + self.twin] if self.twin else []
        also = [self.also[system]] if self.also and system in self.also else []
        return (modifiers + self.key, *twin, *also)


HOTKEYS = (
    Hotkey(
        key="9",
        task="startall + warmup",
        does="Start Qdrant and Jina and warm them up",
        arguments=("start", "all"),
    ),
    Hotkey(
        key="=",
        twin="[Equal]",  # German and Spanish keyboards have no such chord
        task="restartall",
        does="Restart both services",
        arguments=("restart", "all"),
        restarts=True,
    ),
    Hotkey(
        key="-",
        twin="[Minus]",  # French ones neither
        task="stopall",
        does="Stop both services",
        arguments=("stop", "all"),
    ),
    Hotkey(
        key="8",
        task="qdrant restart",
        does="Restart Qdrant",
        arguments=("restart", "qdrant"),
        restarts=True,
    ),
    Hotkey(
        key="7",
        task="jina start + warmup",
        does="Start Jina and warm it up",
        arguments=("start", "jina"),
    ),
    Hotkey(key="6", task="jina stop", does="Stop Jina", arguments=("stop", "jina")),
    Hotkey(
        key="0",
        task="help",
        does="Show the hotkeys and both services",
        arguments=("help-hotkeys",),
        also={System.WINDOWS: "ctrl+shift+alt+0"},  # Windows switches its input method by ctrl+shift+0
    ),
)
