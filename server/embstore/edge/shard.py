"""A shard: one collection's vectors, payloads and indexes in one folder."""

import contextlib
import shutil
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
import qdrant_edge as q
from numpy.typing import NDArray

from embstore.edge.conditions import Filter, PayloadChoice, PointId
from embstore.edge.faults import building, calling
from embstore.edge.files import rows_taken, sync_log, sync_tree
from embstore.edge.indexes import IndexSchema, index_kind
from embstore.edge.seal import Seal
from embstore.errors import Internal

__all__ = ["DATATYPES", "DISTANCES", "Matrix", "Selector", "Shard", "ShardState", "VectorParams"]

Matrix: TypeAlias = NDArray[np.float32]

DISTANCES: Final = {
    "Cosine": q.Distance.Cosine,
    "Euclid": q.Distance.Euclid,
    "Dot": q.Distance.Dot,
    "Manhattan": q.Distance.Manhattan,
}
DATATYPES: Final = {
    "float32": q.VectorStorageDatatype.Float32,
    "float16": q.VectorStorageDatatype.Float16,
    "uint8": q.VectorStorageDatatype.Uint8,
}
# Far beyond any collection, so that no optimizer ever plans a graph.
_NO_GRAPH: Final = 2**40


@dataclass(frozen=True, slots=True, kw_only=True)
class VectorParams:
    """The one dense vector of each point: its dimension, its distance and how it is stored."""

    size: int
    distance: str
    on_disk: bool = False
    datatype: str = "float32"


@dataclass(frozen=True, slots=True, kw_only=True)
class Selector:
    """The points that an update is about: these ids, or whatever the filter finds."""

    ids: Sequence[PointId] = ()
    where: Filter | None = None

    def id_list(self) -> list[Any]:
        """The ids as the binding takes them; its stubs ask for a wider, invariant list."""
        return list(self.ids)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardState:
    """Counts of a shard, and its payload indexes as field -> (kind, points indexed)."""

    points: int
    segments: int
    indexed_vectors: int
    indexes: Mapping[str, tuple[str, int]]


def _shown(vector: Any) -> Any:
    # Single precision prints as it was sent, in half the bytes of its double.
    return np.asarray(vector, dtype=np.float32) if isinstance(vector, list) else vector


def _record(found: Any) -> dict[str, Any]:
    shown = {"id": found.id}
    if found.payload is not None:
        shown["payload"] = found.payload
    if found.vector is not None:
        shown["vector"] = _shown(found.vector)
    return shown


