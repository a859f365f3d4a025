"""JSON with comments, as people write it: read strictly with offsets, changed only by putting text in and taking text
out. Knows no file and no editor.

What is accepted is what the tolerant readers of such files agree about: line and block comments, a trailing comma, a
byte order mark, every kind of line break, duplicate keys (the last one counts). Anything else is refused, because
"cannot be read" must never pass for "empty".
"""

from embctl.jsonc.edit import add, indent_within, remove
from embctl.jsonc.reader import Item, Node, NotJsonc, comments, decoded, place, read, value
from embctl.jsonc.style import Style, render, style_of

__all__ = [
    "Item",
    "Node",
    "NotJsonc",
    "Style",
    "add",
    "comments",
    "decoded",
    "indent_within",
    "place",
    "read",
    "remove",
    "render",
    "style_of",
    "value",
]
