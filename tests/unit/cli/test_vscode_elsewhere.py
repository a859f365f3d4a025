"""What the commands about editors do where the editor that shows this terminal reads its files on another machine."""

import json
from pathlib import Path

import pytest

from editor_files import SIGNS, backups, contents, failed, install, items, told
from embctl.cli.app import run_command_line
from embctl.vscode import rules
from embctl.vscode.hotkeys import System

OURS = rules.tasks("${userHome}/bin/embctl")
CHORDS = rules.keybindings(System.LINUX)


@pytest.mark.parametrize("options", [[], ["--yes"], ["--force", "--all-profiles"], ["--dry-run"]])
def test_no_other_option_makes_it_write_where_the_editor_reads_elsewhere(
    code: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, options: list[str]
) -> None:
    monkeypatch.setenv("SSH_TTY", "/dev/pts/1")
    before = contents(code)
    assert failed(capsys, "install-vscode", *options)[1]["code"] == "editor_elsewhere"
    assert (contents(code), backups(code)) == (before, [])


@pytest.mark.parametrize(("variable", "place"), SIGNS.items())
def test_where_the_editor_reads_elsewhere_nothing_is_written_and_the_way_is_shown(
    code: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *, variable: str, place: str
) -> None:
    monkeypatch.setenv(variable, "something")
    before = contents(code)
    exit_code, error = failed(capsys, "install-vscode")
    assert (exit_code, error["code"]) == (1, "editor_elsewhere")
    assert error["details"]["place"] == place
    assert error["details"]["tasks"]["tasks"] == OURS
    assert error["details"]["keybindings"] == CHORDS
    assert (contents(code), backups(code)) == (before, [])


@pytest.mark.usefixtures("home")
def test_the_snippets_are_printed_with_the_place_that_they_belong_to(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSH_CONNECTION", "::1 1 ::1 22")
    assert run_command_line(["install-vscode"]) == 1
    errors = capsys.readouterr().err
    assert "This is an SSH session" in errors
    order = [
        "Tasks: Open User Tasks",
        json.dumps({"version": "2.0.0", "tasks": OURS}, indent=4),
        "Preferences: Open Keyboard Shortcuts (JSON)",
        json.dumps(CHORDS, indent=4),
    ]
    assert sorted(order, key=errors.index) == order


@pytest.mark.parametrize("option", ["--editor", "--user-dir"])
def test_who_names_the_files_has_them_written_there_all_the_same(
    code: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, option: str
) -> None:
    monkeypatch.setenv("SSH_CONNECTION", "::1 1 ::1 22")
    assert install(capsys, option, "code" if option == "--editor" else str(code))["warnings"] == []
    assert items(code)[0][1:] == OURS


@pytest.mark.usefixtures("code")
def test_status_says_that_the_files_are_not_those_of_the_editor_in_front(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WSL_DISTRO_NAME", "Debian")
    exit_code, document = told(capsys, "vscode", "status")
    assert exit_code == 0
    assert document["warnings"] == [
        "This is the Windows Subsystem for Linux: the editor in front of you reads the files of its own machine."
    ]


@pytest.mark.usefixtures("home")
def test_without_any_editor_status_tells_of_the_other_machine(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CODESPACES", "true")
    assert failed(capsys, "vscode", "status")[1]["code"] == "editor_elsewhere"


def test_a_terminal_of_code_server_is_at_home(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = home / "data" / "code-server" / "User"
    folder.mkdir(parents=True)
    monkeypatch.setenv("VSCODE_IPC_HOOK_CLI", "/run/ipc.sock")
    install(capsys)
    assert items(folder) == (OURS, CHORDS)
