"""What a change would do to a file, as `patch` reads it."""

import pytest

from embctl.vscode.difference import difference

HEAD = "--- a.json\n+++ a.json\n"


def test_no_change_is_no_text() -> None:
    assert difference("a.json", "[]", "[]") == ""


def test_lines_are_shown_with_their_surroundings() -> None:
    assert (
        difference("a.json", "[\n1,\n2\n]\n", "[\n1,\n2,\n3\n]\n")
        == f"{HEAD}@@ -1,4 +1,5 @@\n [\n 1,\n-2\n+2,\n+3\n ]\n"
    )


def test_a_file_that_begins_or_ends_to_be_is_all_new_or_all_gone() -> None:
    assert difference("a.json", "", "[]\n") == f"{HEAD}@@ -0,0 +1 @@\n+[]\n"
    assert difference("a.json", "[]\n", "") == f"{HEAD}@@ -1 +0,0 @@\n-[]\n"


def test_a_last_line_without_an_end_is_said_to_have_none() -> None:
    mark = "\\ No newline at end of file\n"
    assert difference("a.json", "{}", "[]") == f"{HEAD}@@ -1 +1 @@\n-{{}}\n{mark}+[]\n{mark}"


@pytest.mark.parametrize("odd", ["\t", "\x0b", "\x0c", "\x1c", "\x85", "\u2028"])
def test_what_is_no_end_of_a_line_in_an_editor_is_none_here(odd: str) -> None:
    assert difference("a.json", "", f"// a{odd}b\n") == f"{HEAD}@@ -0,0 +1 @@\n+// a{odd}b\n"


@pytest.mark.parametrize(("end", "shown"), [("\r\n", "\r\n"), ("\r", "\r\n")])
def test_other_ends_of_lines_stay_and_each_line_stands_alone(end: str, shown: str) -> None:
    assert difference("a.json", "", f"[{end}]{end}") == f"{HEAD}@@ -0,0 +1,2 @@\n+[{shown}+]{shown}"
