"""Moving a shard's live points to a fresh one, page by page, while the old one goes on serving and changing.

The engine never takes a deleted point's row again, and its own optimizer stops the whole process while it runs. A copy
in small pages stalls nobody, needs nothing of the engine but reads and writes, and changes nothing until it is whole:

1. Every point is copied, in the order of the ids, to a shard that another process makes and flushes: what waits for the
   disk under the interpreter lock does so under that one's.
2. What was written meanwhile is told by `note`, after the write; those points are copied again, or removed.
3. The fresh shard is loaded, and what was written during that follows.
4. Under the collection's write lock the last changes follow, and the fresh shard takes over.
"""

import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, Protocol

import numpy as np

from embstore import edge

__all__ = ["Copy", "ids_found"]

# One page is what a request may have to wait for: about 20 ms of work for 768 dimensions.
_PAGE: Final = 128
# Each round follows what was written during the one before; a writer that is faster than this wins.
_ROUNDS: Final = 50


class _Target(Protocol):
    def upsert(
        self, ids: Sequence[edge.PointId], vectors: edge.Matrix, payloads: Sequence[dict[str, Any] | None]
    ) -> None: ...

    def delete(self, which: edge.Selector) -> None: ...


def ids_found(shard: edge.Shard, which: edge.Selector) -> list[edge.PointId]:
    """The points that an update is about, as they are now."""
    if which.where is None:
        return list(which.ids)
    ids: list[edge.PointId] = []
    offset: edge.PointId | None = None
    while True:
        page, offset = shard.scroll(where=which.where, limit=4096, offset=offset, payload=False, with_vector=False)
        ids += [point["id"] for point in page]
        if offset is None:
            return ids


class Copy:
    """One copy of `source`, to a builder and then to the shard that it made; only `note` may come from other threads.

    `spoiled` says that something was changed which a copy does not follow: the payload indexes.
    """

    def __init__(self, source: edge.Shard) -> None:
        self.source = source
        self.spoiled = False
        self._lock = threading.Lock()
        self._changed: set[edge.PointId] = set()

    def note(self, ids: Iterable[edge.PointId]) -> None:
        """These points of the source have just been written, removed, or left as they were."""
        with self._lock:
            self._changed.update(ids)

    def fill(self, target: _Target, may_go_on: Callable[[], bool]) -> bool:
        """Copy until less than a page is left to follow up; False when told to stop, or outrun by writers.

        `may_go_on` is asked before each page and may take its time.
        """
        offset: edge.PointId | None = None
        while may_go_on() and not self.spoiled:
            page, offset = self.source.scroll(where=None, limit=_PAGE, offset=offset, payload=True, with_vector=True)
            self._put(target, page)
            if offset is None:
                return self.catch_up(target, may_go_on)
        return False

    def catch_up(self, target: _Target, may_go_on: Callable[[], bool]) -> bool:
        """Follow what was written meanwhile, as `fill` ends."""
        for _ in range(_ROUNDS):
            changed = self._take()
            if len(changed) <= _PAGE:
                self.note(changed)
                return not self.spoiled
            for first in range(0, len(changed), _PAGE):
                if self.spoiled or not may_go_on():
                    return False
                self._follow(target, changed[first : first + _PAGE])
        return False

    def finish(self, target: edge.Shard) -> None:
        """Follow the last changes and bring them to the disk, where the rest is; the caller keeps writers out."""
        self._follow(target, self._take())
        target.sync_log()

    def _take(self) -> list[edge.PointId]:
        with self._lock:
            taken, self._changed = list(self._changed), set()
        return taken

    def _follow(self, target: _Target, ids: list[edge.PointId]) -> None:
        found = self.source.retrieve(ids, payload=True, with_vector=True)
        there = {point["id"] for point in found}
        gone = [point for point in ids if point not in there]
        if gone:
            target.delete(edge.Selector(ids=gone))
        self._put(target, found)

    @staticmethod
    def _put(target: _Target, points: list[dict[str, Any]]) -> None:
        if points:
            vectors: edge.Matrix = np.stack([point["vector"] for point in points])
            target.upsert([point["id"] for point in points], vectors, [point["payload"] for point in points])
