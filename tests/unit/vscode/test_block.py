"""Our items in the files of an editor: where they go, what they look like there, what is told about them."""

import json
from typing import Any

import pytest

from embctl.jsonc import NotJsonc, value
from embctl.vscode.block import KEYBINDINGS, TASKS, Block, NotOurs, Place
from embctl.vscode.hotkeys import System
from embctl.vscode.rules import RUN_TASK, keybindings, tasks

TASK = {"label": "embctl: a", "args": ["b"]}
RULE = {"key": "f5", "command": RUN_TASK, "args": "embctl: a"}
USERS = """// My tasks.
{
  "version": "2.0.0", // as ever
  "tasks": [
    /* the build */
    { "label": "build", "command": "make" } // no comma
  ],
  "inputs": [],
}
"""


def put(text: str | None, place: Place = TASKS, *items: dict[str, Any]) -> str:
    return Block(text, place).installed(items or [TASK if place is TASKS else RULE])


def test_a_missing_file_of_tasks_is_begun() -> None:
    assert put(None) == (
        '// Created by embctl install-vscode.\n{\n    "version": "2.0.0",\n    "tasks": [\n        {\n'
        '            "label": "embctl: a",\n            "args": [\n                "b"\n            ]\n'
        "        }\n    ]\n}\n"
    )


def test_a_missing_file_of_keybindings_is_begun() -> None:
    text = put(None, KEYBINDINGS)
    assert text.startswith('// Created by embctl install-vscode.\n[\n    {\n        "key": "f5",\n')
    assert value(text) == [RULE]


@pytest.mark.parametrize("place", [TASKS, KEYBINDINGS])
def test_a_missing_file_is_missing_again_after_an_uninstall(place: Place) -> None:
    assert Block(put(None, place), place).removed() is None


@pytest.mark.parametrize(
    "text", ["", "\n", "// mine", "// mine  \n", "/* mine */", "\ufeff", "// Created by embctl install-vscode.\n"]
)
@pytest.mark.parametrize("place", [TASKS, KEYBINDINGS])
def test_a_file_without_a_value_keeps_its_comments_and_gets_one(text: str, place: Place) -> None:
    after = put(text, place)
    assert after.startswith(text)
    assert value(after) == ([RULE] if place is KEYBINDINGS else {"version": "2.0.0", "tasks": [TASK]})
    assert Block(after, place).removed() == text


def test_tasks_come_behind_the_users_own_in_the_style_of_the_file() -> None:
    ours = """,
    {
      "label": "embctl: a",
      "args": [
        "b"
      ]
    }
  ],"""
    assert put(USERS) == USERS.replace(" } // no comma\n  ],", " }, // no comma\n  ],").replace(
        " // no comma\n  ],", " // no comma" + ours[1:]
    )


def test_a_root_without_tasks_gets_the_member() -> None:
    assert put('{\n\t"version": "2.0.0"\n}', TASKS, {"label": "embctl: a"}) == (
        '{\n\t"version": "2.0.0",\n\t"tasks": [\n\t\t{\n\t\t\t"label": "embctl: a"\n\t\t}\n\t]\n}'
    )


def test_the_last_of_two_arrays_of_tasks_gets_ours() -> None:
    text = '{"tasks": [{"label": "hidden"}], "tasks": [{"label": "seen"}]}'
    assert [task["label"] for task in value(put(text))["tasks"]] == ["seen", "embctl: a"]
    assert put(text).startswith('{"tasks": [{"label": "hidden"}], ')


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_the_line_breaks_are_those_of_the_file(newline: str) -> None:
    after = put(USERS.replace("\n", newline))
    assert after.replace(newline, "").count("\n") + after.replace(newline, "").count("\r") == 0


def test_the_same_set_is_left_alone_however_it_is_written() -> None:
    text = '{"tasks": [{"args": ["b",], /* mine */ "label": "\\u0065mbctl: a"}, {"label": "build"}]}'
    assert put(text) == text


def test_another_set_takes_the_place_of_an_old_one() -> None:
    old = put(USERS, TASKS, {"label": "embctl: old"}, {"label": "embctl: a", "args": []})
    assert put(old) == put(USERS)


def test_ours_and_the_users_are_told_apart_by_the_label() -> None:
    labels = ["embctl: a", "embctl", "my embctl: b", "EMBCTL: c", "embctl: "]
    block = Block(json.dumps({"tasks": [{"label": label} for label in labels]}), TASKS)
    assert [item["label"] for item in block.ours] == ["embctl: a", "embctl: "]
    assert [item["label"] for item in block.others] == ["embctl", "my embctl: b", "EMBCTL: c"]


