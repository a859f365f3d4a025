"""How a file is written, so that what is added looks like the rest: its line breaks and its indentation."""

import json
import re
from dataclasses import dataclass
from typing import Any, Final

__all__ = ["Style", "indent_at", "line_break_at", "render", "style_of"]

_BREAK: Final = re.compile(r"\r\n|\r|\n")
# Not the stars that block comments begin their lines with.
_INDENTED: Final = re.compile(r"[\r\n]([ \t]+)[^ \t\r\n*]")
_BLANKS: Final = re.compile(r"[ \t]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """A line break, and one level of indentation."""

    newline: str = "\n"
    unit: str = "    "


def style_of(text: str) -> Style:
    """The style of the first line break and of the first indented line."""
    newline, indented = _BREAK.search(text), _INDENTED.search(text)
    usual = Style()
    return Style(newline=newline[0] if newline else usual.newline, unit=indented[1] if indented else usual.unit)


def indent_at(text: str, offset: int) -> str:
    """The blanks with which the line of `offset` begins."""
    start = max(text.rfind("\n", 0, offset), text.rfind("\r", 0, offset)) + 1
    found = _BLANKS.match(text, start, offset)
    return found[0] if found else ""


def line_break_at(text: str, offset: int) -> int:
    """The end of the line break at `offset`; `offset` where there is none."""
    found = _BREAK.match(text, offset)
    return found.end() if found else offset


def render(content: Any, style: Style, indent: str) -> str:
    """The value as text, for a place whose line begins with `indent`."""
    lines = json.dumps(content, indent=style.unit, ensure_ascii=False).split("\n")
    return (style.newline + indent).join(lines)
