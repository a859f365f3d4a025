"""Changes of a text: items put behind a container's last one, items taken out. Every other character stays, in order.

What `add` puts in, `remove` takes out to the last character: the comma before it is ours exactly when no comma stands
behind our last item.
"""

from collections.abc import Collection, Sequence

from embctl.jsonc.reader import Item, Node, comments_end
from embctl.jsonc.style import Style, indent_at

__all__ = ["add", "indent_within", "remove"]

_BLANKS = " \t\r\n"


def add(text: str, container: Node, items: Sequence[str], style: Style, *, blank_line: bool = False) -> str:
    """The text with `items`, already written (see `indent_within`), behind the last item and its comments, each on a
    line of its own; with `blank_line` an empty one before them."""
    last = container.items[-1] if container.items else None
    at = comments_end(text, _after(last) if last else container.start + 1, container.end - 1)
    begin = style.newline + indent_within(text, container, style)
    ours = (style.newline if blank_line else "") + ",".join(begin + item for item in items)
    if last is None:
        return text[:at] + ours + text[at:]
    if last.comma is not None:
        return f"{text[:at]}{ours},{text[at:]}"
    return f"{text[: last.value.end]},{text[last.value.end : at]}{ours}{text[at:]}"


def _after(item: Item) -> int:
    return item.value.end if item.comma is None else item.comma + 1


def indent_within(text: str, container: Node, style: Style) -> str:
    """The blanks before an item that has its own line."""
    for item in container.items:
        indent = indent_at(text, item.start)
        if text[: item.start].endswith(("\n" + indent, "\r" + indent)):
            return indent
    return indent_at(text, container.start) + style.unit


def remove(text: str, container: Node, indexes: Collection[int], *, keep_blanks: bool = False) -> str:
    """The text without those items of the container, the commas that they needed and the blanks before them; comments
    stay, and with `keep_blanks` the blanks do too (a line comment before an item needs its line break)."""
    gone: list[tuple[int, int]] = []
    for index in sorted(indexes):
        item = container.items[index]
        gone.append((item.start if keep_blanks else _blanks_before(text, item.start), item.value.end))
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


def _blanks_before(text: str, offset: int) -> int:
    return len(text[:offset].rstrip(_BLANKS))


def _left_as_last(items: Sequence[Item], indexes: Collection[int]) -> Item | None:
    """The item before ours that becomes the last one, where ours ended without a comma."""
    if not items or len(items) - 1 not in indexes or items[-1].comma is not None:
        return None
    return next((item for index, item in reversed([*enumerate(items)]) if index not in indexes), None)
