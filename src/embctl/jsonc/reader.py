"""Reads JSON with comments into nodes that say where everything stands. Changes nothing.

One pass without recursion: the depth of a file is bounded by memory alone.
"""

import gc
import json
import re
from bisect import bisect_right
from typing import Any, Final, Literal, NamedTuple

__all__ = ["Item", "Node", "NotJsonc", "comments", "decoded", "place", "read", "value"]

Kind = Literal["object", "array", "scalar"]

# Possessive throughout, so that nothing is looked at twice however long it is.
_SKIPPED: Final = r"(?:[ \t\r\n]++|//[^\r\n]*+|/\*(?:[^*]++|\*(?!/))*+\*/)*+"
_STRING: Final = r'"[^"\\\x00-\x1f]*+(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*+)*+"'
_NUMBER: Final = r"-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?+(?:[eE][+-]?[0-9]++)?+"
_TOKEN: Final = re.compile(
    rf"{_SKIPPED}(?:(?P<string>{_STRING})(?P<colon>{_SKIPPED}:)?+"
    rf"|(?P<scalar>(?:{_NUMBER}|true|false|null)(?![\w.+-]))"
    r"|(?P<mark>[{}\[\],])|(?P<end>\Z))"
)
_TRIVIA: Final = re.compile(_SKIPPED)
_COMMENT: Final = re.compile(rf"{_STRING}|(?P<comment>//[^\r\n]*+|/\*(?:[^*]++|\*(?!/))*+\*/)")
_LINE_BREAK: Final = re.compile(r"\r\n|\r|\n")
_MARK: Final = "\N{ZERO WIDTH NO-BREAK SPACE}"
_OPENING: Final = "{["


class NotJsonc(ValueError):
    """The text cannot be read: `reason` says why, `line` and `column` (from 1, in characters) where."""

    def __init__(self, reason: str, line: int, column: int) -> None:
        super().__init__(f"{line}:{column}: {reason}")
        self.reason = reason
        self.line = line
        self.column = column


class Item(NamedTuple):
    """An element of an array, or a member of an object with its `key`; `start` is where it, or its key, begins, `comma`
    the offset of the comma behind it, None where there is none."""

    start: int
    value: "Node"
    key: str | None
    comma: int | None


class Node(NamedTuple):
    """A value at text[start:end]; `items` is empty below the depth that was asked for."""

    kind: Kind
    start: int
    end: int
    items: tuple[Item, ...] = ()

    def member(self, key: str) -> Item | None:
        """The member of that key that counts, the last one."""
        return next((item for item in reversed(self.items) if item.key == key), None)


class _Open:
    """A container that is being read; `wants` is what may come next in it."""

    __slots__ = ("commas", "in_object", "kept", "key", "start", "values", "wants")

    def __init__(self, start: int, *, in_object: bool, kept: bool) -> None:
        self.start = start
        self.in_object = in_object
        self.kept = kept
        self.wants = _KEY_OR_END if in_object else _VALUE_OR_END
        self.key: tuple[int, str | None] = (start, None)
        self.values: list[tuple[int, str | None, Node]] = []
        self.commas: list[int] = []

    def node(self, end: int) -> Node:
        """The container, which ends there."""
        commas = [*self.commas, None]
        items = tuple(
            Item(start, value, key, commas[index] if index < len(commas) else None)
            for index, (start, key, value) in enumerate(self.values)
        )
        return Node("object" if self.in_object else "array", self.start, end, items)


_KEY_OR_END, _VALUE_OR_END = "a key with its colon or }", "a value or ]"
_VALUE, _COMMA_OR_BRACE, _COMMA_OR_BRACKET = "a value", "a comma or }", "a comma or ]"


def decoded(content: bytes) -> str:
    """A file's text. Raises NotJsonc where it is not UTF-8."""
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8")
        raise _wrong(before, len(before), "this is not UTF-8") from None


def read(text: str, *, depth: int) -> Node | None:
    """The value that `text` holds, None when there are only comments and blanks. Containers nested less than `depth`
    deep have their items. Raises NotJsonc."""
    reading = _Reading(text, depth)
    position = 1 if text.startswith(_MARK) else 0
    collecting = gc.isenabled()
    # A long file makes millions of small tuples, none in a circle: looking for circles costs as much as reading them.
    gc.disable()
    try:
        while True:
            found = _TOKEN.match(text, position)
            if found is None:
                raise _no_token(text, position)
            if found.lastgroup == "end":
                return reading.finished()
            reading.take(found)
            position = found.end()
    finally:
        if collecting:
            gc.enable()


