"""What the editor is told about each hotkey."""

import pytest

from embctl.vscode.hotkeys import HOTKEYS, System
from embctl.vscode.rules import keybindings, tasks

COMMAND = '/opt/my "tools"/embctl'


def test_there_is_a_task_for_each_hotkey_in_the_order_of_the_table() -> None:
    assert [task["label"] for task in tasks(COMMAND)] == [one.label for one in HOTKEYS]


def test_a_task_runs_embctl_itself_with_its_arguments_apart() -> None:
    for task, hotkey in zip(tasks(COMMAND), HOTKEYS, strict=True):
        assert (task["type"], task["command"]) == ("process", COMMAND)
        assert task["args"] == list(hotkey.arguments)
        assert task["detail"] == hotkey.does


def test_a_task_runs_at_home_whatever_folder_is_open() -> None:
    assert all(task["options"] == {"cwd": "${userHome}"} for task in tasks(COMMAND))


def test_a_task_shows_its_terminal_without_taking_the_cursor_or_asking_for_a_matcher() -> None:
    for task in tasks(COMMAND):
        assert task["problemMatcher"] == []
        assert task["presentation"] == {
            "reveal": "always",
            "focus": False,
            "panel": "dedicated",
            "clear": True,
            "showReuseMessage": False,
        }


def test_a_second_press_begins_a_restart_anew_and_only_shows_all_else() -> None:
    policies = {task["label"]: task["runOptions"]["instancePolicy"] for task in tasks(COMMAND)}
    anew = {label for label, policy in policies.items() if policy == "terminateNewest"}
    assert anew == {"embctl: restartall", "embctl: qdrant restart"}
    assert set(policies.values()) == {"terminateNewest", "silent"}


@pytest.mark.parametrize(("system", "count"), [(System.LINUX, 9), (System.MACOS, 9), (System.WINDOWS, 10)])
def test_every_chord_runs_the_task_of_its_hotkey(system: System, count: int) -> None:
    rules = keybindings(system)
    assert len(rules) == count
    assert {(rule["key"], rule["args"]) for rule in rules} == {
        (chord, hotkey.label) for hotkey in HOTKEYS for chord in hotkey.chords(system)
    }
    assert {rule["command"] for rule in rules} == {"workbench.action.tasks.runTask"}


def test_a_keybinding_holds_everywhere_in_the_editor() -> None:
    assert all(rule.keys() == {"key", "command", "args"} for rule in keybindings(System.LINUX))


def test_a_chord_that_stays_the_users_is_left_out_alone() -> None:
    without = keybindings(System.LINUX, {"ctrl+shift+=", "ctrl+shift+9"})
    assert [rule for rule in keybindings(System.LINUX) if rule not in without] == [
        {"key": "ctrl+shift+9", "command": "workbench.action.tasks.runTask", "args": "embctl: startall + warmup"},
        {"key": "ctrl+shift+=", "command": "workbench.action.tasks.runTask", "args": "embctl: restartall"},
    ]
