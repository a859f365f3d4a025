"""Files with comments as people, and their worst enemies, write them: the same for Hypothesis and for the long fuzz.

`Author` writes them from any `random.Random`. `pairs` and `comments` read them by other means than embctl does, slowly
and letter by letter: what the tests hold embctl against.
"""

import json
import random
from collections.abc import Iterator, Sequence
from typing import Any

from embctl.vscode.block import KEYBINDINGS, Place

__all__ = ["Author", "Pairs", "comments", "pairs", "with_items"]

Pairs = Any
"""A value whose objects are tuples of (key, value), so that a key that comes twice is seen twice."""

_BREAK = "\n"
_BREAKS = ("\n", "\n", "\r\n", "\r")
_WORDS = (
    "build", "test all", "ünï \U0001f600", "embctl", "embctl help", "EMBCTL: x", 'say "it"', "a // b", "/* no */",
    "],}", "back\\slash", "\u2028", "",
)  # fmt: skip
_REMARKS = (
    "mine", "", "blanks behind   ", "\t", '"tasks": [', "]}", "Added by embctl install-vscode.",
    "Created by embctl install-vscode.", "https://example.com/*", '{"label": "embctl: a"},', "ö",
)  # fmt: skip
_CHORDS = ("ctrl+shift+9", "ctrl+k ctrl+c", "f5", "shift+ctrl+[Equal]", "")
_DAMAGE = ("", *'{}[],:"/*\\ \n\r\t\x0b\xa0\ufeff1-.et', "//", "/*", "*/", "\\u0041", ",,", "null")
_RUN = "workbench.action.tasks.runTask"


