"""Laws of our items in a file of the user's that hold for any text."""

import re
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from embctl.jsonc import NotJsonc
from embctl.vscode.block import KEYBINDINGS, TASKS, Block, NotOurs, Place
from embctl.vscode.hotkeys import System
from embctl.vscode.rules import RUN_TASK, keybindings, tasks
from jsonc_texts import Author, Pairs, comments, pairs, with_items

Items = Sequence[dict[str, Any]]

SETS: dict[str, tuple[Items, ...]] = {
    "tasks": (
        [{"label": "embctl: a"}],
        [{"label": "embctl: a", "args": [], "presentation": {"clear": True}}, {"label": "embctl: b", "command": "b"}],
        tasks("/opt/embctl"),
    ),
    "keybindings": (
        [{"key": "f5", "command": RUN_TASK, "args": "embctl: a"}],
        [{"key": key, "command": RUN_TASK, "args": "embctl: b"} for key in ("f6", "f7")],
        keybindings(System.WINDOWS),
    ),
}


def name(place: Place) -> str:
    return place.member or "keybindings"


@st.composite
def texts(draw: st.DrawFn, place: Place, *, ours: bool) -> str:
    """A text that the editor reads; now and then a damaged one that it still reads."""
    rng = draw(st.randoms(use_true_random=False))
    author = Author(rng)
    text = author.file(place, ours=ours)
    return author.damaged(text) if rng.randrange(5) == 4 else text


@st.composite
def readable(draw: st.DrawFn, *, ours: bool) -> tuple[Place, str]:
    """A text that `Block` accepts; without items of ours unless asked for."""
    place = draw(st.sampled_from((TASKS, KEYBINDINGS)))
    text = draw(texts(place, ours=ours))
    assume(refusal(text, place) is None)
    assume(ours or not Block(text, place).ours)
    return place, text


def refusal(text: str, place: Place) -> NotJsonc | NotOurs | None:
    try:
        Block(text, place)
    except (NotJsonc, NotOurs) as refused:
        return refused
    return None


def put(text: str | None, place: Place, items: Items) -> str:
    return Block(text, place).installed(items)


def taken(text: str | None, place: Place) -> str | None:
    return Block(text, place).removed()


def is_subsequence(short: str, long: str) -> bool:
    rest = iter(long)
    return all(letter in rest for letter in short)


def items_of(value: Pairs, place: Place) -> list[Any]:
    """The elements of the array that counts."""
    if value is None:
        return []
    return list(value if place.member is None else dict(value).get(place.member, []))


def is_ours(item: Pairs, place: Place) -> bool:
    if not isinstance(item, tuple):
        return False
    facts = dict(item)
    label = facts.get("label" if place is TASKS else "args")
    runs = place is TASKS or facts.get("command") == RUN_TASK
    return runs and isinstance(label, str) and label.startswith("embctl: ")


sets = st.integers(0, 2)


@given(readable(ours=False), sets)
def test_every_old_character_survives_in_order(file: tuple[Place, str], which: int) -> None:
    place, text = file
    assert is_subsequence(text, put(text, place, SETS[name(place)][which]))


@given(readable(ours=False), sets)
def test_the_new_file_reads_as_the_old_one_and_ours_behind_it(file: tuple[Place, str], which: int) -> None:
    place, text = file
    items = SETS[name(place)][which]
    assert pairs(put(text, place, items)) == with_items(pairs(text), place, items)


@given(readable(ours=True), sets)
def test_a_second_install_changes_nothing(file: tuple[Place, str], which: int) -> None:
    place, text = file
    items = SETS[name(place)][which]
    once = put(text, place, items)
    assert put(once, place, items) == once


@settings(max_examples=500)
@given(readable(ours=False), sets)
def test_an_uninstall_gives_back_the_very_text(file: tuple[Place, str], which: int) -> None:
    place, text = file
    assert taken(put(text, place, SETS[name(place)][which]), place) == text


@given(readable(ours=False), sets, sets)
def test_an_uninstall_after_an_update_gives_back_the_very_text(file: tuple[Place, str], old: int, new: int) -> None:
    place, text = file
    both = SETS[name(place)]
    assert taken(put(put(text, place, both[old]), place, both[new]), place) == text


@given(readable(ours=False), sets, sets)
def test_an_update_is_an_install_of_the_new_set_alone(file: tuple[Place, str], old: int, new: int) -> None:
    place, text = file
    both = SETS[name(place)]
    assert put(put(text, place, both[old]), place, both[new]) == put(text, place, both[new])


@settings(max_examples=500)
@given(readable(ours=True))
def test_an_uninstall_takes_no_comment_and_no_item_of_the_users(file: tuple[Place, str]) -> None:
    place, text = file
    after = taken(text, place)
    assert after is not None
    assert is_subsequence(after, text)
    assert comments(after) == comments(text)
    theirs = [item for item in items_of(pairs(text), place) if not is_ours(item, place)]
    assert items_of(pairs(after), place) == theirs


@given(readable(ours=True))
def test_what_is_ours_is_told_as_the_editor_reads_it(file: tuple[Place, str]) -> None:
    place, text = file
    ours = [item for item in items_of(pairs(text), place) if is_ours(item, place)]
    assert len(Block(text, place).ours) == len(ours)


@given(readable(ours=True), sets)
def test_an_install_over_stray_items_of_ours_leaves_one_set_and_all_that_is_the_users(
    file: tuple[Place, str], which: int
) -> None:
    place, text = file
    items = SETS[name(place)][which]
    after = items_of(pairs(put(text, place, items)), place)
    theirs = [item for item in items_of(pairs(text), place) if not is_ours(item, place)]
    assert [item for item in after if not is_ours(item, place)] == theirs
    assert len(after) == len(theirs) + len(items)


@given(st.data(), st.sampled_from((TASKS, KEYBINDINGS)))
def test_a_refusal_names_a_place_in_the_text(data: st.DataObject, place: Place) -> None:
    author = Author(data.draw(st.randoms(use_true_random=False)))
    text = author.damaged(author.file(place, ours=True))
    lines = re.split("\r\n|\r|\n", text.removeprefix("\ufeff"))
    refused = refusal(text, place)
    if isinstance(refused, NotJsonc):
        # A line's end is a place too, and so is the second half of its break.
        assert 1 <= refused.column <= len(lines[refused.line - 1]) + 2


@pytest.mark.parametrize("place", [TASKS, KEYBINDINGS], ids=name)
@pytest.mark.parametrize("which", range(3))
def test_a_file_begun_for_ours_goes_with_them(place: Place, which: int) -> None:
    assert taken(put(None, place, SETS[name(place)][which]), place) is None