def test_a_keybinding_is_ours_when_it_runs_a_task_of_ours() -> None:
    others = [
        {"key": "f6", "command": "workbench.action.terminal.sendSequence", "args": "embctl: a"},
        {"key": "f7", "command": RUN_TASK, "args": "build"},
        {"key": "f8", "command": RUN_TASK, "args": {"task": "embctl: a"}},
        {"key": "f9"},
    ]
    block = Block(json.dumps([others[0], RULE, *others[1:]]), KEYBINDINGS)
    assert block.ours == [RULE]
    assert [item["key"] for item in block.others] == ["f6", "f7", "f8", "f9"]


def test_the_last_of_two_labels_tells_whose_an_item_is_whatever_it_holds() -> None:
    block = Block('{"tasks": [{"label": "embctl: a", "label": {}}, {"label": "b", "label": "embctl: c"}]}', TASKS)
    assert [item["label"] for item in block.ours] == ["embctl: c"]


def test_a_file_without_ours_is_left_alone_by_an_uninstall() -> None:
    assert Block(USERS, TASKS).removed() == USERS
    assert Block(None, TASKS).removed() is None


def test_what_the_user_put_around_ours_stays() -> None:
    text = (
        put(USERS)
        .replace('"label": "embctl: a",', '// mine too\n "label": "embctl: a",')
        .replace("\n  ],", ", // more\n  1],")
    )
    after = Block(text, TASKS).removed()
    assert after is not None
    assert value(after)["tasks"] == [{"label": "build", "command": "make"}, 1]
    assert "// mine too\n" in after
    assert "// more\n" in after


@pytest.mark.parametrize(
    ("text", "place", "why"),
    [
        ("[]", TASKS, 'the root must be an object: {"version": "2.0.0", "tasks": [ ... ]}'),
        ("null", TASKS, 'the root must be an object: {"version": "2.0.0", "tasks": [ ... ]}'),
        ('{"tasks": {}}', TASKS, '"tasks" must be an array: [ ... ]'),
        ('{"tasks": [], "tasks": null}', TASKS, '"tasks" must be an array: [ ... ]'),
        ("{}", KEYBINDINGS, "the root must be an array of keybindings: [ ... ]"),
    ],
)
def test_a_file_that_is_none_of_the_editors_is_refused(text: str, place: Place, why: str) -> None:
    with pytest.raises(NotOurs) as refused:
        Block(text, place)
    assert refused.value.reason == why
    assert (refused.value.line, refused.value.column) in {(1, 1), (1, 11), (1, 24)}


def test_a_broken_file_is_refused_with_its_place() -> None:
    with pytest.raises(NotJsonc) as refused:
        Block(USERS.replace('"build",', '"build"'), TASKS)
    assert (refused.value.line, refused.value.column) == (6, 33)


def test_an_item_of_ours_with_a_depth_of_a_hundred_thousand_is_taken_out() -> None:
    deep = 100_000
    text = '{"tasks": [{"label": "embctl: a", "x": ' + "[" * deep + "]" * deep + "}]}"
    assert Block(text, TASKS).removed() == '{"tasks": []}'


def test_a_users_item_with_a_depth_of_a_hundred_thousand_stays() -> None:
    deep = 100_000
    text = '{"tasks": [{"label": "mine", "x": ' + "[" * deep + "]" * deep + "}]}"
    after = put(text)
    assert Block(after, TASKS).removed() == text


def test_a_users_number_of_any_length_stays() -> None:
    text = f'[{{"key": {"9" * 10_000}}}]'
    assert Block(put(text, KEYBINDINGS), KEYBINDINGS).removed() == text


def test_ten_megabytes_of_the_users_stay() -> None:
    text = '{"tasks": [\n' + ",\n".join([json.dumps({"label": "build", "detail": "x" * 1_000})] * 10_000) + "\n]}"
    after = put(text)
    assert len(value(after)["tasks"]) == 10_001
    assert Block(after, TASKS).removed() == text


@pytest.mark.parametrize("system", System)
def test_the_real_sets_are_found_as_they_were_put_in(system: System) -> None:
    assert Block(put(None, TASKS, *tasks("/opt/embctl")), TASKS).ours == tasks("/opt/embctl")
    assert Block(put("[]", KEYBINDINGS, *keybindings(system)), KEYBINDINGS).ours == keybindings(system)