class _Reading:
    """One text on its way to a node."""

    def __init__(self, text: str, depth: int) -> None:
        self._text = text
        self._depth = depth
        self._open: list[_Open] = []
        self._root: Node | None = None

    def take(self, found: re.Match[str]) -> None:
        """The next token. Raises NotJsonc where it does not belong."""
        top = self._open[-1] if self._open else None
        match found.lastgroup:
            case "colon":
                self._key(found, top)
            case "mark" if found["mark"] in _OPENING:
                self._begin(found.start("mark"), top, in_object=found["mark"] == "{")
            case "mark":
                self._go_on(found.start("mark"), top)
            case group:
                start = found.start(group or 0)
                self._expect_value(start, top)
                self._put(Node("scalar", start, found.end()), top)

    def finished(self) -> Node | None:
        """The whole value. Raises NotJsonc where it does not end."""
        if not self._open:
            return self._root
        kind, begins = ("object" if self._open[-1].in_object else "array"), place(self._text, self._open[-1].start)
        raise _wrong(self._text, len(self._text), f"the {kind} that begins at {begins[0]}:{begins[1]} does not end")

    def _key(self, found: re.Match[str], top: _Open | None) -> None:
        if top is None or top.wants is not _KEY_OR_END:
            raise self._misplaced(found.end() - 1, top)
        top.wants = _VALUE
        if top.kept:
            top.key = found.start("string"), json.loads(found["string"])

    def _begin(self, start: int, top: _Open | None, *, in_object: bool) -> None:
        self._expect_value(start, top)
        self._open.append(_Open(start, in_object=in_object, kept=len(self._open) < self._depth))

    def _go_on(self, start: int, top: _Open | None) -> None:
        """A comma, or the end of a container."""
        mark = self._text[start]
        if top is None:
            raise self._misplaced(start, top)
        if mark == ",":
            if top.wants not in {_COMMA_OR_BRACE, _COMMA_OR_BRACKET}:
                raise self._misplaced(start, top)
            top.wants = _KEY_OR_END if top.in_object else _VALUE_OR_END
            if top.kept:
                top.commas.append(start)
            return
        if top.in_object is not (mark == "}") or top.wants is _VALUE:
            raise self._misplaced(start, top)
        self._open.pop()
        self._put(top.node(start + 1), self._open[-1] if self._open else None)

    def _put(self, done: Node, top: _Open | None) -> None:
        if top is None:
            self._root = done
            return
        top.wants = _COMMA_OR_BRACE if top.in_object else _COMMA_OR_BRACKET
        if top.kept:
            begins, key = top.key if top.in_object else (done.start, None)
            top.values.append((begins, key, done))

    def _expect_value(self, start: int, top: _Open | None) -> None:
        if self._root is not None or (top is not None and top.wants not in {_VALUE, _VALUE_OR_END}):
            raise self._misplaced(start, top)

    def _misplaced(self, offset: int, top: _Open | None) -> NotJsonc:
        if self._root is not None:
            return _wrong(self._text, offset, "something follows the value that should be all")
        return _wrong(self._text, offset, f"{self._text[offset]} stands where {top.wants if top else _VALUE} should be")


def _no_token(text: str, position: int) -> NotJsonc:
    found = _TRIVIA.match(text, position)
    offset = found.end() if found else position
    if text.startswith("/*", offset):
        return _wrong(text, offset, "a comment does not end")
    if text[offset] == '"':
        why = "it does not end on its line, or holds a wrong escape or a control character"
        return _wrong(text, offset, f"the string is not valid: {why}")
    return _wrong(text, offset, f"{text[offset]!r} is not expected here")


def value(text: str) -> Any:
    """The Python value of one node's text, which `read` has accepted; numbers are floats, as in the editors that read
    such files. RecursionError beyond about 1,000 levels."""
    tokens: list[str] = []
    for found in _TOKEN.finditer(text):
        group = found.lastgroup
        if group in {"string", "colon"}:
            tokens.append(found["string"] + (":" if group == "colon" else ""))
        elif group:
            token = found[group]
            if token in {"}", "]"} and tokens[-1] == ",":
                tokens.pop()
            tokens.append(token)
    # Python's int has a limit of digits, and refuses more.
    return json.loads("".join(tokens), parse_int=float)


def comments(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Where the comments begin and end between two offsets within what `read` has accepted, neither of them in a string
    or a comment; a line comment ends before its line break."""
    return [found.span() for found in _COMMENT.finditer(text, start, end) if found["comment"] is not None]


def _line_starts(text: str) -> list[int]:
    """The offsets at which lines begin."""
    return [1 if text.startswith(_MARK) else 0, *(found.end() for found in _LINE_BREAK.finditer(text))]


def place(text: str, offset: int) -> tuple[int, int]:
    """Line and column of an offset, from 1, in characters."""
    starts = _line_starts(text)
    line = bisect_right(starts, offset)
    return line, offset - starts[line - 1] + 1


def _wrong(text: str, offset: int, reason: str) -> NotJsonc:
    return NotJsonc(reason, *place(text, offset))