class Shard:
    """One collection's data. Calls block; they may come from several threads at once, `close` included."""

    def __init__(self, shard: q.EdgeShard, folder: Path, seal: Seal) -> None:
        self._shard = shard
        self._folder = folder
        self._seal = seal
        self._flushing = threading.Lock()
        self._open = True

    @classmethod
    def create(cls, folder: Path, params: VectorParams) -> "Shard":
        """A new shard in an empty or missing folder."""
        vectors = q.EdgeVectorParams(
            size=params.size,
            distance=DISTANCES[params.distance],
            datatype=DATATYPES[params.datatype],
            memory=q.Memory.Cold if params.on_disk else q.Memory.Cached,
        )
        config = q.EdgeConfig(vectors=vectors, optimizers=q.EdgeOptimizersConfig(indexing_threshold=_NO_GRAPH))
        with calling():
            return cls(q.EdgeShard.create(str(folder), config), folder, Seal(folder))

    @classmethod
    def load(cls, folder: Path) -> "Shard":
        """An existing shard, its log replayed; Internal with the reason when it cannot be read or has lost data."""
        if not folder.is_dir():
            raise Internal(f"the folder {folder} is missing")
        seal = Seal(folder)
        seal.check()
        with calling():
            return cls(q.EdgeShard.load(str(folder)), folder, seal)

    @property
    def folder(self) -> Path:
        """Where its files are."""
        return self._folder

    def close(self) -> None:
        """Flush and give back; later calls fail with Internal. Closing twice is no error."""
        with self._flushing:
            if not self._open:
                return
            with contextlib.suppress(OSError):  # only to leave the engine less to do; it flushes what it must
                sync_tree(self._folder)
            with calling():
                self._shard.close()
            self._open = False
            with contextlib.suppress(OSError):  # the seal before stays true
                self._seal.renew()

    def discard(self) -> None:
        """Give back and remove the folder, without the flush that a close is; closing it afterwards is no error.

        The engine flushes what it closes, under the interpreter lock. Where the folder is no longer in its place that
        fails at the first file, after one wait for the disk, and what it would have written nobody needs.
        """
        with self._flushing:
            try:
                if self._open:
                    self._open = False
                    gone = self._folder.with_name(f"{self._folder.name}.gone")
                    with contextlib.suppress(OSError):
                        sync_log(self._folder)  # its memory map is what the engine waits for
                    with contextlib.suppress(OSError):  # Windows moves no folder with open files: then it is a close
                        self._folder = self._folder.rename(gone)
                    with calling():
                        self._shard.close()
            finally:
                shutil.rmtree(self._folder, ignore_errors=True)

    def flush(self) -> None:
        """Write everything to disk, cut the log, and seal what is there.

        The files are synchronised before the engine flushes them, which leaves its own flush, under the interpreter
        lock, little to write; it still waits for the disk some thirty times: 20-60 ms on an idle one, 10-500 ms on one
        that another program keeps busy.
        """
        with self._flushing:
            sync_tree(self._folder)
            with calling():
                self._shard.flush()
            try:
                self._seal.renew()
            except OSError as error:
                raise Internal(f"{self._folder} was flushed and could not be sealed: {error}") from error

    def sync_log(self) -> None:
        """Make the updates so far survive a loss of power, without a flush."""
        try:
            sync_log(self._folder)
        except OSError as error:
            raise Internal(f"the log in {self._folder} cannot be synchronised: {error}") from error

    def sync_files(self) -> None:
        """Bring every file and folder to the disk as they are, without the interpreter lock."""
        try:
            sync_tree(self._folder)
        except OSError as error:
            raise Internal(f"the files in {self._folder} cannot be synchronised: {error}") from error

    def rows_taken(self) -> int:
        """Rows on the disk, those of deleted points included, as of the last flush."""
        return rows_taken(self._folder)

    def _update(self, operation: q.UpdateOperation) -> None:
        with calling():
            self._shard.update(operation)

    def upsert(self, ids: Sequence[PointId], vectors: Matrix, payloads: Sequence[dict[str, Any] | None]) -> None:
        """Insert or replace points; row i of `vectors` (n x size, finite) belongs to ids[i]."""
        make: Any = q.Point
        with building():
            points = [make(*point) for point in zip(ids, vectors, payloads, strict=True)]
        self._update(q.UpdateOperation.upsert_points(points))

    def delete(self, which: Selector) -> None:
        """Remove points; ids that are not there are no error."""
        by_filter = q.UpdateOperation.delete_points_by_filter
        by_ids = q.UpdateOperation.delete_points
        self._update(by_filter(which.where) if which.where else by_ids(which.id_list()))

    def set_payload(self, which: Selector, payload: dict[str, Any], key: str | None) -> None:
        """Merge fields into the payload (at `key`); an id that is not there is NotFound."""
        by_filter = q.UpdateOperation.set_payload_by_filter
        by_ids = q.UpdateOperation.set_payload
        with building():
            update = by_filter(which.where, payload, key) if which.where else by_ids(which.id_list(), payload, key)
        self._update(update)

    def overwrite_payload(self, which: Selector, payload: dict[str, Any]) -> None:
        """Replace the whole payload; an id that is not there is NotFound."""
        by_filter = q.UpdateOperation.overwrite_payload_by_filter
        by_ids = q.UpdateOperation.overwrite_payload
        self._update(by_filter(which.where, payload) if which.where else by_ids(which.id_list(), payload))

    def delete_payload(self, which: Selector, keys: list[str]) -> None:
        """Remove fields from the payload."""
        by_filter = q.UpdateOperation.delete_payload_by_filter
        by_ids = q.UpdateOperation.delete_payload
        with building():
            update = by_filter(which.where, keys) if which.where else by_ids(which.id_list(), keys)
        self._update(update)

    def clear_payload(self, which: Selector) -> None:
        """Remove the whole payload."""
        by_filter = q.UpdateOperation.clear_payload_by_filter
        by_ids = q.UpdateOperation.clear_payload
        self._update(by_filter(which.where) if which.where else by_ids(which.id_list()))

    def create_index(self, field: str, schema: IndexSchema) -> None:
        """Index a payload field; repeating it is no error."""
        with building():
            update = q.UpdateOperation.create_field_index(field, schema)
        self._update(update)

    def delete_index(self, field: str) -> None:
        """Drop a payload index; a field without one is no error."""
        with building():
            update = q.UpdateOperation.delete_field_index(field)
        self._update(update)

    def nearest(
        self,
        vector: Matrix,
        *,
        where: Filter | None,
        limit: int,
        offset: int,
        threshold: float | None,
        payload: PayloadChoice,
        with_vector: bool,
    ) -> list[dict[str, Any]]:
        """The points closest to `vector`, best first, as Qdrant's ScoredPoint objects; exact."""
        query: Any = q.Query.Nearest
        request = q.QueryRequest(
            limit=limit,
            offset=offset,
            query=query(vector),
            filter=where,
            score_threshold=threshold,
            params=q.SearchParams(exact=True),
            with_payload=payload,
            with_vector=with_vector,
        )
        with calling():
            found = self._shard.query(request)
        return [_record(point) | {"version": point.version, "score": np.float32(point.score)} for point in found]

    def scroll(
        self, *, where: Filter | None, limit: int, offset: PointId | None, payload: PayloadChoice, with_vector: bool
    ) -> tuple[list[dict[str, Any]], PointId | None]:
        """Points in the order of their ids from `offset` on, and the id that the next page starts with."""
        request = q.ScrollRequest(
            offset=offset, limit=limit, filter=where, with_payload=payload, with_vector=with_vector
        )
        with calling():
            found, following = self._shard.scroll(request)
        assert not isinstance(following, str)  # noqa: S101 - the stubs' wider type
        return [_record(point) for point in found], following

    def count(self, where: Filter | None) -> int:
        """How many points the filter finds, exactly."""
        with calling():
            return self._shard.count(q.CountRequest(exact=True, filter=where))

    def retrieve(self, ids: Sequence[PointId], payload: PayloadChoice, *, with_vector: bool) -> list[dict[str, Any]]:
        """The points that exist among `ids`, in the order asked for."""
        with calling():
            found = {point.id: _record(point) for point in self._shard.retrieve(list(ids), payload, with_vector)}
        return [found[point] for point in ids if point in found]

    def state(self) -> ShardState:
        """Counts and payload indexes, now."""
        with calling():
            info = self._shard.info()
            return ShardState(
                points=info.points_count,
                segments=info.segments_count,
                indexed_vectors=info.indexed_vectors_count,
                indexes={
                    field: (index_kind(index.data_type), index.points) for field, index in info.payload_schema.items()
                },
            )
