"""What is added looks like the rest of the file."""

import pytest

from embctl.jsonc import Style, render, style_of
from embctl.jsonc.style import indent_at, line_break_at


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("unit", ["  ", "\t", "    ", " "])
def test_the_first_line_break_and_the_first_indented_line_make_the_style(newline: str, unit: str) -> None:
    assert style_of(newline.join(["[", f"{unit}1,", f"{unit}{unit}2", "]"])) == Style(newline=newline, unit=unit)


@pytest.mark.parametrize("text", ["", "{}", '{"a": "\\n  b"}'])
def test_a_file_of_one_line_gets_four_blanks_and_line_feeds(text: str) -> None:
    assert style_of(text) == Style(newline="\n", unit="    ")


def test_a_line_of_blanks_alone_says_nothing_of_the_indentation() -> None:
    assert style_of("[\n          \n  1]").unit == "  "


def test_the_stars_of_a_block_comment_say_nothing_of_the_indentation() -> None:
    assert style_of("/*\n * Mine.\n */\n{\n\t}").unit == "\t"


@pytest.mark.parametrize(
    ("text", "indent"), [("  {x", "  "), ("a\r\t {x", "\t "), ("a\n{x", ""), ("  a\r\n   b {x", "   ")]
)
def test_the_indent_of_a_place_is_that_of_its_line(text: str, indent: str) -> None:
    assert indent_at(text, text.index("x")) == indent


def test_a_line_break_ends_behind_both_of_its_characters() -> None:
    text = "a\r\n\rb\n"
    assert [line_break_at(text, offset) for offset in (0, 1, 3, 4, 5)] == [0, 3, 4, 4, 6]


def test_a_value_is_written_line_by_line_with_the_files_breaks_and_indents() -> None:
    style = Style(newline="\r\n", unit="\t")
    assert (
        render({"a": [1], "b": "ü\n"}, style, "  ") == '{\r\n  \t"a": [\r\n  \t\t1\r\n  \t],\r\n  \t"b": "ü\\n"\r\n  }'
    )
