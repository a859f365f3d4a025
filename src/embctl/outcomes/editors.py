"""Tasks and hotkeys in the editors."""

from dataclasses import dataclass

from embctl.outcomes.stack import ServiceStatus

__all__ = ["EditorFile", "EditorStatus", "EditorsChanged", "EditorsSeen", "Help", "HotkeyRow", "Snippets"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EditorFile:
    """A file of an editor: `change` is unchanged, changed, created or removed; `backup` where the text from before is
    now; `diff` what would change, in a dry run alone."""

    editor: str
    profile: str
    file: str
    change: str
    backup: str | None
    diff: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EditorsChanged:
    """The files that were written, or would be in a dry run."""

    files: tuple[EditorFile, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EditorStatus:
    """One profile of an editor, "" for the default one. `tasks` and `keybindings` are installed, outdated, absent or
    unreadable; `taken` the chords that the user's own rules use; `command` what the tasks run, None without tasks."""

    editor: str
    profile: str
    tasks_file: str
    tasks: str
    keybindings_file: str
    keybindings: str
    taken: tuple[str, ...]
    command: str | None
    command_found: bool
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EditorsSeen:
    """Every editor of this machine, by profile."""

    editors: tuple[EditorStatus, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Snippets:
    """What to paste by hand: two texts as the editor's files hold them."""

    tasks: str
    keybindings: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HotkeyRow:
    """One hotkey: its chords on this system, the task that they run, what it does."""

    chords: tuple[str, ...]
    task: str
    does: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Help:
    """The hotkeys and the services now; `services` is empty, and `trouble` says why, when nobody can tell."""

    hotkeys: tuple[HotkeyRow, ...]
    services: tuple[ServiceStatus, ...]
    trouble: str
