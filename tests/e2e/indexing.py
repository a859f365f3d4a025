"""An indexer as editors have them: cuts files into blocks, embeds them in batches, keeps them in the vector database.

Sends exactly the requests that the editors' clients send; knows nothing of embctl.
"""

import base64
import hashlib
import struct
import uuid
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Self

import httpx2

__all__ = ["Block", "Database", "Embedder", "collection_name", "cut", "index", "read_project"]

SHORTEST, LONGEST = 50, 1150  # characters of a block
BATCH = 60  # texts a request, and points an upsert
IN_FLIGHT = 10
PATH_SEGMENTS = 5
SUFFIXES = {".md", ".py", ".toml", ".yaml"}
PLACES = ("src", "server", "compose", "docs", "README.md", "CONTRIBUTING.md", "CHANGELOG.md")


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Whole lines of one file, 1-based and inclusive."""

    path: str
    text: str
    start: int
    end: int

    @property
    def segment_hash(self) -> str:
        """Names the block by place and content."""
        return hashlib.sha256(f"{self.path}-{self.start}-{self.end}-{self.text}".encode()).hexdigest()

    def payload(self) -> dict[str, Any]:
        """What the database keeps beside the vector."""
        return {
            "filePath": self.path,
            "codeChunk": self.text,
            "startLine": self.start,
            "endLine": self.end,
            "segmentHash": self.segment_hash,
            "pathSegments": {str(index): part for index, part in enumerate(self.path.split("/"))},
        }


def read_project(root: Path) -> list[Block]:
    """Every block of the project's source and documentation."""
    files = sorted(
        file
        for place in PLACES
        for file in ((root / place).rglob("*") if (root / place).is_dir() else [root / place])
        if file.is_file() and file.suffix in SUFFIXES
    )
    return [
        block for file in files for block in cut(file.relative_to(root).as_posix(), file.read_text(encoding="utf-8"))
    ]


def cut(path: str, text: str) -> Iterator[Block]:
    """Consecutive lines up to the longest size; what is too short to mean anything is left out."""
    lines: list[str] = []
    start = 1
    for number, line in enumerate(text.splitlines(), start=1):
        piece = line[:LONGEST]
        if lines and sum(map(len, lines)) + len(lines) + len(piece) > LONGEST:
            yield from _block(path, lines, start)
            lines, start = [], number
        lines.append(piece)
    yield from _block(path, lines, start)


def _block(path: str, lines: Sequence[str], start: int) -> Iterator[Block]:
    text = "\n".join(lines)
    if len(text.strip()) >= SHORTEST:
        yield Block(path=path, text=text, start=start, end=start + len(lines) - 1)


def _batches(blocks: Iterable[Block]) -> Iterator[list[Block]]:
    source = iter(blocks)
    while batch := list(islice(source, BATCH)):
        yield batch


class Embedder:
    """The client of an OpenAI-compatible embedding endpoint."""

    def __init__(self, base_url: str, model: str) -> None:
        self._client = httpx2.Client(base_url=base_url, timeout=300.0, trust_env=False)
        self._model = model

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """One vector a text, in order, sent as base64 of little-endian float32."""
        body = {"input": list(texts), "model": self._model, "encoding_format": "base64"}
        reply = self._client.post("/v1/embeddings", json=body, headers={"Authorization": "Bearer any"})
        reply.raise_for_status()
        return [_floats(item["embedding"]) for item in reply.json()["data"]]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()


def _floats(encoded: str) -> list[float]:
    data = base64.b64decode(encoded, validate=True)
    return list(struct.unpack(f"<{len(data) // 4}f", data))


def collection_name(workspace: Path) -> str:
    """The collection that the clients use for a workspace folder."""
    return f"ws-{hashlib.sha256(str(workspace).encode()).hexdigest()[:16]}"


class Database:
    """The clients' calls to one collection."""

    def __init__(self, url: str, collection: str) -> None:
        self._client = httpx2.Client(base_url=url, timeout=60.0, trust_env=False)
        self._at = f"/collections/{collection}"

    def version(self) -> str:
        """The server's version, which clients compare with their own."""
        return str(self._json("GET", "/")["version"])

    def create(self, dimension: int) -> None:
        """The collection with the clients' settings, and its payload indexes."""
        vectors = {"size": dimension, "distance": "Cosine", "on_disk": True}
        hnsw = {"m": 64, "ef_construct": 512, "on_disk": True}
        self._json("PUT", self._at, {"vectors": vectors, "hnsw_config": hnsw})
        for name in ("type", *(f"pathSegments.{index}" for index in range(PATH_SEGMENTS))):
            self._json("PUT", f"{self._at}/index", {"field_name": name, "field_schema": "keyword"})

    def upsert(self, blocks: Sequence[Block], vectors: Sequence[Sequence[float]]) -> None:
        """Keep one batch; returns when it is applied."""
        points = [
            {
                "id": str(uuid.uuid5(uuid.NAMESPACE_URL, block.segment_hash)),
                "vector": vector,
                "payload": block.payload(),
            }
            for block, vector in zip(blocks, vectors, strict=True)
        ]
        self._put_points(points)

    def mark_complete(self, dimension: int) -> None:
        """The clients' note to themselves that the index is whole: a point with an all-zero vector."""
        note = {"type": "metadata", "indexing_complete": True}
        identifier = str(uuid.uuid5(uuid.NAMESPACE_URL, "__indexing_metadata__"))
        self._put_points([{"id": identifier, "vector": [0.0] * dimension, "payload": note}])

    def _put_points(self, points: list[dict[str, Any]]) -> None:
        self._json("PUT", f"{self._at}/points?wait=true", {"points": points})

    def search(self, vector: Sequence[float], limit: int = 50) -> list[dict[str, Any]]:
        """The best blocks' payloads, best first."""
        body = {
            "query": list(vector),
            "filter": {"must_not": [{"key": "type", "match": {"value": "metadata"}}]},
            "score_threshold": 0.1,
            "limit": limit,
            "params": {"hnsw_ef": 128, "exact": False},
            "with_payload": {"include": ["filePath", "codeChunk", "startLine", "endLine", "pathSegments"]},
        }
        points = self._json("POST", f"{self._at}/points/query", body)["result"]["points"]
        return [point["payload"] for point in points]

    def count(self) -> int:
        """Points in the collection, the metadata point among them."""
        return int(self._json("GET", self._at)["result"]["points_count"])

    def everything(self) -> tuple[Any, Any]:
        """The collection's settings and indexes, and each point whole, in the order of their ids."""
        about = self._json("GET", self._at)["result"]
        points: list[Any] = []
        offset: Any = None
        while True:
            body = {"limit": 500, "offset": offset, "with_payload": True, "with_vector": True}
            page = self._json("POST", f"{self._at}/points/scroll", body)["result"]
            points += page["points"]
            offset = page["next_page_offset"]
            if offset is None:
                return (about["config"], about["payload_schema"]), points

    def _json(self, method: str, path: str, body: Any = None) -> Any:
        reply = self._client.request(method, path, json=body)
        assert reply.status_code == 200, f"{method} {path}: {reply.status_code} {reply.text}"
        return reply.json()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()


def index(blocks: Sequence[Block], embedder: Embedder, database: Database) -> int:
    """Embed and keep all blocks, ten requests in flight; the number of blocks kept."""

    def one(batch: list[Block]) -> int:
        vectors = embedder.embed([block.text for block in batch])
        database.upsert(batch, vectors)
        return len(batch)

    with ThreadPoolExecutor(max_workers=IN_FLIGHT) as pool:
        return sum(pool.map(one, _batches(blocks)))
