"""Which editors, profiles and folders the commands about editors mean."""

import json
import sys
from io import StringIO
from pathlib import Path

import pytest

from editor_files import (
    TASKS,
    call,
    changes,
    contents,
    editor,
    failed,
    install,
    items,
    parsed,
    states,
    status,
    told,
)
from embctl.cli.app import run_command_line
from embctl.vscode import rules
from embctl.vscode.hotkeys import System

OURS = rules.tasks("${userHome}/bin/embctl")
CHORDS = rules.keybindings(System.LINUX)


def changed_editors(document: dict[str, object]) -> list[str]:
    return [name for name, file, change in changes(document) if (file, change) == ("tasks.json", "created")]


# Editors


@pytest.fixture
def several(home: Path) -> Path:
    """The folder of the settings of three editors."""
    for product in ("Cursor", "Code", "VSCodium"):
        editor(home, product)
    return home / "config"


def answer(monkeypatch: pytest.MonkeyPatch, reply: str) -> None:
    """Somebody sits at a terminal, and types that."""
    terminal = StringIO(reply)
    terminal.isatty = lambda: True  # type: ignore[method-assign]  # somebody sits there
    monkeypatch.setattr(sys, "stdin", terminal)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)


def test_several_editors_are_asked_about_by_name(
    several: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    answer(monkeypatch, "y\n")
    assert run_command_line(["install-vscode"]) == 0
    assert "Install the hotkeys in Code, VSCodium, Cursor? [y/N]" in capsys.readouterr().err
    assert len(contents(several)) == 6


def test_a_no_writes_nothing(
    several: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    answer(monkeypatch, "n\n")
    assert run_command_line(["install-vscode"]) == 3
    assert "Nothing was written" in capsys.readouterr().err
    assert contents(several) == {}


def test_where_nobody_can_be_asked_several_editors_need_a_yes_or_a_name(
    several: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    exit_code, error = failed(capsys, "install-vscode")
    assert (exit_code, error["code"], error["category"]) == (3, "not_confirmed", "confirmation")
    assert error["details"] == {"editors": ["code", "codium", "cursor"]}
    assert error["actions"] == [
        "Install in all of them: embctl install-vscode --yes",
        "Or choose: embctl install-vscode --editor code",
    ]
    assert contents(several) == {}


@pytest.mark.usefixtures("several")
def test_yes_means_all_of_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert changed_editors(install(capsys, "--yes")) == ["code", "codium", "cursor"]


def test_editors_that_are_named_are_not_asked_about(several: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert changed_editors(install(capsys, "--editor", "cursor", "--editor", "Code")) == ["cursor", "code"]
    assert contents(several / "VSCodium") == {}


def test_a_dry_run_asks_nobody(several: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert changed_editors(install(capsys, "--dry-run")) == ["code", "codium", "cursor"]
    assert contents(several) == {}


def test_status_and_uninstall_look_at_all_editors(several: Path, capsys: pytest.CaptureFixture[str]) -> None:
    install(capsys, "--editor", "codium")
    assert states(capsys) == [
        ("code", "", "absent", "absent"),
        ("codium", "", "installed", "installed"),
        ("cursor", "", "absent", "absent"),
    ]
    assert states(capsys, "--editor", "codium") == [("codium", "", "installed", "installed")]
    assert told(capsys, "vscode", "uninstall")[1]["changed"] is True
    assert contents(several) == {}


def test_a_portable_editor_is_one_editor(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = home / "portable" / "user-data" / "User"
    folder.mkdir(parents=True)
    monkeypatch.setenv("VSCODE_PORTABLE", str(home / "portable"))
    assert len(status(capsys)) == 1
    install(capsys)
    assert items(folder) == (OURS, CHORDS)


@pytest.mark.parametrize("command", [["install-vscode"], ["vscode", "uninstall"], ["vscode", "status"]])
def test_an_editor_that_nobody_knows_is_a_mistake_of_the_command_line(
    several: Path, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    exit_code, error = failed(capsys, *command, "--editor", "code", "--editor", "vim")
    assert (exit_code, error["code"], contents(several)) == (2, "usage", {})


@pytest.mark.parametrize("command", [["install-vscode"], ["vscode", "uninstall"], ["vscode", "status"]])
def test_an_editor_that_is_not_there_is_no_success(
    several: Path, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    exit_code, error = failed(capsys, *command, "--editor", "code", "--editor", "kiro")
    assert (exit_code, error["code"], error["details"]["editor"]) == (1, "editor_missing", "kiro")
    assert contents(several) == {}


@pytest.mark.parametrize("command", [["install-vscode"], ["vscode", "uninstall"], ["vscode", "status"]])
def test_a_machine_without_editors_is_told_where_was_looked_and_no_folder_is_made(
    home: Path, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    exit_code, error = failed(capsys, *command)
    assert (exit_code, error["code"]) == (1, "editor_missing")
    assert str(home / "config" / "Code" / "User") in error["details"]["looked_in"]
    assert any("--user-dir" in action for action in error["actions"])
    assert not (home / "config").exists()


# A folder


@pytest.mark.parametrize("given", ["data", "data/User"])
def test_a_folder_may_be_given_instead_as_people_know_it(
    home: Path, capsys: pytest.CaptureFixture[str], given: str
) -> None:
    (home / "data" / "User").mkdir(parents=True)
    install(capsys, "--user-dir", given)
    assert items(home / "data" / "User") == (OURS, CHORDS)
    (row,) = status(capsys, "--user-dir", given)
    assert (row["tasks"], row["keybindings"]) == ("installed", "installed")
    told(capsys, "vscode", "uninstall", "--user-dir", given)
    assert contents(home / "data") == {}


@pytest.mark.usefixtures("several")
def test_a_folder_that_is_not_there_is_not_made(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    exit_code, error = failed(capsys, "install-vscode", "--user-dir", str(home / "dta"))
    assert (exit_code, error["code"]) == (1, "editor_missing")
    assert not (home / "dta").exists()


# Profiles


@pytest.fixture
def profiles(home: Path) -> Path:
    """The folder User of VS Code with two more profiles; Play has the default one's keybindings."""
    folder = editor(home)
    stored = [
        {"name": "Work", "location": "1a2b"},
        {"name": "Play", "location": "3c4d", "useDefaultFlags": {"keybindings": True}},
    ]
    (folder / "globalStorage").mkdir()
    (folder / "globalStorage" / "storage.json").write_text(json.dumps({"userDataProfiles": stored}))
    return folder


def written(folder: Path) -> set[str]:
    return set(contents(folder)) - {"globalStorage/storage.json"}


def test_without_a_profile_named_the_default_one_is_meant(profiles: Path, capsys: pytest.CaptureFixture[str]) -> None:
    install(capsys)
    assert written(profiles) == {"tasks.json", "keybindings.json"}


def test_a_profile_that_is_named_is_the_only_one(profiles: Path, capsys: pytest.CaptureFixture[str]) -> None:
    install(capsys, "--profile", "Work")
    assert written(profiles) == {"profiles/1a2b/tasks.json", "profiles/1a2b/keybindings.json"}
    assert items(profiles / "profiles" / "1a2b") == (OURS, CHORDS)


def test_all_profiles_share_what_the_editor_shares(profiles: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (profiles / "keybindings.json").write_text('[{"key": "ctrl+shift+6", "command": "mine"}]')
    document = install(capsys, "--all-profiles")
    assert written(profiles) == {
        "tasks.json",
        "keybindings.json",
        "profiles/1a2b/tasks.json",
        "profiles/1a2b/keybindings.json",
        "profiles/3c4d/tasks.json",
    }
    assert len(document["data"]["files"]) == 5
    assert len(document["warnings"]) == 1


@pytest.mark.usefixtures("profiles")
def test_status_shows_every_profile(capsys: pytest.CaptureFixture[str]) -> None:
    install(capsys, "--profile", "Play")
    assert states(capsys) == [
        ("code", "", "absent", "installed"),
        ("code", "Work", "absent", "absent"),
        ("code", "Play", "installed", "installed"),
    ]
    assert states(capsys, "--profile", "Work") == [("code", "Work", "absent", "absent")]


def test_an_uninstall_is_of_all_profiles_unless_one_is_named(
    profiles: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    install(capsys, "--all-profiles")
    told(capsys, "vscode", "uninstall", "--profile", "Work")
    assert written(profiles) == {"tasks.json", "keybindings.json", "profiles/3c4d/tasks.json"}
    told(capsys, "vscode", "uninstall")
    assert written(profiles) == set()


def test_a_profile_that_is_not_there_is_refused(profiles: Path, capsys: pytest.CaptureFixture[str]) -> None:
    exit_code, error = failed(capsys, "install-vscode", "--profile", "Wrok")
    assert (exit_code, error["code"]) == (1, "profile_missing")
    assert error["actions"] == ["Name one of: Default, Work, Play"]
    assert written(profiles) == set()


# A workspace


@pytest.fixture
def workspace(home: Path) -> Path:
    folder = home / "project"
    folder.mkdir()
    return folder


def test_a_workspace_gets_tasks_that_run_whatever_embctl_each_reader_has(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = install(capsys, "--workspace", str(workspace))
    assert changes(document) == [("workspace", "tasks.json", "created")]
    assert set(contents(workspace)) == {".vscode/tasks.json"}
    tasks = parsed(workspace / ".vscode" / "tasks.json")["tasks"]
    assert tasks == rules.tasks("embctl")
    assert {task["command"] for task in tasks} == {"embctl"}


def test_it_is_told_that_keybindings_cannot_live_in_a_workspace(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command_line(["install-vscode", "--workspace", str(workspace)]) == 0
    assert "A workspace has no keybindings" in capsys.readouterr().err


def test_the_tasks_of_a_workspace_go_as_they_came(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (workspace / ".vscode").mkdir()
    (workspace / ".vscode" / "tasks.json").write_bytes(TASKS)
    install(capsys, "--workspace", str(workspace))
    assert install(capsys, "--workspace", str(workspace))["changed"] is False
    told(capsys, "vscode", "uninstall", "--workspace", str(workspace))
    assert contents(workspace) == {".vscode/tasks.json": TASKS}


def test_a_workspace_is_written_wherever_the_editor_is(
    workspace: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSH_CONNECTION", "::1 1 ::1 22")
    install(capsys, "--workspace", str(workspace))
    assert set(contents(workspace)) == {".vscode/tasks.json"}


def test_a_workspace_needs_no_embctl_that_stays(
    workspace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    call(monkeypatch, tmp_path / "temporary" / "${x}" / "embctl")
    (warning,) = install(capsys, "--workspace", str(workspace))["warnings"]
    assert "keybindings" in warning


def test_a_workspace_that_is_not_there_is_not_made(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert failed(capsys, "install-vscode", "--workspace", "projct")[1]["code"] == "editor_missing"
    assert not (home / "projct").exists()


# Contradictions


@pytest.mark.parametrize("command", [["install-vscode"], ["vscode", "install"], ["vscode", "uninstall"]])
@pytest.mark.parametrize(
    "options",
    [
        ["--editor", "code", "--user-dir", "."],
        ["--editor", "code", "--workspace", "."],
        ["--user-dir", ".", "--workspace", "."],
        ["--profile", "Work", "--all-profiles"],
        ["--workspace", ".", "--profile", "Work"],
        ["--workspace", ".", "--all-profiles"],
    ],
)
def test_options_that_contradict_each_other_are_refused_by_name(
    code: Path, capsys: pytest.CaptureFixture[str], *, command: list[str], options: list[str]
) -> None:
    before = contents(code)
    exit_code, error = failed(capsys, *command, *options)
    assert (exit_code, error["code"], contents(code)) == (2, "usage", before)
    named = [option for option in options if option.startswith("--") and option != "--workspace"]
    assert all(option in error["message"] for option in named)


def test_there_is_nothing_to_force_in_a_workspace(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert failed(capsys, "install-vscode", "--workspace", str(workspace), "--force")[0] == 2
    assert contents(workspace) == {}
