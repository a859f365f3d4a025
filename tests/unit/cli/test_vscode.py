"""What the commands about editors do to a user's files, as typed and with real files."""

import json
import stat
from pathlib import Path

import pytest

from editor_files import (
    KEYBINDINGS,
    TASKS,
    backups,
    call,
    changes,
    contents,
    editor,
    failed,
    install,
    items,
    states,
    status,
    told,
)
from embctl.cli.app import run_command_line
from embctl.vscode import rules
from embctl.vscode.hotkeys import System

OURS = rules.tasks("${userHome}/bin/embctl")
CHORDS = rules.keybindings(System.LINUX)
BUILD = {"label": "build", "type": "shell", "command": "make"}
MINE = {"key": "ctrl+k", "command": "mine"}

# Installing


@pytest.mark.parametrize("command", [["install-vscode"], ["vscode", "install"]])
def test_an_install_adds_every_task_and_hotkey_to_the_users_own(
    code: Path, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    exit_code, document = told(capsys, *command)
    assert (exit_code, document["command"], document["changed"]) == (0, "vscode install", True)
    assert changes(document) == [("code", "tasks.json", "changed"), ("code", "keybindings.json", "changed")]
    assert items(code) == ([BUILD, *OURS], [MINE, *CHORDS])


def test_files_that_are_not_there_are_begun_and_need_no_backup(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = editor(home)
    document = install(capsys)
    assert changes(document) == [("code", "tasks.json", "created"), ("code", "keybindings.json", "created")]
    assert items(folder) == (OURS, CHORDS)
    assert {each["backup"] for each in document["data"]["files"]} == {None}
    assert backups(folder) == []


def test_every_line_of_the_users_survives_in_its_place(code: Path, capsys: pytest.CaptureFixture[str]) -> None:
    install(capsys)
    for name, before in (("tasks.json", TASKS), ("keybindings.json", KEYBINDINGS)):
        after = iter((code / name).read_bytes())
        assert all(byte in after for byte in before)


def test_what_was_there_before_stays_beside_each_file(code: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = install(capsys)["data"]["files"]
    assert [Path(each["backup"]).read_bytes() for each in files] == [TASKS, KEYBINDINGS]
    assert {Path(each["backup"]).parent for each in files} == {code}


def test_the_places_of_the_backups_are_printed(code: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command_line(["install-vscode"]) == 0
    printed = capsys.readouterr().out
    assert f"{code / 'tasks.json'}: changed" in printed
    assert all(f"before: {path}" in printed for path in code.glob("*.bak"))


def test_a_second_install_changes_no_byte(code: Path, capsys: pytest.CaptureFixture[str]) -> None:
    install(capsys)
    before, kept = contents(code), backups(code)
    document = install(capsys)
    assert document["changed"] is False
    assert changes(document) == [("code", "tasks.json", "unchanged"), ("code", "keybindings.json", "unchanged")]
    assert (contents(code), backups(code)) == (before, kept)


def test_the_rights_of_a_file_stay(code: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (code / "tasks.json").chmod(0o600)
    install(capsys)
    assert stat.S_IMODE((code / "tasks.json").stat().st_mode) == 0o600


@pytest.mark.usefixtures("code")
def test_an_embctl_that_may_not_stay_is_warned_of(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    call(monkeypatch, tmp_path / "temporary" / "embctl")
    (warning,) = install(capsys)["warnings"]
    assert str(tmp_path / "temporary" / "embctl") in warning


def test_an_embctl_that_no_task_can_name_is_refused(
    code: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    call(monkeypatch, tmp_path / "${HOME}" / "embctl")
    before = contents(code)
    exit_code, error = failed(capsys, "install-vscode")
    assert (exit_code, error["code"], contents(code)) == (1, "program_unusable", before)


# Uninstalling


def test_an_uninstall_gives_the_very_bytes_from_before(code: Path, capsys: pytest.CaptureFixture[str]) -> None:
    install(capsys)
    exit_code, document = told(capsys, "vscode", "uninstall")
    assert (exit_code, document["command"], document["changed"]) == (0, "vscode uninstall", True)
    assert contents(code) == {"tasks.json": TASKS, "keybindings.json": KEYBINDINGS}


def test_files_that_were_begun_are_gone_again(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = editor(home)
    install(capsys)
    assert changes(told(capsys, "vscode", "uninstall")[1]) == [
        ("code", "tasks.json", "removed"),
        ("code", "keybindings.json", "removed"),
    ]
    assert contents(folder) == {}


def test_what_the_user_wrote_since_stays(code: Path, capsys: pytest.CaptureFixture[str]) -> None:
    install(capsys)
    tasks = code / "tasks.json"
    since = b'"tasks": [ // since\n        {"label": "new"},'
    tasks.write_bytes(tasks.read_bytes().replace(b'"tasks": [', since, 1))
    told(capsys, "vscode", "uninstall")
    assert tasks.read_bytes() == TASKS.replace(b'"tasks": [', since, 1)


def test_an_uninstall_where_nothing_is_ours_changes_nothing(code: Path, capsys: pytest.CaptureFixture[str]) -> None:
    exit_code, document = told(capsys, "vscode", "uninstall")
    assert (exit_code, document["changed"], backups(code)) == (0, False, [])
    assert contents(code) == {"tasks.json": TASKS, "keybindings.json": KEYBINDINGS}


# Looking first


@pytest.mark.parametrize("command", [["install-vscode"], ["vscode", "uninstall"]])
def test_a_dry_run_writes_nothing(code: Path, capsys: pytest.CaptureFixture[str], command: list[str]) -> None:
    if "uninstall" in command:
        install(capsys)
    before, kept = contents(code), backups(code)
    exit_code, document = told(capsys, *command, "--dry-run")
    assert (exit_code, document["changed"]) == (0, False)
    assert [change for _, _, change in changes(document)] == ["changed", "changed"]
    assert (contents(code), backups(code)) == (before, kept)


def test_a_dry_run_prints_a_unified_diff_of_each_file(code: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command_line(["install-vscode", "--dry-run"]) == 0
    lines = capsys.readouterr().out.splitlines()
    for file in (code / "tasks.json", code / "keybindings.json"):
        assert lines.index(f"--- {file}") + 1 == lines.index(f"+++ {file}")
    assert '+            "label": "embctl: startall + warmup",' in lines
    assert '         {"label": "build", "type": "shell", "command": "make"}, // all of it' in lines
    # Nothing of the user's goes, but that a comma follows their last item.
    gone = [line[1:] for line in lines if line.startswith("-") and not line.startswith("---")]
    assert gone == ['\t{ "key": "ctrl+k", "command": "mine" }']
    assert f"+{gone[0]}," in lines


def test_a_diff_shows_every_line_as_it_is(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = editor(home, tasks=b"{}", keybindings=b"[\r\n\t// " + b"long " * 80 + "\u2028\r\n]\r\n".encode())
    difference = "".join(each["diff"] for each in install(capsys, "--dry-run")["data"]["files"])
    assert f"--- {folder / 'tasks.json'}\n" in difference
    assert "-{}\n\\ No newline at end of file\n+{\n" in difference
    assert f" \t// {'long ' * 80}\u2028\r\n" in difference
    assert run_command_line(["install-vscode", "--dry-run"]) == 0
    printed = capsys.readouterr().out
    assert all(line in printed for line in difference.split("\n"))


# Chords of the user's


@pytest.fixture
def taken(home: Path) -> Path:
    """An editor where the user has two of the chords, in spellings of their own."""
    rules = b'[{"key": "shift+ctrl+[Digit9]", "command": "mine.nine"}, {"key": "Ctrl-Shift-=", "command": "zoom"}]'
    return editor(home, keybindings=rules)


def test_a_chord_of_the_users_stays_theirs_with_a_notice(taken: Path, capsys: pytest.CaptureFixture[str]) -> None:
    warnings = install(capsys)["warnings"]
    assert warnings == [
        f"{chord} stays yours, for {command} ({taken / 'keybindings.json'}); --force gives it to embctl."
        for chord, command in (("ctrl+shift+9", "mine.nine"), ("ctrl+shift+=", "zoom"), ("ctrl+shift+[Equal]", "zoom"))
    ]
    tasks, keybindings = items(taken)
    assert tasks == OURS
    assert keybindings[2:] == [
        rule for rule in CHORDS if rule["key"] not in {"ctrl+shift+9", "ctrl+shift+=", "ctrl+shift+[Equal]"}
    ]


def test_force_takes_the_chord_and_leaves_the_users_rule(taken: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = (taken / "keybindings.json").read_bytes()
    assert install(capsys, "--force")["warnings"] == []
    assert items(taken)[1][2:] == CHORDS
    told(capsys, "vscode", "uninstall")
    assert (taken / "keybindings.json").read_bytes() == before


@pytest.mark.usefixtures("taken")
def test_chords_that_were_taken_by_force_are_up_to_date(capsys: pytest.CaptureFixture[str]) -> None:
    install(capsys, "--force")
    assert states(capsys) == [("code", "", "installed", "installed")]


def test_a_notice_is_printed_whole(taken: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command_line(["install-vscode"]) == 0
    errors = capsys.readouterr().err.replace("\n", "")
    assert f"warning: ctrl+shift+[Equal] stays yours, for zoom ({taken / 'keybindings.json'})" in errors


@pytest.mark.usefixtures("taken")
def test_status_says_which_chords_are_the_users(capsys: pytest.CaptureFixture[str]) -> None:
    install(capsys)
    (row,) = status(capsys)
    assert row["taken"] == ["ctrl+shift+9", "ctrl+shift+=", "ctrl+shift+[Equal]"]
    assert (row["tasks"], row["keybindings"]) == ("installed", "installed")


def test_a_rule_that_takes_a_command_from_its_chord_leaves_the_chord_free(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = editor(home, keybindings=b'[{"key": "ctrl+shift+9", "command": "-workbench.action.nine"}]')
    assert install(capsys)["warnings"] == []
    assert items(folder)[1][1:] == CHORDS


# Status


def test_status_goes_from_absent_over_installed_to_absent(code: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert states(capsys) == [("code", "", "absent", "absent")]
    install(capsys)
    (row,) = status(capsys)
    assert row == {
        "editor": "code",
        "profile": "",
        "tasks_file": str(code / "tasks.json"),
        "tasks": "installed",
        "keybindings_file": str(code / "keybindings.json"),
        "keybindings": "installed",
        "taken": [],
        "command": "${userHome}/bin/embctl",
        "command_found": True,
        "detail": "",
    }
    told(capsys, "vscode", "uninstall")
    assert states(capsys) == [("code", "", "absent", "absent")]


def test_an_embctl_that_moved_makes_the_tasks_outdated_and_an_install_renews_them_alone(
    home: Path, code: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    call(monkeypatch, home / "old" / "embctl")
    install(capsys)
    call(monkeypatch, home / "bin" / "embctl")
    assert states(capsys) == [("code", "", "outdated", "installed")]
    assert changes(install(capsys)) == [("code", "tasks.json", "changed"), ("code", "keybindings.json", "unchanged")]
    assert states(capsys) == [("code", "", "installed", "installed")]
    assert items(code)[0] == [BUILD, *OURS]
    told(capsys, "vscode", "uninstall")
    assert contents(code) == {"tasks.json": TASKS, "keybindings.json": KEYBINDINGS}


def test_an_older_set_is_outdated_and_an_install_completes_it(code: Path, capsys: pytest.CaptureFixture[str]) -> None:
    older = json.dumps([MINE, *CHORDS[:3], {**CHORDS[4], "args": "embctl: of old"}])
    (code / "keybindings.json").write_text(older)
    assert states(capsys) == [("code", "", "absent", "outdated")]
    install(capsys)
    assert states(capsys) == [("code", "", "installed", "installed")]
    assert items(code)[1] == [MINE, *CHORDS]


@pytest.mark.usefixtures("code")
def test_an_embctl_that_is_gone_is_told(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    call(monkeypatch, home / "old" / "embctl")
    install(capsys)
    (home / "old" / "embctl").unlink()
    call(monkeypatch, home / "bin" / "embctl")
    (row,) = status(capsys)
    assert (row["command"], row["command_found"]) == ("${userHome}/old/embctl", False)
    assert run_command_line(["vscode", "status"]) == 0
    assert "code: ${userHome}/old/embctl is gone: embctl install-vscode" in capsys.readouterr().out


def test_people_see_each_state_and_what_to_do(taken: Path, capsys: pytest.CaptureFixture[str]) -> None:
    install(capsys)
    tasks = taken / "tasks.json"
    tasks.write_text(tasks.read_text().replace('"silent"', '"warn"', 1))
    assert run_command_line(["vscode", "status"]) == 0
    table, *notes = capsys.readouterr().out.split("code: ")
    assert table.split() == [
        *("EDITOR", "PROFILE", "TASKS", "HOTKEYS", "RUNS"),
        *("code", "Default", "outdated", "installed", "${userHome}/bin/embctl"),
    ]
    assert [note.strip() for note in notes] == [
        "your own rules use ctrl+shift+9, ctrl+shift+=, ctrl+shift+[Equal]",
        "made by another embctl, or with other options: embctl install-vscode",
    ]


def test_status_tells_of_a_file_that_it_cannot_read(code: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (code / "tasks.json").write_text("{\n  oops }")
    (row,) = status(capsys)
    assert (row["tasks"], row["keybindings"], row["command"]) == ("unreadable", "absent", None)
    assert row["detail"].startswith(f"{code / 'tasks.json'}:2:3: ")
    assert contents(code)["tasks.json"] == b"{\n  oops }"


# Files that are no such files

BAD_TASKS = [
    (b'{"tasks": [\n  {"label" "build"}\n]}', "2:4"),
    (b'{"tasks": [', "1:12"),
    (b"[]", "1:1"),
    (b'// mine\n{"tasks": {}}', "2:11"),
    (b'{\n"tasks": ["\xff"]}', "2:12"),
]
BAD_KEYBINDINGS = [(b"[\n  oops\n]", "2:3"), (b"  {}", "1:3"), (b'[\n"\xc3\xa9\xe9"]', "2:3")]


@pytest.mark.parametrize("command", [["install-vscode"], ["install-vscode", "--dry-run"], ["vscode", "uninstall"]])
@pytest.mark.parametrize(
    ("file", "content", "place"),
    [("tasks.json", *bad) for bad in BAD_TASKS] + [("keybindings.json", *bad) for bad in BAD_KEYBINDINGS],
)
def test_a_file_that_cannot_be_read_is_named_to_the_column_and_nothing_is_written(
    code: Path, capsys: pytest.CaptureFixture[str], *, command: list[str], file: str, content: bytes, place: str
) -> None:
    (code / file).write_bytes(content)
    before = contents(code)
    exit_code, error = failed(capsys, *command)
    assert (exit_code, error["code"]) == (1, "editor_file_invalid")
    assert error["message"].startswith(f"{code / file}:{place}: ")
    line, column = map(int, place.split(":"))
    assert error["details"].items() >= {"file": str(code / file), "line": line, "column": column}.items()
    assert (contents(code), backups(code)) == (before, [])


@pytest.mark.parametrize(("name", "ours"), [("tasks", {"version": "2.0.0", "tasks": OURS}), ("keybindings", CHORDS)])
@pytest.mark.parametrize("content", [b"oops", b'["\xff"]', b"7"])
def test_what_to_paste_by_hand_is_printed_for_a_file_that_cannot_be_read(
    code: Path, capsys: pytest.CaptureFixture[str], name: str, ours: object, content: bytes
) -> None:
    (code / f"{name}.json").write_bytes(content)
    assert run_command_line(["install-vscode"]) == 1
    streams = capsys.readouterr()
    assert streams.out == ""
    assert json.dumps(ours, indent=4) in streams.err


def test_one_bad_file_of_many_keeps_all_others_as_they_are(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    editor(home, "Code", tasks=TASKS)
    editor(home, "Cursor", keybindings=b"oops")
    before = contents(home / "config")
    assert failed(capsys, "install-vscode", "--yes")[0] == 1
    assert contents(home / "config") == before


@pytest.mark.usefixtures("home")
def test_the_snippets_are_printed_as_the_editor_reads_them(capsys: pytest.CaptureFixture[str]) -> None:
    snippets = told(capsys, "vscode", "print")[1]["data"]
    assert json.loads(snippets["tasks"]) == {"version": "2.0.0", "tasks": OURS}
    assert json.loads(snippets["keybindings"]) == CHORDS
    assert run_command_line(["vscode", "print"]) == 0
    printed = capsys.readouterr().out
    assert snippets["tasks"] in printed
    assert snippets["keybindings"] in printed


@pytest.mark.usefixtures("home")
def test_a_printed_snippet_is_whole_however_long_its_lines_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    there = tmp_path / ("long " * 40) / ("er" * 40) / "embctl"
    call(monkeypatch, there)
    assert run_command_line(["vscode", "print"]) == 0
    assert f'            "command": {json.dumps(str(there))},\n' in capsys.readouterr().out
