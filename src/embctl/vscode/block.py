"""Our items in a file of the user's: found, put in, taken out. Pure: text in, text out; every other character stays.

Ours are tasks whose label begins with `PREFIX`, and keybindings that run such a task. An install that is taken back
gives the very text from before, whatever that was: where two texts could become the same one, the second gets an empty
line, and a file or root that we had to begin carries a comment of ours.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from embctl.jsonc import Node, NotJsonc, Style, add, indent_within, read, remove, render, style_of, value
from embctl.vscode.hotkeys import PREFIX
from embctl.vscode.rules import RUN_TASK

__all__ = ["KEYBINDINGS", "TASKS", "Block", "NotOurs", "Place"]

_ADDED: Final = "// Added by embctl install-vscode."
_CREATED: Final = "// Created by embctl install-vscode."


class NotOurs(ValueError):
    """The file is valid, but not what the editor reads; the message says what was expected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a kind of file keeps its items: in the array under `member` of the root, or in the root itself."""

    member: str | None
    depth: int

    def owns(self, item: Mapping[str, Any]) -> bool:
        """Whether an item is one of embctl's."""
        label = item.get("label") if self.member else item.get("args")
        runs = self.member is not None or item.get("command") == RUN_TASK
        return runs and isinstance(label, str) and label.startswith(PREFIX)


TASKS: Final = Place(member="tasks", depth=3)
KEYBINDINGS: Final = Place(member=None, depth=2)


class Block:
    """Our items in one text, None where there is no file. Raises NotJsonc or NotOurs when that cannot be told."""

    def __init__(self, text: str | None, place: Place) -> None:
        self._text = text
        self._place = place
        self._root = None if text is None else read(text, depth=place.depth)
        self._array = self._find()
        self.ours: list[Any] = []
        """The values of our items."""
        self.others: list[Any] = []
        """The values of the user's own items, as far as they are objects."""
        self._indexes: set[int] = set()
        self._sort()

    def _find(self) -> Node | None:
        root, member = self._root, self._place.member
        if root is None:
            return None
        if member is None:
            if root.kind != "array":
                raise NotOurs("the root must be an array of keybindings: [ ... ]")
            return root
        if root.kind != "object":
            raise NotOurs('the root must be an object: {"version": "2.0.0", "tasks": [ ... ]}')
        found = root.member(member)
        if found is not None and found.value.kind != "array":
            raise NotOurs(f'"{member}" must be an array: [ ... ]')
        return found.value if found else None

    def _sort(self) -> None:
        if self._text is None or self._array is None:
            return
        for index, item in enumerate(self._array.items):
            if item.value.kind != "object":
                continue
            # Only what decides is read: an item may be deeper than Python's own reader goes.
            facts = {
                member.key: value(self._text[member.value.start : member.value.end])
                for member in item.value.items
                if member.key is not None and member.value.kind == "scalar"
            }
            if self._place.owns(facts):
                self._indexes.add(index)
                self.ours.append(_whole(self._text[item.value.start : item.value.end]))
            else:
                self.others.append(facts)

    def installed(self, wanted: Sequence[Mapping[str, Any]]) -> str:
        """The text with exactly the `wanted` items as ours; the same text when it has them already."""
        if self._text is not None and self.ours == list(wanted):
            return self._text
        if self.ours:
            return Block(self.removed(), self._place).installed(wanted)
        return self._put(wanted)

    def _put(self, wanted: Sequence[Mapping[str, Any]]) -> str:
        text, root, array = self._text, self._root, self._array
        if text is None:
            return _begun(_CREATED, wanted, self._place)
        if root is None:
            return text + _gap(text) + _begun(_ADDED, wanted, self._place)
        for blank_line in (False, True):
            if array is None:
                written = _member(self._place.member or "", wanted, text, root)
                put = add(text, root, [written], style_of(text), blank_line=blank_line)
            else:
                style = style_of(text)
                indent = indent_within(text, array, style)
                put = add(text, array, [render(item, style, indent) for item in wanted], style, blank_line=blank_line)
            # Only an array without items of the user's can be taken for one that we had to begin.
            if (array is not None and array.items) or Block(put, self._place).removed() == text:
                break
        self._check(put, wanted)
        return put

    def _check(self, put: str, wanted: Sequence[Mapping[str, Any]]) -> None:
        """The last line of defence: what would be written reads as the old items and ours behind them."""
        after = Block(put, self._place)
        if after.ours != list(wanted) or after.others != self.others:
            raise NotOurs("embctl does not know how to change this file without harm")

    def removed(self) -> str | None:
        """The text without our items; None where the file was begun for them."""
        text, array = self._text, self._array
        if text is None or array is None or not self.ours:
            return text
        for header in (_CREATED, _ADDED):
            begun = _begun(header, self.ours, self._place)
            if text == begun and header == _CREATED:
                return None
            if text.endswith(begun):
                rest = text.removesuffix(begun)
                return rest if not rest or rest.endswith(("\n", "\r")) else rest.removesuffix(" ")
        if self._place.member and self._root and self._is_begun(text, self._root):
            index = max(i for i, item in enumerate(self._root.items) if item.key == self._place.member)
            return remove(text, self._root, {index})
        taken = remove(text, array, self._indexes)
        if not self._leaves(taken):
            taken = remove(text, array, self._indexes, keep_blanks=True)
            if not self._leaves(taken):
                raise NotOurs("embctl does not know how to take its items out of this file without harm")
        return taken

    def _is_begun(self, text: str, root: Node) -> bool:
        """Whether the member is the last one and written as we write it when it is missing."""
        last = root.items[-1]
        if last.key != self._place.member or len(self.ours) != len(last.value.items):
            return False
        style = style_of(text)
        written = _member(last.key or "", self.ours, text, root)
        begin = style.newline + indent_within(text, root, style)
        return text[: last.value.end].endswith(begin + written) and not text[: last.value.end].endswith(
            style.newline + begin + written
        )

    def _leaves(self, text: str) -> bool:
        try:
            after = Block(text, self._place)
        except (NotJsonc, NotOurs):
            return False
        return not after.ours and after.others == self.others


def _whole(text: str) -> Any:
    try:
        return value(text)
    except RecursionError:
        return None  # ours by its label, but nothing that we wrote


def _gap(text: str) -> str:
    """Between comments of the user's that fill the file and ours: what tells whether their last line had an end."""
    return "" if not text or text.endswith(("\n", "\r")) else " "


def _begun(header: str, items: Sequence[Mapping[str, Any]], place: Place) -> str:
    root: Any = items if place.member is None else {"version": "2.0.0", place.member: items}
    return f"{header}\n{render(root, Style(), '')}\n"


def _member(key: str, items: Sequence[Mapping[str, Any]], text: str, root: Node) -> str:
    style = style_of(text)
    return f'"{key}": {render(items, style, indent_within(text, root, style))}'
