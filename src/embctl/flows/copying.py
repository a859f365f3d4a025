"""Copies the collections of one database into another: pages of points in the order of their ids, each acknowledged
before the next is read. What was interrupted goes on behind the last acknowledged page; the source is only read."""

import json
import math
import random
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from embctl.errors import Conflict, Failed
from embctl.outcomes import CollectionCopied
from embctl.qdrant import Database

__all__ = ["copy"]

PAGE = 128
SAMPLE = 100
# Databases normalise vectors for cosine similarity once more, in single precision.
TOLERANCE = 1e-5


def copy(
    source: Database, target: Database, progress_file: Path, tell: Callable[[str, int, int], None]
) -> tuple[CollectionCopied, ...]:
    """Every collection of `source`, with its settings and payload indexes; `tell` hears (collection, done, total).

    Raises Conflict(code="collection_differs") for one that is in `target` already with other points, before anything
    is written to it; Failed(code="copy_differs") when count or sample do not agree at the end.
    """
    progress = _Progress(progress_file)
    copied = tuple(_copy(source, target, name, progress, tell) for name in source.collections())
    progress_file.unlink(missing_ok=True)
    return copied


class _Progress:
    """Where each collection goes on, in a file: {name: id of the next point, null for the first}."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._starts: dict[str, str | int | None] = {}
        if path.is_file():
            self._starts = json.loads(path.read_text(encoding="utf-8"))

    def __contains__(self, name: str) -> bool:
        return name in self._starts

    def start(self, name: str) -> str | int | None:
        return self._starts.get(name)

    def reached(self, name: str, start: str | int | None) -> None:
        self._starts[name] = start
        self._write()

    def done(self, name: str) -> None:
        del self._starts[name]
        self._write()

    def _write(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._path.with_suffix(".new")
        fresh.write_text(json.dumps(self._starts), encoding="utf-8")
        fresh.replace(self._path)


def _copy(
    source: Database, target: Database, name: str, progress: _Progress, tell: Callable[[str, int, int], None]
) -> CollectionCopied:
    total = source.count(name)
    description = source.describe(name)
    if description is None:
        raise _differs(name, "it was deleted while it was copied")
    exists = target.describe(name) is not None
    if exists and name not in progress and target.count(name):
        if _difference(source, target, name):
            raise Conflict(
                f"The collection {name} is in the target already, with other points; it is left untouched.",
                code="collection_differs",
                details={"collection": name, "points": total, "points_in_target": target.count(name)},
                actions=(f"Delete the one that is not wanted, then run the same command again: {target.endpoint.url}",),
            )
        return CollectionCopied(collection=name, points=total, copied=0)
    start = progress.start(name)
    progress.reached(name, start)
    if not exists:
        target.create(name, description)
    copied = 0
    more = True
    while more:
        page = source.page(name, start, PAGE)
        if page.points:
            target.upsert(name, page.points)
        copied += len(page.points)
        start, more = page.next, page.next is not None
        progress.reached(name, start)
        tell(name, min(total, target.count(name)) if more else total, total)
    if reason := _difference(source, target, name):
        progress.reached(name, None)
        raise _differs(name, reason)
    progress.done(name)
    return CollectionCopied(collection=name, points=total, copied=copied)


def _difference(source: Database, target: Database, name: str) -> str:
    """What is not the same in both: the count, or a point of a sample; empty when nothing is."""
    counts = source.count(name), target.count(name)
    if counts[0] != counts[1]:
        return f"{counts[0]} points in the source, {counts[1]} in the target"
    ids = _sample(source, name)
    here, there = source.points(name, ids), target.points(name, ids)
    wrong = [point for point in ids if not _same(here.get(point), there.get(point))]
    return f"the point {wrong[0]} is another in the target" if wrong else ""


def _sample(database: Database, name: str) -> list[str | int]:
    """Ids from all over the collection: every page gets its chance, whatever the order of ids means."""
    chance = random.Random(0)  # noqa: S311 - a sample, no secret; the same one each time can be looked into
    kept: list[str | int] = []
    seen, start = 0, None
    while True:
        page = database.ids(name, start, 1000)
        for point in page.points:
            seen += 1
            if len(kept) < SAMPLE:
                kept.append(point["id"])
            elif (place := chance.randrange(seen)) < SAMPLE:
                kept[place] = point["id"]
        start = page.next
        if start is None:
            return kept


def _same(here: Mapping[str, Any] | None, there: Mapping[str, Any] | None) -> bool:
    if here is None or there is None or here["payload"] != there["payload"]:
        return False
    pair = here["vector"], there["vector"]
    if not all(isinstance(vector, list) for vector in pair):
        return bool(pair[0] == pair[1])
    return len(pair[0]) == len(pair[1]) and all(
        math.isclose(a, b, rel_tol=TOLERANCE, abs_tol=TOLERANCE) for a, b in zip(*pair, strict=True)
    )


def _differs(name: str, reason: str) -> Failed:
    return Failed(
        f"The copy of the collection {name} is not the same: {reason}. The source is untouched.",
        code="copy_differs",
        details={"collection": name, "reason": reason},
        actions=("Let nobody write to the source meanwhile (stop indexing), then run the same command again.",),
        retryable=True,
    )
