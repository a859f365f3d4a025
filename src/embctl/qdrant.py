"""What embctl itself asks of a Qdrant over REST: collections and their points, read and written. Decides nothing."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from embctl.errors import Failed
from embctl.http import HttpClient, HttpUnreachable, Reply
from embctl.probes import Endpoint

__all__ = ["Database", "Page"]

OK = 200
NOT_FOUND = 404
# One page of long vectors on a slow disk; a database that is silent for longer is broken.
TIMEOUT = 120.0
# What a collection says of itself and takes at its creation, under the name it has there.
SETTINGS = {
    "hnsw_config": "hnsw_config",
    "optimizer_config": "optimizers_config",
    "wal_config": "wal_config",
    "quantization_config": "quantization_config",
    "strict_mode_config": "strict_mode_config",
    "metadata": "metadata",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Points as the database gives them (id, payload, vector), and where the next page begins (None: nowhere)."""

    points: Sequence[Mapping[str, Any]]
    next: str | int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """A Qdrant at `endpoint`. Every method raises Failed(code="database_failed") when it does not answer as asked."""

    endpoint: Endpoint
    http: HttpClient

    def collections(self) -> tuple[str, ...]:
        """The collections' names, sorted."""
        listed = self._result("GET", "/collections")
        return tuple(sorted(each["name"] for each in listed["collections"]))

    def describe(self, name: str) -> Mapping[str, Any] | None:
        """A collection's own description; None when there is none of that name."""
        reply = self._send("GET", _path(name), None)
        return None if reply.status == NOT_FOUND else self._read("GET", _path(name), reply)

    def sizes(self) -> Mapping[str, int]:
        """Bytes by collection, as far as the database tells: Qdrant those of vectors and payloads, embctl's own store
        those on the disk."""
        path = "/telemetry?details_level=10"
        reply = self._send("GET", path, None)
        if reply.status != OK:
            return {}
        found: dict[str, int] = {}
        with suppress(AttributeError, KeyError, TypeError):  # telemetry is promised to nobody
            for each in self._read("GET", path, reply)["collections"]["collections"]:
                if segments := [
                    segment["info"] for shard in each["shards"] for segment in (shard.get("local") or {})["segments"]
                ]:
                    found[each["id"]] = sum(map(_bytes, segments))
        return found

    def indexed_at(self, name: str) -> datetime | None:
        """When a client last began or finished to index, as it noted in the collection's metadata point."""
        wanted = {"must": [{"key": "type", "match": {"value": "metadata"}}]}
        body = {"limit": 1, "filter": wanted, "with_payload": True, "with_vector": False}
        for point in self._result("POST", f"{_path(name)}/points/scroll", body)["points"]:
            noted = [point["payload"].get(key) for key in ("started_at", "completed_at")]
            if moments := [value for value in noted if isinstance(value, int | float)]:
                return datetime.fromtimestamp(max(moments) / 1000, tz=UTC)
        return None

    def create(self, name: str, description: Mapping[str, Any]) -> None:
        """A collection of the same settings and payload indexes as the one described, without points."""
        config = description["config"]
        body = {**config["params"]} | {
            there: config[here] for here, there in SETTINGS.items() if config.get(here) is not None
        }
        self._result("PUT", _path(name), body)
        for field, index in (description.get("payload_schema") or {}).items():
            schema = index.get("params") or index["data_type"]
            body = {"field_name": field, "field_schema": schema}
            self._result("PUT", f"{_path(name)}/index?wait=true", body)

    def delete(self, name: str) -> None:
        """Remove a collection and all its points."""
        self._result("DELETE", _path(name))

    def count(self, name: str) -> int:
        """How many points there are, exactly."""
        return int(self._result("POST", f"{_path(name)}/points/count", {"exact": True})["count"])

    def page(self, name: str, start: str | int | None, limit: int) -> Page:
        """Points in the order of their ids, from `start` on (None: the first)."""
        body = {"limit": limit, "offset": start, "with_payload": True, "with_vector": True}
        found = self._result("POST", f"{_path(name)}/points/scroll", body)
        return Page(points=found["points"], next=found["next_page_offset"])

    def points(self, name: str, ids: Sequence[str | int]) -> Mapping[str | int, Mapping[str, Any]]:
        """The points of these ids that exist, by id."""
        body = {"ids": list(ids), "with_payload": True, "with_vector": True}
        return {point["id"]: point for point in self._result("POST", f"{_path(name)}/points", body)}

    def upsert(self, name: str, points: Sequence[Mapping[str, Any]]) -> None:
        """Write points; returns once they are stored."""
        written = [{"id": each["id"], "payload": each["payload"], "vector": each["vector"]} for each in points]
        self._result("PUT", f"{_path(name)}/points?wait=true", {"points": written})

    def _result(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        return self._read(method, path, self._send(method, path, body))

    def _send(self, method: str, path: str, body: Mapping[str, Any] | None) -> Reply:
        try:
            url = f"{self.endpoint.url}{path}"
            return self.http.send(method, url, body, api_key=self.endpoint.api_key, timeout=TIMEOUT)
        except HttpUnreachable as error:
            raise self._failed(method, path, error.reason) from error

    def _read(self, method: str, path: str, reply: Reply) -> Any:
        if reply.status != OK or not isinstance(reply.body, Mapping) or "result" not in reply.body:
            raise self._failed(method, path, f"HTTP {reply.status}: {reply.text[:300]}")
        return reply.body["result"]

    def _failed(self, method: str, path: str, reason: str) -> Failed:
        return Failed(
            f"Qdrant at {self.endpoint.url} did not do {method} {path}: {reason}",
            code="database_failed",
            details={"url": self.endpoint.url, "path": path, "reason": reason},
            actions=("See what it says: embctl logs qdrant -n 50", "Then run the same command again."),
            retryable=True,
        )


def _bytes(segment: Mapping[str, Any]) -> int:
    # Qdrant has a field for the disk and leaves it at 0.
    return int(
        segment.get("disk_usage_bytes") or segment.get("vectors_size_bytes", 0) + segment.get("payloads_size_bytes", 0)
    )


def _path(name: str) -> str:
    return f"/collections/{quote(name, safe='')}"
