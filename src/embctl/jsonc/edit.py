"""Changes of a text: items put behind a container's last one, items taken out. Every other character stays, in order.

What `add` puts in, `remove` takes out to the last character: the comma before it is ours exactly when no comma stands
behind our last item.
"""

from collections.abc import Collection, Sequence

from embctl.jsonc.reader import Item, Node, comments
from embctl.jsonc.style import Style, indent_at, line_break_at

__all__ = ["add", "indent_within", "remove"]

_BLANKS = " \t\r\n"


def add(text: str, container: Node, items: Sequence[str], style: Style, *, blank_line: bool = False) -> str:
    """The text with `items`, already written (see `indent_within`), behind the last item and its comments, each on a
    line of its own; with `blank_line` an empty one before them."""
    last = container.items[-1] if container.items else None
    at = _comments_end(text, container, len(container.items), container.end - 1)
    begin = style.newline + indent_within(text, container, style)
    ours = (style.newline if blank_line else "") + ",".join(begin + item for item in items)
    if last is None:
        return text[:at] + ours + text[at:]
    if last.comma is not None:
        return f"{text[:at]}{ours},{text[at:]}"
    return f"{text[: last.value.end]},{text[last.value.end : at]}{ours}{text[at:]}"


def _comments_end(text: str, container: Node, index: int, end: int) -> int:
    """Where the blanks begin that stand before the item of that index, which begins at `end`: behind the item before
    it, its comma and the comments."""
    before = container.items[index - 1] if index else None
    start = container.start + 1
    if before:
        start = before.value.end if before.comma is None else before.comma + 1
    return max((found for _, found in comments(text, start, end)), default=start)


def indent_within(text: str, container: Node, style: Style) -> str:
    """The blanks before an item that has its own line."""
    for item in container.items:
        start = item.start
        while text[start - 1] in " \t":
            start -= 1
        if text[start - 1] in "\r\n":
            return text[start : item.start]
    return indent_at(text, container.start) + style.unit


def remove(text: str, container: Node, indexes: Collection[int], *, keep_blanks: bool = False) -> str:
    """The text without those items of the container, the commas that they needed and the blanks before them; comments
    stay, those within the items too, and with `keep_blanks` the blanks do (a line comment before an item needs its line
    break)."""
    gone: list[tuple[int, int]] = []
    for index in sorted(indexes):
        item = container.items[index]
        position = item.start if keep_blanks else _comments_end(text, container, index, item.start)
        for start, end in comments(text, item.start, item.value.end):
            gone.append((position, start))
            position = line_break_at(text, end) if text.startswith("//", start) else end
        gone.append((position, item.value.end))
        if item.comma is not None:
            bare = not text[item.value.end : item.comma].strip(_BLANKS)
            gone.append((item.value.end if bare and not keep_blanks else item.comma, item.comma + 1))
    before = _left_as_last(container.items, indexes)
    if before is not None and before.comma is not None:
        gone.append((before.comma, before.comma + 1))
    kept, position = [], 0
    for start, end in sorted(gone):
        kept.append(text[position:start])
        position = end
    return "".join([*kept, text[position:]])


def _left_as_last(items: Sequence[Item], indexes: Collection[int]) -> Item | None:
    """The item before ours that becomes the last one, where ours ended without a comma."""
    if not items or len(items) - 1 not in indexes or items[-1].comma is not None:
        return None
    return next((item for index, item in reversed([*enumerate(items)]) if index not in indexes), None)
