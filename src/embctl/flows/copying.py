"""Copies the collections of one database into another: pages of points in the order of their ids, each acknowledged
before the next is read. What was interrupted goes on behind the last acknowledged page; the source is only read."""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from embctl.errors import Conflict, Failed
from embctl.outcomes import CollectionCopied
from embctl.qdrant import Database

__all__ = ["copy"]

PAGE = 128
# Databases normalise vectors for cosine similarity once more, in single precision.
TOLERANCE = 1e-5


def copy(
    source: Database,
    target: Database,
    progress_file: Path,
    *,
    tell: Callable[[str, int, int], None],
    may_replace: Callable[[str, int], bool],
) -> tuple[CollectionCopied, ...]:
    """Every collection of `source`, with its settings and payload indexes; `tell` hears (collection, done, total).

    One that is in `target` already with other points is replaced only where `may_replace` (collection, points there)
    says so, else raises Conflict(code="collection_differs"), untouched. Failed(code="copy_differs") when the
    two do not agree at the end.
    """
    copying = _Copying(
        source=source, target=target, progress=_Progress(progress_file), tell=tell, may_replace=may_replace
    )
    copied = tuple(copying.collection(name) for name in source.collections())
    progress_file.unlink(missing_ok=True)
    return copied


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reached:
    """How far a collection is: `points` were acknowledged, the next page begins at the id `start` (None: the first)."""

    points: int = 0
    start: str | int | None = None


class _Progress:
    """How far each collection is, in a file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._reached: dict[str, _Reached] = {}
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            self._reached = {name: _Reached(**reached) for name, reached in content.items()}
        except (FileNotFoundError, ValueError, TypeError, AttributeError):
            pass  # nothing was begun, or nobody can say how far it came: then it begins anew

    def of(self, name: str) -> _Reached | None:
        return self._reached.get(name)

    def keep(self, name: str, reached: _Reached | None) -> None:
        if reached is None:
            self._reached.pop(name, None)
        else:
            self._reached[name] = reached
        self._path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._path.with_suffix(".new")
        fresh.write_text(json.dumps({each: asdict(at) for each, at in self._reached.items()}), encoding="utf-8")
        fresh.replace(self._path)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Copying:
    """One run of `copy`."""

    source: Database
    target: Database
    progress: _Progress
    tell: Callable[[str, int, int], None]
    may_replace: Callable[[str, int], bool]

    def collection(self, name: str) -> CollectionCopied:
        total = self.source.count(name)
        description = self.source.describe(name)
        if description is None:
            raise _differs(name, "it was deleted while it was copied")
        exists = self.target.describe(name) is not None
        reached = self.progress.of(name) if exists else None
        if reached and not self._is_ours(name, reached, description):
            reached = None
        if exists and reached is None:
            if not _difference(self.source, self.target, name):
                return CollectionCopied(collection=name, points=total, copied=0)
            self._clear(name, total)
            exists = False
        if not exists:
            self.progress.keep(name, None)
            self.target.create(name, description)
        copied = self._points(name, total, reached or _Reached())
        reason = _difference(self.source, self.target, name)
        self.progress.keep(name, None)
        if reason:
            self.target.delete(name)  # half a copy helps nobody, and the next run begins anew
            raise _differs(name, reason)
        return CollectionCopied(collection=name, points=total, copied=copied)

    def _is_ours(self, name: str, reached: _Reached, description: Mapping[str, Any]) -> bool:
        """Whether the target still holds what was copied and nothing else; a page may have been written and not been
        noted. A source that was made anew meanwhile may have other vectors."""
        there = self.target.describe(name) or {"config": {"params": {}}}
        if there["config"]["params"].get("vectors") != description["config"]["params"].get("vectors"):
            return False
        return reached.points <= self.target.count(name) <= reached.points + PAGE

    def _clear(self, name: str, total: int) -> None:
        there = self.target.count(name)
        if there and not self.may_replace(name, there):
            raise Conflict(
                f"The collection {name} is in the target already, with other points; it is left untouched.",
                code="collection_differs",
                details={"collection": name, "points": total, "points_in_target": there},
                actions=("Replace what is there by the source's: run the same command with --yes",),
            )
        self.target.delete(name)

    def _points(self, name: str, total: int, reached: _Reached) -> int:
        """Copy from there to the end; how many points that were."""
        began = reached.points
        self.progress.keep(name, reached)
        while True:
            page = self.source.page(name, reached.start, PAGE)
            if page.points:
                self.target.upsert(name, page.points)
            reached = _Reached(points=reached.points + len(page.points), start=page.next)
            if page.next is not None:
                self.progress.keep(name, reached)
            self.tell(name, min(total, reached.points), total)
            if page.next is None:
                return reached.points - began


def _difference(source: Database, target: Database, name: str) -> str:
    """What is not the same in both, held point by point; empty when nothing is."""
    counts = source.count(name), target.count(name)
    if counts[0] != counts[1]:
        return f"{counts[0]} points in the source, {counts[1]} in the target"
    start: str | int | None = None
    while True:
        page = source.page(name, start, PAGE)
        there = target.points(name, [point["id"] for point in page.points])
        for point in page.points:
            if not _same(point, there.get(point["id"])):
                return f"the point {point['id']} is another in the target"
        start = page.next
        if start is None:
            return ""


def _same(here: Mapping[str, Any], there: Mapping[str, Any] | None) -> bool:
    if there is None or here["payload"] != there["payload"]:
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