class Author:
    """Writes one file after another, each in a manner of its own."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._breaks: Sequence[str] = "\n"
        self._blanks: Sequence[str] = ("",)
        self._remarkable = False

    def file(self, place: Place, *, ours: bool = False) -> str:
        """A text that an editor reads, with items of ours among the others where asked for."""
        self._choose_manner()
        chance = self._rng.randrange(6)
        if chance == 0:
            return self._mark() + self._filling(4)
        if chance == 1 and not ours:
            return self._like_ours(place)
        if place is KEYBINDINGS:
            root = self._array(self._item(place, ours=ours) for _ in range(self._rng.randrange(5)))
        else:
            root = self._tasks_root(place, ours=ours)
        return self._mark() + self._filling() + root + self._filling()

    def damaged(self, text: str) -> str:
        """The text with letters gone, doubled or exchanged: most such texts can still be read by a tolerant reader."""
        for _ in range(self._rng.randrange(1, 4)):
            at = self._rng.randrange(len(text) + 1)
            gone = self._rng.choice((0, 0, 1, 1, 2, len(text)))
            put = self._rng.choice(_DAMAGE)
            text = text[:at] + put + text[at + gone :]
        return text

    def _choose_manner(self) -> None:
        newline = self._rng.choice(_BREAKS)
        self._breaks = _BREAKS if self._one_in(12) else (newline,)
        unit = self._rng.choice(("  ", "    ", "\t", " "))
        lines = [newline + unit, newline + unit, newline + unit * 2, newline, newline * 2, f" {newline}\t{newline}"]
        self._blanks = self._rng.choice((("",), ("", " ", "  ", "\t"), lines, ["", " ", *lines]))
        self._remarkable = self._one_in(2)

    def _one_in(self, number: int) -> bool:
        return self._rng.randrange(number) == number - 1

    def _mark(self) -> str:
        return "\ufeff" if self._one_in(8) else ""

    def _remark(self) -> str:
        """A comment; one that needs a line break has it."""
        said = self._rng.choice(_REMARKS)
        if self._one_in(2):
            return f"//{self._rng.choice(('', ' '))}{said}{self._rng.choice(self._breaks)}"
        middle = said.replace("*/", "").replace("/*", "")
        return f"/*{self._rng.choice(('', ' ', '*'))}{middle}{self._rng.choice(('', ' ', *self._breaks))}*/"

    def _filling(self, most: int = 2) -> str:
        """What may stand between two tokens."""
        parts = [self._rng.choice(self._blanks)]
        for _ in range(self._rng.randrange(most + 1) if self._remarkable or most > 2 else 0):
            parts += [self._remark(), self._rng.choice(self._blanks)]
        filling = "".join(parts)
        # A file may end within a line comment.
        return filling.rstrip("\r\n") if most > 2 and self._one_in(2) else filling

    def _string(self, text: str) -> str:
        written = json.dumps(text, ensure_ascii=self._one_in(3))
        if text and self._one_in(6) and text[0] not in '"\\' and ord(text[0]) < 0x10000:
            written = f'"\\u{ord(text[0]):04X}{json.dumps(text[1:])[1:]}'
        return written

    def _array(self, elements: Iterator[str]) -> str:
        return self._container("[", list(elements), "]")

    def _object(self, members: Sequence[tuple[str, str]]) -> str:
        return self._container(
            "{", [f"{self._string(key)}{self._filling()}:{self._filling()}{value}" for key, value in members], "}"
        )

    def _container(self, opening: str, parts: Sequence[str], closing: str) -> str:
        text = opening
        for index, part in enumerate(parts):
            text += self._filling() + part + self._filling()
            if index < len(parts) - 1 or self._one_in(3):
                text += ","
        return text + self._filling() + closing

    def _value(self, depth: int = 0) -> str:
        kind = self._rng.randrange(4 if depth < 2 else 2)
        if kind == 0:
            return self._rng.choice(("0", "-0", "-1.5e+3", "12345678901", "1E2", "true", "false", "null"))
        if kind == 1:
            return self._string(self._rng.choice(_WORDS))
        if kind == 2:
            return self._array(self._value(depth + 1) for _ in range(self._rng.randrange(3)))
        return self._object([(self._rng.choice(_WORDS), self._value(depth + 1)) for _ in range(self._rng.randrange(3))])

    def _item(self, place: Place, *, ours: bool) -> str:
        if self._one_in(6):
            return self._value()
        label = "embctl: " + self._rng.choice(("a", "b", "")) if ours and self._one_in(2) else self._rng.choice(_WORDS)
        if place is KEYBINDINGS:
            command = _RUN if self._one_in(2) or label.startswith("embctl: ") else self._rng.choice(_WORDS)
            facts = {"key": self._rng.choice(_CHORDS), "command": command, "args": label}
        else:
            facts = {"label": label, "command": self._rng.choice(_WORDS)}
        members = [(key, self._string(fact)) for key, fact in facts.items() if not self._one_in(8)]
        members += [(self._rng.choice((*facts, *_WORDS)), self._value()) for _ in range(self._rng.randrange(2))]
        self._rng.shuffle(members)
        return self._object(members)

    def _tasks_root(self, place: Place, *, ours: bool) -> str:
        members = [("version", '"2.0.0"')] if self._one_in(2) else []
        members += [(self._rng.choice(_WORDS), self._value()) for _ in range(self._rng.randrange(2))]
        for last in (False, True):
            if self._one_in(4 if not last else 2):
                count = self._rng.choice((0, 0, 1, 2, 3))
                members.append(("tasks", self._array(self._item(place, ours=ours) for _ in range(count))))
                if not last and self._one_in(4):
                    members.append(("tasks", self._value()))
            if self._one_in(4):
                members.append((self._rng.choice(_WORDS), self._value()))
        return self._object(members)

    def _like_ours(self, place: Place) -> str:
        """What a file that we began, or a member that we put in, looks like once our items are out of it."""
        header = self._rng.choice(("// Added by embctl install-vscode.", "// Created by embctl install-vscode.", ""))
        text = self._mostly("", " ", _BREAK, "// mine", f"// mine{_BREAK}", "/**/") + header + self._mostly(_BREAK, " ")
        if place is KEYBINDINGS:
            gap = self._mostly(_BREAK, "", " ", _BREAK * 2)
            return f"{text}[{gap}]{self._mostly(_BREAK, '', _BREAK * 2)}"
        array = f"[{self._mostly(_BREAK, '', ' ', _BREAK * 2)}{self._mostly('    ', '', '  ')}]"
        members = [self._mostly('"version": "2.0.0"', '"a": 1'), f'"tasks": {array}']
        members = self._rng.choice((members, members[:1], members[1:], []))
        between = (f"{_BREAK}    ", f"{_BREAK}{_BREAK}    ", f"{_BREAK}  ", " ")
        inside = ",".join(self._mostly(*between) + member for member in members)
        return f"{text}{{{inside}{self._mostly(_BREAK, '', ' ')}}}{self._mostly(_BREAK, '')}"

    def _mostly(self, usual: str, *others: str) -> str:
        return self._rng.choice(others) if self._one_in(8) else usual


def _pieces(text: str) -> Iterator[str]:
    """Every comment, every string, every other character: together the text but for its byte order mark."""
    at = 1 if text.startswith("\ufeff") else 0
    while at < len(text):
        end = at + 1
        if text.startswith("//", at):
            while end < len(text) and text[end] not in "\r\n":
                end += 1
        elif text.startswith("/*", at):
            end = text.index("*/", at + 2) + 2
        elif text[at] == '"':
            while text[end] != '"':
                end += 2 if text[end] == "\\" else 1
            end += 1
        yield text[at:end]
        at = end


def comments(text: str) -> list[str]:
    """The comments of a text that can be read, in order."""
    return [piece for piece in _pieces(text) if piece.startswith(("//", "/*"))]


def pairs(text: str) -> Pairs:
    """The value of a text that can be read; None where there are only comments and blanks."""
    tokens: list[str] = []
    for piece in _pieces(text):
        if piece in " \t\r\n" or piece.startswith(("//", "/*")):
            # Two numbers must not become one.
            tokens.append(" ")
            continue
        if piece in "]}":
            last = next(index for index in reversed(range(len(tokens))) if tokens[index] != " ")
            if tokens[last] == ",":
                del tokens[last]
        tokens.append(piece)
    written = "".join(tokens)
    if not written.strip():
        return None
    return json.loads(written, object_pairs_hook=tuple)


def with_items(before: Pairs, place: Place, items: Sequence[Any]) -> Pairs:
    """The value that a text is to have once `items` are in it, from the one that it had."""
    ours = json.loads(json.dumps(items), object_pairs_hook=tuple)
    if place.member is None:
        return [*(before or []), *ours]
    if before is None:
        return (("version", "2.0.0"), (place.member, ours))
    at = max((index for index, (key, _) in enumerate(before) if key == place.member), default=None)
    if at is None:
        return (*before, (place.member, ours))
    return (*before[:at], (place.member, [*before[at][1], *ours]), *before[at + 1 :])
