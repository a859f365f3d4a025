"""A home folder with editors, and what the commands about them say: for tests of the command line."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from embctl.cli.app import run_command_line
from embctl.jsonc import value

__all__ = [
    "KEYBINDINGS",
    "SIGNS",
    "TASKS",
    "backups",
    "call",
    "changes",
    "contents",
    "editor",
    "failed",
    "install",
    "items",
    "parsed",
    "states",
    "status",
    "told",
]

TASKS = b"""\
// Mine, since 2019.
{
    "version": "2.0.0",
    "tasks": [
        {"label": "build", "type": "shell", "command": "make"}, // all of it
        /* more to come */
    ]
}
"""
KEYBINDINGS = b"""\
[
\t// Caf\xc3\xa9
\t{ "key": "ctrl+k", "command": "mine" }
]
"""
SIGNS = {
    "CODESPACES": "a codespace",
    "REMOTE_CONTAINERS": "a dev container",
    "WSL_DISTRO_NAME": "the Windows Subsystem for Linux",
    "SSH_CONNECTION": "an SSH session",
    "VSCODE_IPC_HOOK_CLI": "a remote window",
}
"""A variable of each place whose editor is on another machine."""


def call(monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    """The commands after this are run by the embctl at `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o755)
    monkeypatch.setattr(sys, "argv", [str(path)])


def editor(home: Path, product: str = "Code", **files: bytes) -> Path:
    """The folder User of a product that was started once, with the files `tasks` and `keybindings`."""
    folder = home / "config" / product / "User"
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / f"{name}.json").write_bytes(content)
    return folder


def contents(folder: Path) -> Mapping[str, bytes]:
    """Every file in a folder but backups, by its path in there."""
    found = (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".bak")
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def backups(folder: Path) -> list[bytes]:
    """What the backups in a folder hold."""
    return sorted(path.read_bytes() for path in folder.rglob("*.bak"))


def parsed(file: Path) -> Any:
    """A file's value as the editor reads it."""
    return value(file.read_text(encoding="utf-8"))


def items(folder: Path) -> tuple[list[Any], list[Any]]:
    """All tasks and all keybindings in an editor's folder."""
    return parsed(folder / "tasks.json")["tasks"], parsed(folder / "keybindings.json")


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, Any]]:
    """Exit code and document of a command."""
    code = run_command_line([*arguments, "-o", "json"])
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert document["exit_code"] == code
    assert document["ok"] is (code == 0)
    return code, document


def install(capsys: pytest.CaptureFixture[str], *options: str) -> dict[str, Any]:
    """The document of an install that does what it should."""
    code, document = told(capsys, "install-vscode", *options)
    assert code == 0
    return document


def failed(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, Any]]:
    """Exit code and error of a command that changes nothing."""
    code, document = told(capsys, *arguments)
    assert (document["data"], document["changed"]) == (None, False)
    error: dict[str, Any] = document["error"]
    return code, error


def changes(document: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Editor, file and change of each file that a document lists."""
    return [(each["editor"], Path(each["file"]).name, each["change"]) for each in document["data"]["files"]]


def status(capsys: pytest.CaptureFixture[str], *options: str) -> list[dict[str, Any]]:
    """The rows of `vscode status`."""
    code, document = told(capsys, "vscode", "status", *options)
    assert code == 0
    rows: list[dict[str, Any]] = document["data"]["editors"]
    return rows


def states(capsys: pytest.CaptureFixture[str], *options: str) -> list[tuple[str, str, str, str]]:
    """Editor, profile, and the state of both files in each row of `vscode status`."""
    rows = status(capsys, *options)
    return [(row["editor"], row["profile"], row["tasks"], row["keybindings"]) for row in rows]
