"""A collection: one shard, its metadata, and the order of its writes. Knows no HTTP."""

import contextlib
import logging
import shutil
import threading
import uuid
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, TypeVar

import orjson

from embstore import edge
from embstore.config import WARNING, merge_config, report_config, vector_params
from embstore.disk import FLUSH_RESERVE, DiskGuard, taken_bytes
from embstore.errors import Internal, NotFound
from embstore.indexes import options_of
from embstore.metadata import FIRST_SHARD, Metadata, sync_folder
from embstore.points import Points
from embstore.requests import Search
from embstore.vacuum import Copy, ids_found

__all__ = ["Collection", "missing"]

_Answer = TypeVar("_Answer")
_log = logging.getLogger(__name__)

_FLOAT_BYTES: Final = 4
# A point's overhead in ids, versions and log framing, generously.
_POINT_BYTES: Final = 256
# What one changed field writes again: the rest of a chunk of code and its path.
_PAYLOAD_BYTES: Final = 2048


def missing(name: str) -> NotFound:
    """The error for a collection that does not exist."""
    return NotFound(f"Collection `{name}` doesn't exist!")


class Collection:
    """Reads run side by side; writes run one at a time, each only when the disk has room for it."""

    def __init__(self, folder: Path, metadata: Metadata, disk: DiskGuard) -> None:
        self.name = metadata.name
        self._metadata = metadata
        self._dimension = vector_params(metadata.config).size
        self._folder = folder
        self._disk = disk
        self._writing = threading.Lock()
        self._vacuuming = threading.Lock()
        self._copy: Copy | None = None
        self._operations = 0
        self._closed = False
        self._giving_up = False
        # Bytes of requests since the last flush; more than none when it is opened, which replays the log.
        self.unflushed = 1
        self.compact_at = -1
        self._shard = edge.Shard.load(folder / metadata.shard)
        # Only now that the data is known to be whole: an interrupted vacuum's copy, or the original that it replaced.
        leftovers = [path for path in folder.glob(f"{FIRST_SHARD}*") if path.name != metadata.shard]
        if leftovers and self._swap_is_on_the_disk():
            for path in leftovers:
                shutil.rmtree(path, ignore_errors=True)

    @property
    def dimension(self) -> int:
        """The size of its vectors."""
        return self._dimension

    @property
    def operations(self) -> int:
        """How many writes there were since it was opened."""
        return self._operations

    def _read(self, ask: Callable[[edge.Shard], _Answer]) -> _Answer:
        while True:
            shard = self._shard
            try:
                return ask(shard)
            except Internal as error:
                if self._closed:
                    raise missing(self.name) from error
                if shard is self._shard:
                    raise
                # A vacuum has put another shard in its place meanwhile: ask that one.

    def _write(self, size: int, apply: Callable[[edge.Shard], None], about: edge.Selector | None) -> int:
        """`about` is what the update changes, None for the payload indexes."""
        with self._writing, self._disk.room_for(size):
            self._read(lambda shard: self._apply(shard, apply, about))
            self.unflushed += max(size, 1)
            self._operations += 1
            return self._operations - 1

    def _apply(self, shard: edge.Shard, apply: Callable[[edge.Shard], None], about: edge.Selector | None) -> None:
        copy = self._copy
        if copy is None:
            apply(shard)
        elif about is None:
            copy.spoiled = True
            apply(shard)
        else:
            # A filter may find other points afterwards, so the ids come before; what a reader of `note` then finds
            # must be the new state, so the note comes behind, of a failed update too.
            ids = ids_found(shard, about)
            try:
                apply(shard)
            finally:
                copy.note(ids)

    def sync(self) -> None:
        """Return once every write so far would survive a loss of power."""
        self._read(lambda shard: shard.sync_log())

    def upsert(self, points: Points, size: int) -> int:
        """Insert or replace points that came in `size` bytes of JSON; returns the number of the operation."""
        need = max(size, points.vectors.size * _FLOAT_BYTES) + len(points.ids) * _POINT_BYTES

        def apply(shard: edge.Shard) -> None:
            shard.upsert(points.ids, points.vectors, points.payloads)

        return self._write(need, apply, edge.Selector(ids=points.ids))

    def delete(self, which: edge.Selector, size: int) -> int:
        """Remove points."""
        return self._write(size, lambda shard: shard.delete(which), which)

    def set_payload(self, which: edge.Selector, payload: dict[str, Any], key: str | None) -> int:
        """Merge into payloads (at `key`)."""
        return self._write(self._rewriting(which, payload), lambda shard: shard.set_payload(which, payload, key), which)

    def overwrite_payload(self, which: edge.Selector, payload: dict[str, Any]) -> int:
        """Replace payloads."""
        return self._write(
            self._rewriting(which, payload), lambda shard: shard.overwrite_payload(which, payload), which
        )

    def delete_payload(self, which: edge.Selector, keys: list[str]) -> int:
        """Remove fields of payloads."""
        return self._write(self._rewriting(which, {}), lambda shard: shard.delete_payload(which, keys), which)

    def clear_payload(self, which: edge.Selector, size: int) -> int:
        """Remove payloads."""
        return self._write(size, lambda shard: shard.clear_payload(which), which)

    def _rewriting(self, which: edge.Selector, payload: dict[str, Any]) -> int:
        points = self.count(which.where) if which.where else len(which.ids)
        return points * (len(orjson.dumps(payload)) + _PAYLOAD_BYTES)

    def create_index(self, field: str, schema: edge.IndexSchema, params: dict[str, Any] | None) -> int:
        """Index a payload field."""

        def apply(shard: edge.Shard) -> None:
            shard.create_index(field, schema)
            self._save(replace(self._metadata, indexes=indexes))

        indexes = self._metadata.indexes | {field: params}
        return self._write(self.count(None) * _POINT_BYTES, apply, None)

    def delete_index(self, field: str) -> int:
        """Drop a payload index."""

        def apply(shard: edge.Shard) -> None:
            shard.delete_index(field)
            indexes = {name: params for name, params in self._metadata.indexes.items() if name != field}
            self._save(replace(self._metadata, indexes=indexes))

        return self._write(0, apply, None)

    def reconfigure(self, change: dict[str, Any]) -> None:
        """Merge a PATCH into the configuration that is reported."""
        with self._writing, self._disk.room_for(0):
            config = merge_config(self._metadata.config, change)
            self._save(replace(self._metadata, config=config))

    def _save(self, metadata: Metadata) -> None:
        try:
            metadata.save(self._folder)
        except OSError as error:
            raise Internal(f"the description of collection `{self.name}` cannot be written: {error}") from error
        self._metadata = metadata

    def search(self, search: Search) -> list[dict[str, Any]]:
        """The points closest to a vector, or to another point, which is then left out itself."""

        def ask(shard: edge.Shard) -> list[dict[str, Any]]:
            vector, where = search.vector, search.where
            if vector is None:
                like = search.like
                assert like is not None  # noqa: S101 - a Search has one of the two
                found = shard.retrieve([like], payload=False, with_vector=True)
                if not found:
                    raise NotFound(f"No point with id {like} found")
                vector = found[0]["vector"]
                others = edge.filter_of(must_not=[edge.has_id([like])])
                where = others if where is None else edge.filter_of(must=[where, others])
            return shard.nearest(
                vector,
                where=where,
                limit=search.limit,
                offset=search.offset,
                threshold=search.threshold,
                payload=search.payload,
                with_vector=search.with_vector,
            )

        return self._read(ask)

    def retrieve(
        self, ids: list[edge.PointId], payload: edge.PayloadChoice, *, with_vector: bool
    ) -> list[dict[str, Any]]:
        """The points that exist among `ids`, in that order."""
        return self._read(lambda shard: shard.retrieve(ids, payload, with_vector=with_vector))

    def scroll(
        self,
        *,
        where: edge.Filter | None,
        limit: int,
        offset: edge.PointId | None,
        payload: edge.PayloadChoice,
        with_vector: bool,
    ) -> tuple[list[dict[str, Any]], edge.PointId | None]:
        """A page of points in the order of their ids, and where the next page starts."""
        return self._read(
            lambda shard: shard.scroll(
                where=where, limit=limit, offset=offset, payload=payload, with_vector=with_vector
            )
        )

    def count(self, where: edge.Filter | None) -> int:
        """How many points the filter finds."""
        return self._read(lambda shard: shard.count(where))

    def report(self) -> dict[str, Any]:
        """The `result` of `GET /collections/{name}`."""
        state = self._read(lambda shard: shard.state())
        schema = {}
        for field, (kind, points) in sorted(state.indexes.items()):
            params = self._metadata.indexes.get(field)
            schema[field] = {"data_type": kind, **({"params": params} if params else {}), "points": points}
        return {
            "status": "green",
            "optimizer_status": "ok",
            "warnings": [{"message": WARNING}],
            "indexed_vectors_count": state.indexed_vectors,
            "points_count": state.points,
            "segments_count": state.segments,
            "config": report_config(self._metadata.config),
            "payload_schema": schema,
        }

    def disk_bytes(self) -> int:
        """What its files take on the disk; log segments reserve more than they take."""
        return taken_bytes(self._folder)

    def flush(self) -> None:
        """Bring everything written so far to the disk, where it takes some room too."""
        with self._writing:
            pending = self.unflushed
        with self._disk.room_for(0, reserve=FLUSH_RESERVE):
            self._read(lambda shard: shard.flush())
        with self._writing:
            # Another flush, or a vacuum's swap, may have counted the same meanwhile.
            self.unflushed = max(0, self.unflushed - pending)

    def wasted(self) -> int:
        """Bytes that a vacuum would give back, as of the last flush; 0 while deleted points are fewer than half of
        the others, so that a store takes at most half as much again as its points.
        """
        live = self.count(None)
        dead = self._read(lambda shard: shard.rows_taken()) - live
        return dead * self._row_bytes() if dead > live // 2 else 0

    def _row_bytes(self) -> int:
        return self._dimension * _FLOAT_BYTES + _POINT_BYTES

    def vacuum(self, make_way: Callable[[Callable[[], bool]], bool]) -> bool:
        """Leave the rows of deleted points behind; False when there was a reason to stop, with nothing changed.

        `make_way` is called before each page, with what says that it is to be given up: it may take its time until
        then, and its answer says whether to go on.
        """
        with self._vacuuming, self._disk.room_for(self.count(None) * self._row_bytes()):
            copy, builder, folder = self._begin()
            target: edge.Shard | None = None
            left: edge.Shard | None = None

            def may_go_on() -> bool:
                return make_way(lambda: self._giving_up)

            try:
                if not (copy.fill(builder, may_go_on) and builder.finish(lambda: self._giving_up)):
                    return False
                left = target = edge.Shard.load(folder)
                if not (copy.catch_up(target, may_go_on) and self._replace(copy, target)):
                    return False
                left = copy.source
            finally:
                with self._writing:
                    self._copy = None
                builder.close()
                if left is not None:
                    self._discard(left)
                else:
                    shutil.rmtree(folder, ignore_errors=True)
            return True

    def _begin(self) -> tuple[Copy, edge.Builder, Path]:
        folder = self._folder / f"{FIRST_SHARD}-{uuid.uuid4().hex}"
        with self._writing:
            kinds = self._read(lambda shard: shard.state()).indexes
            indexes = {name: (kind, options_of(self._metadata.indexes.get(name))) for name, (kind, _) in kinds.items()}
            builder = edge.Builder(folder, vector_params(self._metadata.config), indexes)
            self._copy = Copy(self._shard)
            return self._copy, builder, folder

    def _replace(self, copy: Copy, target: edge.Shard) -> bool:
        # The fresh shard is on the disk; its entry follows here, and only then what names it.
        sync_folder(self._folder)
        with self._writing:
            if copy.spoiled:
                return False
            copy.finish(target)
            copied, there = target.count(None), copy.source.count(None)
            if copied != there:
                raise Internal(f"the copy of collection `{self.name}` holds {copied} points instead of {there}")
            self._commit(replace(self._metadata, shard=target.folder.name))
            self._shard = target
            self._copy = None
            self.unflushed = 1  # what followed it at the last
        return True

    def _commit(self, metadata: Metadata) -> None:
        try:
            self._save(metadata)
        except Internal:
            # The file may have been replaced before the failure, and then it is what the next start goes by.
            if Metadata.read(self._folder).shard != metadata.shard:
                raise
            self._metadata = metadata

    def _swap_is_on_the_disk(self) -> bool:
        """Whether a loss of power could no longer bring back what the folder said before."""
        try:
            sync_folder(self._folder)
        except OSError as error:
            _log.warning("collection %r keeps a shard that it no longer needs: %s", self.name, error)
            return False
        return True

    def _discard(self, shard: edge.Shard) -> None:
        """Remove the shard that is not in use; one that cannot be removed yet is, when the collection next opens."""
        with contextlib.suppress(Internal):  # it is of no use, so neither is its error
            if self._swap_is_on_the_disk():
                shard.discard()
            else:
                shard.close()

    def give_up_vacuum(self) -> None:
        """Let a vacuum in work, and any later one, end at its next page."""
        self._giving_up = True

    def close(self) -> None:
        """Finish the write in work, flush, and give the folder back; later calls say that it does not exist."""
        self._closed = True
        self.give_up_vacuum()
        with self._vacuuming, self._writing:
            self._shard.close()
