"""Items are put in and taken out; every other character stays where it is."""

from collections.abc import Collection

import pytest

from embctl.jsonc import Node, Style, add, indent_within, read, remove, style_of

STYLE = Style(newline="\n", unit="  ")


def root(text: str) -> Node:
    node = read(text, depth=2)
    assert node is not None
    return node


def added(text: str, *items: str, blank_line: bool = False) -> str:
    return add(text, root(text), items or ("X",), STYLE, blank_line=blank_line).replace("X", "0")


def without(text: str, indexes: Collection[int], *, keep_blanks: bool = False) -> str:
    return remove(text, root(text), indexes, keep_blanks=keep_blanks)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("[]", "[\n  0]"),
        ("[ \n]", "[\n  0 \n]"),
        ("[1]", "[1,\n  0]"),
        ("[1 ]", "[1,\n  0 ]"),
        ("[1,]", "[1,\n  0,]"),
        ("[1 , ]", "[1 ,\n  0, ]"),
        ("[\n    1\n]", "[\n    1,\n    0\n]"),
        ("[\n\t1, // one\n]", "[\n\t1, // one\n\t0,\n]"),
        ("[\n  1 // one\n]", "[\n  1, // one\n  0\n]"),
        ("[1 /* a */, /* b */ ]", "[1 /* a */, /* b */\n  0, ]"),
        ("[ /* a */ // b\n]", "[ /* a */ // b\n  0\n]"),
        ("[// b  \n]", "[// b  \n  0\n]"),
    ],
)
def test_an_item_comes_behind_the_last_one_and_its_comments(before: str, after: str) -> None:
    assert added(before) == after


def test_several_items_stand_on_a_line_each() -> None:
    assert added("[1]", "2", "3") == "[1,\n  2,\n  3]"
    assert added("[1,]", "2", "3") == "[1,\n  2,\n  3,]"


def test_an_empty_line_before_the_items_is_written_where_asked_for() -> None:
    assert added("[\n]", "2", "3", blank_line=True) == "[\n\n  2,\n  3\n]"


def test_members_are_put_in_as_elements_are() -> None:
    assert added('{\n "a": 1\n}', '"b": 2') == '{\n "a": 1,\n "b": 2\n}'


@pytest.mark.parametrize(
    ("text", "indent"),
    [
        ("[\n\t\t1]", "\t\t"),
        ("[1,\r   2]", "   "),
        ("[1, 2]", "  "),
        ("\t[1]", "\t  "),
        ("[\n /* a */ 1]", "  "),
    ],
)
def test_an_item_is_indented_as_one_that_has_its_own_line_or_a_level_below_the_container(
    text: str, indent: str
) -> None:
    assert indent_within(text, root(text), STYLE) == indent


@pytest.mark.parametrize(
    ("before", "indexes", "after"),
    [
        ("[0]", {0}, "[]"),
        ("[0, 1]", {0}, "[ 1]"),
        ("[1, 0]", {1}, "[1]"),
        ("[1, 0,]", {1}, "[1,]"),
        ("[1, 0, 2]", {1}, "[1, 2]"),
        ("[0, 1, 0]", {0, 2}, "[ 1]"),
        ("[1, 0, 0]", {1, 2}, "[1]"),
        ("[1 , 0 , 0 , ]", {1, 2}, "[1 , ]"),
        ("[0,0]", {0, 1}, "[]"),
        ("[1, /* a */ 0 /* b */, 2]", {1}, "[1, /* a */ /* b */ 2]"),
        ("[1, // a  \n  0 // b\n]", {1}, "[1 // a   // b\n]"),
        ('{"a": 1, "b": 0}', {1}, '{"a": 1}'),
    ],
)
def test_items_go_with_their_commas_and_the_blanks_before_them(before: str, indexes: set[int], after: str) -> None:
    assert without(before, indexes) == after


def test_with_the_blanks_kept_a_line_comment_keeps_its_end() -> None:
    text = "[ // a\n  0, 1]"
    assert without(text, {0}) == "[ // a 1]"
    assert without(text, {0}, keep_blanks=True) == "[ // a\n   1]"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('[{"a": /* mine */ 1}]', "[/* mine */]"),
        ('[{ // mine\r\n "a": "// no"}, 1]', "[// mine\r\n 1]"),
        ("[[// a\n// b\n/* c */], 1]", "[// a\n// b\n/* c */ 1]"),
    ],
)
def test_comments_within_an_item_outlive_it(before: str, after: str) -> None:
    assert without(before, {0}) == after


@pytest.mark.parametrize(
    "text", ["[]", "[\n]", "[1]", "[1,]", "[1 , ]", "[1 // a  \n]", "[ /* a */\r\n\t]", "{}", "[1,\n\n 2\n\n]"]
)
@pytest.mark.parametrize("blank_line", [False, True])
def test_what_was_put_in_comes_out_to_the_last_character(text: str, blank_line: bool) -> None:
    old = len(root(text).items)
    items = ('"k": 1', '"l": 2') if text.startswith("{") else ("8", "9")
    put = add(text, root(text), items, style_of(text), blank_line=blank_line)
    assert remove(put, root(put), {old, old + 1}) == text


def test_ten_megabytes_on_one_line_are_changed() -> None:
    text = "[" + ",".join([f'{{"label": "{"x" * 87}"}}'] * 100_000) + "]"
    assert added(text) == text[:-1] + ",\n  0]"


def test_half_of_a_hundred_thousand_items_are_taken_out() -> None:
    text = "[" + ",".join(["\n  0", "\n  1"] * 50_000) + "]"
    assert without(text, range(0, 100_000, 2)) == "[" + ",".join(["\n  1"] * 50_000) + "]"
