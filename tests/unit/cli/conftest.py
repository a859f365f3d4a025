"""What the tests of commands about editors share."""

import tempfile
from pathlib import Path

import pytest

from editor_files import KEYBINDINGS, SIGNS, TASKS, call, editor
from embctl.vscode.hotkeys import System


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The home folder of a Linux machine that somebody sits at, with embctl in bin and no editor."""
    home = tmp_path / "home"
    for variable in ("VSCODE_PORTABLE", "VSCODE_APPDATA", "REMOTE_CONTAINERS_IPC", "WSL_INTEROP", "SSH_TTY", *SIGNS):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HOME", str(home))
    for name in ("CONFIG", "STATE", "DATA", "CACHE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(home / name.lower()))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    monkeypatch.setattr("embctl.vscode.hotkeys.this_system", lambda: System.LINUX)
    call(monkeypatch, home / "bin" / "embctl")
    monkeypatch.chdir(home)
    return home


@pytest.fixture
def code(home: Path) -> Path:
    """The folder User of VS Code, where the user has tasks and keybindings."""
    return editor(home, tasks=TASKS, keybindings=KEYBINDINGS)
