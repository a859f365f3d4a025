"""A collection: one shard, its metadata, and the order of its writes. Knows no HTTP."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import orjson

from embstore import edge
from embstore.config import WARNING, merge_config, report_config, vector_params
from embstore.disk import DiskGuard
from embstore.errors import Internal, NotFound
from embstore.metadata import Metadata
from embstore.points import Points
from embstore.requests import Search

__all__ = ["SHARD", "Collection", "missing"]

SHARD: Final = "shard"
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
        self._operations = 0
        self._closed = False
        self.unflushed = 0
        self._shard = edge.Shard.load(folder / SHARD)

    @property
    def dimension(self) -> int:
        """The size of its vectors."""
        return self._dimension

    @contextmanager
    def _reading(self) -> Iterator[edge.Shard]:
        try:
            yield self._shard
        except Internal as error:
            if self._closed:
                raise missing(self.name) from error
            raise

    def _write(self, size: int, apply: Callable[[edge.Shard], None]) -> int:
        with self._writing, self._disk.room_for(size), self._reading() as shard:
            apply(shard)
            self.unflushed += size
            self._operations += 1
            return self._operations - 1

    def upsert(self, points: Points, size: int) -> int:
        """Insert or replace points that came in `size` bytes of JSON; returns the number of the operation."""
        need = max(size, points.vectors.size * _FLOAT_BYTES) + len(points.ids) * _POINT_BYTES
        return self._write(need, lambda shard: shard.upsert(points.ids, points.vectors, points.payloads))

    def delete(self, which: edge.Selector, size: int) -> int:
        """Remove points."""
        return self._write(size, lambda shard: shard.delete(which))

    def set_payload(self, which: edge.Selector, payload: dict[str, Any], key: str | None) -> int:
        """Merge into payloads (at `key`)."""
        return self._write(self._rewriting(which, payload), lambda shard: shard.set_payload(which, payload, key))

    def overwrite_payload(self, which: edge.Selector, payload: dict[str, Any]) -> int:
        """Replace payloads."""
        return self._write(self._rewriting(which, payload), lambda shard: shard.overwrite_payload(which, payload))

    def delete_payload(self, which: edge.Selector, keys: list[str]) -> int:
        """Remove fields of payloads."""
        return self._write(self._rewriting(which, {}), lambda shard: shard.delete_payload(which, keys))

    def clear_payload(self, which: edge.Selector, size: int) -> int:
        """Remove payloads."""
        return self._write(size, lambda shard: shard.clear_payload(which))

    def _rewriting(self, which: edge.Selector, payload: dict[str, Any]) -> int:
        points = self.count(which.where) if which.where else len(which.ids)
        return points * (len(orjson.dumps(payload)) + _PAYLOAD_BYTES)

    def create_index(self, field: str, schema: edge.IndexSchema, params: dict[str, Any] | None) -> int:
        """Index a payload field."""

        def apply(shard: edge.Shard) -> None:
            shard.create_index(field, schema)
            self._save(Metadata(name=self.name, config=self._metadata.config, indexes=indexes))

        indexes = self._metadata.indexes | {field: params}
        return self._write(self.count(None) * _POINT_BYTES, apply)

    def delete_index(self, field: str) -> int:
        """Drop a payload index."""

        def apply(shard: edge.Shard) -> None:
            shard.delete_index(field)
            indexes = {name: params for name, params in self._metadata.indexes.items() if name != field}
            self._save(Metadata(name=self.name, config=self._metadata.config, indexes=indexes))

        return self._write(0, apply)

    def reconfigure(self, change: dict[str, Any]) -> None:
        """Merge a PATCH into the configuration that is reported."""
        with self._writing, self._disk.room_for(0):
            config = merge_config(self._metadata.config, change)
            self._save(Metadata(name=self.name, config=config, indexes=self._metadata.indexes))

    def _save(self, metadata: Metadata) -> None:
        try:
            metadata.save(self._folder)
        except OSError as error:
            raise Internal(f"the description of collection `{self.name}` cannot be written: {error}") from error
        self._metadata = metadata

    def search(self, search: Search) -> list[dict[str, Any]]:
        """The points closest to a vector, or to another point, which is then left out itself."""
        with self._reading() as shard:
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

    def retrieve(
        self, ids: list[edge.PointId], payload: edge.PayloadChoice, *, with_vector: bool
    ) -> list[dict[str, Any]]:
        """The points that exist among `ids`, in that order."""
        with self._reading() as shard:
            return shard.retrieve(ids, payload, with_vector=with_vector)

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
        with self._reading() as shard:
            return shard.scroll(where=where, limit=limit, offset=offset, payload=payload, with_vector=with_vector)

    def count(self, where: edge.Filter | None) -> int:
        """How many points the filter finds."""
        with self._reading() as shard:
            return shard.count(where)

    def report(self) -> dict[str, Any]:
        """The `result` of `GET /collections/{name}`."""
        with self._reading() as shard:
            state = shard.state()
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

    def flush(self) -> None:
        """Bring everything written so far to the disk."""
        pending, self.unflushed = self.unflushed, 0
        try:
            with self._reading() as shard:
                shard.flush()
        except BaseException:
            self.unflushed += pending
            raise

    def close(self) -> None:
        """Finish the write in work, flush, and give the folder back; later calls say that it does not exist."""
        with self._writing:
            self._closed = True
            self._shard.close()
