"""Our items in a file of the user's: found, put in, taken out. Pure: text in, text out; every other character stays.

Ours are tasks whose label begins with `PREFIX`, and keybindings that run such a task. An install that is taken back
gives the very text from before, whatever that was: where two texts could become the same one, the second gets an empty
line, and a file or root that we had to begin carries a comment of ours.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from embctl import jsonc
from embctl.jsonc import Node, NotJsonc, Style, add, comments, indent_within, read, remove, render, style_of, value
from embctl.vscode.hotkeys import PREFIX
from embctl.vscode.rules import RUN_TASK

__all__ = ["KEYBINDINGS", "TASKS", "Block", "NotOurs", "Place"]

_ADDED: Final = "// Added by embctl install-vscode."
_CREATED: Final = "// Created by embctl install-vscode."


class NotOurs(ValueError):
    """The file is valid, but not what the editor reads: `reason` says what was expected, `line` and `column` where."""

    def __init__(self, reason: str, line: int, column: int) -> None:
        super().__init__(f"{line}:{column}: {reason}")
        self.reason = reason
        self.line = line
        self.column = column


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
        """The values of the user's own items, as far as they are objects; None stands for arrays and objects within."""
        self._indexes: set[int] = set()
        self._sort()

    def _find(self) -> Node | None:
        root, member = self._root, self._place.member
        if root is None:
            return None
        if member is None:
            if root.kind != "array":
                raise self._unlike("the root must be an array of keybindings: [ ... ]", root)
            return root
        if root.kind != "object":
            raise self._unlike('the root must be an object: {"version": "2.0.0", "tasks": [ ... ]}', root)
        found = root.member(member)
        if found is not None and found.value.kind != "array":
            raise self._unlike(f'"{member}" must be an array: [ ... ]', found.value)
        return found.value if found else None

    def _unlike(self, reason: str, node: Node) -> NotOurs:
        return NotOurs(reason, *jsonc.place(self._text or "", node.start))

    def _sort(self) -> None:
        if self._text is None or self._array is None:
            return
        for index, item in enumerate(self._array.items):
            if item.value.kind != "object":
                continue
            # Only what decides is read: an item may be deeper than Python's own reader goes.
            facts = {
                member.key: value(self._text[member.value.start : member.value.end])
                if member.value.kind == "scalar"
                else None
                for member in item.value.items
                if member.key is not None
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
            put = _among(text, root, array, wanted, self._place, blank_line=blank_line)
            after = Block(put, self._place)
            if after.ours == list(wanted) and after.others == self.others and after.removed() == text:
                return put
        raise self._unlike("embctl does not know how to change this file without harm", root)

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
        before = self._without_member()
        if before is not None:
            return before
        taken = remove(text, array, self._indexes)
        if not self._leaves(taken):
            taken = remove(text, array, self._indexes, keep_blanks=True)
            if not self._leaves(taken):
                raise self._unlike("embctl does not know how to take its items out of this without harm", array)
        return taken

    def _without_member(self) -> str | None:
        """The text from before the member was put in; None where we did not do that, or it was changed since."""
        text, root = self._text, self._root
        if text is None or root is None or self._place.member is None:
            return None
        last = root.items[-1]
        if last.key != self._place.member or len(last.value.items) != len(self.ours):
            return None
        before = remove(text, root, {len(root.items) - 1})
        try:
            block = Block(before, self._place)
        except (NotJsonc, NotOurs):
            return None
        if block._root is None or block._array is not None:
            return None
        put = (
            _among(before, block._root, None, self.ours, self._place, blank_line=blank_line)
            for blank_line in (False, True)
        )
        return before if text in put else None

    def _leaves(self, text: str) -> bool:
        try:
            after = Block(text, self._place)
        except (NotJsonc, NotOurs):
            return False
        return not after.ours and after.others == self.others and _remarks(text) == _remarks(self._text or "")


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


def _among(
    text: str,
    root: Node,
    array: Node | None,
    items: Sequence[Mapping[str, Any]],
    place: Place,
    *,
    blank_line: bool,
) -> str:
    """The text with `items` in the array, or with the member that they need."""
    style = style_of(text)
    indent = indent_within(text, array or root, style)
    if array is None:
        member = f'"{place.member}": {render(items, style, indent)}'
        return add(text, root, [member], style, blank_line=blank_line)
    return add(text, array, [render(item, style, indent) for item in items], style, blank_line=blank_line)


def _remarks(text: str) -> list[str]:
    """The comments."""
    return [text[start:end] for start, end in comments(text, 0, len(text))]
