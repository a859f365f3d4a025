"""A long run against the editors' own parser: no file that embctl changes may read differently there.

Run by hand: `python tests/jsonc_fuzz.py --edits 20000 --seed 1`. Each edit is a random file with our items put in and
taken out again. The parser must read the old file, without an error, as embctl does; the new one as the old one and
ours behind it. A file that embctl refuses must be one in which the parser finds an error too.
"""

import argparse
import json
import random
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import npm_workspace
from embctl.jsonc import NotJsonc, value
from embctl.vscode.block import KEYBINDINGS, TASKS, Block, NotOurs, Place
from embctl.vscode.hotkeys import System
from embctl.vscode.rules import keybindings, tasks
from jsonc_texts import Author, pairs

__all__ = ["Counts", "Difference", "run"]

_CHUNK = 2_000


class Difference(AssertionError):
    """A file that the editors' parser reads differently."""


@dataclass(kw_only=True)
class Counts:
    """What a run has done: files changed and taken back, files refused as unreadable, as no file of the editor's."""

    edits: int = 0
    unreadable: int = 0
    not_ours: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Edit:
    place: Place
    before: str
    after: str | None
    """None where the text was refused."""


def run(node: str, edits: int, seed: int) -> Counts:
    """Makes that many edits and compares. Raises Difference."""
    counts = Counts()
    files = _files(random.Random(seed), counts)  # noqa: S311 - the same files again for the same seed
    while counts.edits < edits:
        some = [next(files) for _ in range(min(_CHUNK, edits - counts.edits))]
        texts = [text for edit in some for text in (edit.before, edit.after) if text is not None]
        read = iter(_read_by_the_editor(node, texts))
        for edit in some:
            _compare(edit, next(read), next(read) if edit.after is not None else None)
    return counts


def _files(rng: random.Random, counts: Counts) -> Iterator[_Edit]:
    author = Author(rng)
    while True:
        place = rng.choice((TASKS, KEYBINDINGS))
        text = author.file(place, ours=rng.randrange(4) == 0)
        if rng.randrange(4) == 0:
            text = author.damaged(text)
        try:
            after = Block(text, place).installed(_items(place))
        except NotOurs:
            counts.not_ours += 1
        except NotJsonc:
            counts.unreadable += 1
            yield _Edit(place=place, before=text, after=None)
        else:
            counts.edits += 1
            yield _Edit(place=place, before=text, after=after)


def _items(place: Place) -> Sequence[Any]:
    return keybindings(System.LINUX) if place is KEYBINDINGS else tasks("/opt/embctl")


def _read_by_the_editor(node: str, texts: Sequence[str]) -> list[Any]:
    ran = subprocess.run(
        [node, npm_workspace.FOLDER / "jsonc.mjs"],
        input="".join(json.dumps(text) + "\n" for text in texts),
        capture_output=True,
        text=True,
        check=False,
    )
    if ran.returncode:
        raise Difference(ran.stderr)
    return [json.loads(line) for line in ran.stdout.removesuffix("\n").split("\n")]


def _compare(edit: _Edit, before: Any, after: Any) -> None:
    if edit.after is None:
        _hold(before["errors"], "the editor reads what was refused", edit)
        return
    # Nothing at all is an error to the parser, and an empty file to the editor.
    _hold(not before["errors"] or pairs(edit.before) is None, "the editor finds an error in what was accepted", edit)
    _hold(not after["errors"], "the editor finds an error in what was written", edit)
    _hold(before.get("value") == _read_by_us(edit.before), "the old file reads differently", edit)
    _hold(after["value"] == _expected(before.get("value"), edit.place), "the new file reads differently", edit)


def _hold(holds: object, otherwise: str, edit: _Edit) -> None:
    if not holds:
        raise Difference(f"{otherwise}:\n{edit.before!r}\n{edit.after!r}")


def _read_by_us(text: str) -> Any:
    return None if pairs(text) is None else value(text)


def _expected(before: Any, place: Place) -> Any:
    items = _items(place)
    if place.member is None:
        return [*(item for item in before or [] if not _is_ours(item, place)), *items]
    root = {"version": "2.0.0"} if before is None else before
    theirs = [item for item in root.get(place.member, []) if not _is_ours(item, place)]
    return {**root, place.member: [*theirs, *items]}


def _is_ours(item: Any, place: Place) -> bool:
    return isinstance(item, dict) and place.owns(item)


def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--edits", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    begun = time.monotonic()
    counts = run(npm_workspace.node(), chosen.edits, chosen.seed)
    sys.stdout.write(f"{counts} in {time.monotonic() - begun:.0f} s: no file reads differently\n")


if __name__ == "__main__":
    _main()
