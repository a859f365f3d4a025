"""An install or uninstall that is killed at any step loses nothing: each file is the old or the new one, whole, and the
next one finishes."""

import os
import signal
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from killed_program import Killed, killed_program

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has neither fork nor SIGKILL")

TASKS, KEYBINDINGS = "tasks.json", "keybindings.json"
THEIRS = {
    TASKS: b'// mine\r\n{\r\n\t"version": "2.0.0",\r\n\t"tasks": [{"label": "b", "command": "make"}], // kept\r\n}\r\n',
    KEYBINDINGS: b'[\n  // mine\n  {"key": "ctrl+k", "command": "x"},\n]',
}
Files = Mapping[str, bytes]


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Killed]:
    home = tmp_path_factory.mktemp("home")
    places = {name: str(home) for name in ("HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME")}
    with killed_program({**os.environ, **places, "PYTHONPATH": os.pathsep.join(sys.path)}) as run:
        yield run


def made(folder: Path, files: Files) -> Path:
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def read(folder: Path) -> Files:
    return {name: (folder / name).read_bytes() for name in THEIRS if (folder / name).exists()}


def whole(program: Killed, folder: Path, command: list[str]) -> Files:
    """The files after the command that nobody disturbs."""
    assert program([*command, "--user-dir", str(folder), "-q"], folder, 0) == (0, "")
    return read(folder)


def table_of_kills(program: Killed, command: list[str], old: Files, tmp_path: Path) -> list[str]:
    """Kill the command before its first step, its second and so on until it ends; a line says what was found."""
    new = whole(program, made(tmp_path / "whole", old), command)
    assert new != old
    lines: list[str] = []
    while True:
        step = len(lines) + 1
        folder = made(tmp_path / f"{step}", old)
        code, event = program([*command, "--user-dir", str(folder), "-q"], folder, step)
        if code == 0:
            return lines
        assert code == -signal.SIGKILL, event
        lines.append(f"{step:3}  {event:50} {state(folder, old, new)}")
        assert whole(program, folder, command) == new, lines[-1]
        assert not list(folder.glob(".*")), lines[-1]


def state(folder: Path, old: Files, new: Files) -> str:
    """What a kill left, once it is sure that no byte is lost."""
    found = read(folder)
    beside = sorted(path for path in folder.iterdir() if path.name not in THEIRS)
    backups = [path.read_bytes() for path in beside if path.suffix == ".bak"]
    assert all(backup in old.values() for backup in backups), "a backup is torn"
    names = []
    for name in THEIRS:
        content = found.get(name)
        assert content in (old.get(name), new.get(name)), f"{name} is neither the old nor the new one"
        assert name not in old or old[name] in (content, *backups), f"the old {name} is lost"
        names.append("old" if content == old.get(name) else "new")
    return f"{'/'.join(names)}  {len(backups)} backups, {len(beside) - len(backups)} unfinished"


def count(lines: list[str], event: str) -> int:
    return sum(f"  {event} " in line for line in lines)


@pytest.mark.parametrize("old", [THEIRS, {}], ids=["both files are there", "there is no file"])
def test_no_step_at_which_an_install_is_killed_loses_a_byte(program: Killed, old: Files, tmp_path: Path) -> None:
    lines = table_of_kills(program, ["install-vscode"], old, tmp_path)
    print("\n".join(lines))  # noqa: T201 - the table, shown by pytest -rP
    assert count(lines, "os.rename") == len(THEIRS) + len(old)  # the new ones and the backups
    assert count(lines, "half of write") == len(THEIRS) + len(old)


@pytest.mark.parametrize("old", [THEIRS, {}], ids=["with what is theirs", "with ours alone"])
def test_no_step_at_which_an_uninstall_is_killed_loses_a_byte(program: Killed, old: Files, tmp_path: Path) -> None:
    installed = whole(program, made(tmp_path / "installed", old), ["install-vscode"])
    lines = table_of_kills(program, ["vscode", "uninstall"], installed, tmp_path)
    print("\n".join(lines))  # noqa: T201 - the table, shown by pytest -rP
    assert count(lines, "os.rename" if old else "os.remove") >= len(THEIRS)
