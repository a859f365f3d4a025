"""Plays an assistant against the running services, as its indexer and its search do: `client check`. What it makes in
Qdrant is a collection of its own, and always removed."""

import base64
import math
import random
import struct
import uuid
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing, suppress
from typing import Any

from embctl.clients import Client, Served
from embctl.errors import Failed
from embctl.flows.clients import Threshold, find, served_by
from embctl.flows.context import Context
from embctl.http import HttpUnreachable, Reply
from embctl.outcomes import CheckedStep, ClientChecked
from embctl.result import Result

__all__ = ["check"]

OK = 200
TIMEOUT = 300.0  # what the clients' own HTTP library waits for
SHORTEST, LONGEST = 50, 1150
SAME = 0.999
INDEXED = ("type", *(f"pathSegments.{level}" for level in range(5)))
WORDS = (
    "def",
    "return",
    "class",
    "value",
    "for",
    "in",
    "self",
    "import",
    "path",
    "name",
    "=",
    "(",
    ")",
    ":",
    "0",
    "\n",
)


class _Wrong(Exception):
    """A step did not do what the client needs."""


def check(context: Context, name: str, threshold: Threshold) -> Result[ClientChecked]:
    """Every step, up to the first that fails."""
    client = find(name)
    served = served_by(context, threshold)
    steps: list[CheckedStep] = []
    error: Failed | None = None
    # Closed, so that what a step made is removed whatever ends the walk.
    with closing(_steps(context, client, served)) as walk:
        for title, act in walk:
            try:
                steps.append(CheckedStep(step=title, ok=True, detail=act()))
            except (_Wrong, HttpUnreachable) as wrong:
                reason = wrong.reason if isinstance(wrong, HttpUnreachable) else str(wrong)
                steps.append(CheckedStep(step=title, ok=False, detail=reason))
                error = Failed(
                    f"{client.title} would fail at: {title}: {reason}.",
                    code="client_check_failed",
                    details={"client": client.name, "steps": steps},
                    actions=("See what the services say: embctl logs -n 50", "See their state: embctl status"),
                )
                break
    return Result(command="client check", data=ClientChecked(client=client.name, steps=tuple(steps)), error=error)


def _steps(context: Context, client: Client, served: Served) -> Generator[tuple[str, Callable[[], str]]]:
    embedder = _Embedder(context, client, served)
    yield "the request by which it accepts the settings", embedder.validate
    yield f"{client.texts} texts of {SHORTEST} to {LONGEST} characters in one request", embedder.batch
    yield "the address without /v1, as people forget it", embedder.without_version
    if client.keeps_vectors:
        return
    store = _Store(context, served, embedder)
    try:
        yield "Qdrant's version", store.version
        yield "a collection with its indexes", store.create
        yield "points, and the one that notes that indexing is complete", store.upsert
        yield "a search below a folder", store.search
        yield "the removal of a file's points", store.delete
    finally:
        store.drop()


class _Embedder:
    def __init__(self, context: Context, client: Client, served: Served) -> None:
        self._http = context.http
        self._served = served
        self._base64 = client.base64
        chance = random.Random(client.name)  # noqa: S311 - sample texts, no secret
        self.texts = [_text(chance, size) for size in _sizes(client.texts)]
        self.vectors: Sequence[Sequence[float]] = ()

    def validate(self) -> str:
        self.embed(["test"])
        return f"{self._served.model}, {self._served.dimension} dimensions"

    def batch(self) -> str:
        self.vectors = self.embed(self.texts)
        for index in (0, len(self.texts) - 1):
            (alone,) = self.embed([self.texts[index]])
            if sum(a * b for a, b in zip(alone, self.vectors[index], strict=True)) < SAME:
                raise _Wrong(f"text {index + 1} of the batch has another vector than alone: the order is not kept")
        return f"{len(self.vectors)} vectors, in order"

    def without_version(self) -> str:
        self.embed(["test"], url=self._served.openai_url.removesuffix("/v1"))
        return "answers too"

    def embed(self, texts: Sequence[str], *, url: str = "") -> list[Sequence[float]]:
        body = {"input": list(texts), "model": self._served.model}
        if self._base64:
            body["encoding_format"] = "base64"
        address = f"{url or self._served.openai_url}/embeddings"
        key = self._served.api_key or "any"
        reply = self._http.send("POST", address, body, api_key=key, timeout=TIMEOUT)
        data = _body(reply, address).get("data")
        if not isinstance(data, list) or len(data) != len(texts):
            raise _Wrong(f"{address} answered {len(data) if isinstance(data, list) else 'no'} vectors for {len(texts)}")
        return [self._vector(each, address) for each in data]

    def _vector(self, entry: Mapping[str, Any], address: str) -> Sequence[float]:
        value = entry.get("embedding")
        if isinstance(value, str) is not self._base64:
            raise _Wrong(f"{address} did not answer in {'base64' if self._base64 else 'numbers'}")
        if isinstance(value, str):
            raw = base64.b64decode(value)
            value = struct.unpack(f"<{len(raw) // 4}f", raw)
        if not isinstance(value, list | tuple) or len(value) != self._served.dimension:
            raise _Wrong(f"{address} answered a vector of another length than {self._served.dimension}")
        if not all(map(math.isfinite, value)):
            raise _Wrong(f"{address} answered a vector that is not finite")
        return value


class _Store:
    """The calls of @qdrant/js-client-rest, on a collection that nobody else has."""

    def __init__(self, context: Context, served: Served, embedder: _Embedder) -> None:
        self._http = context.http
        self._served = served
        self._embedder = embedder
        self._name = f"embctl-check-{uuid.uuid4().hex}"

    def version(self) -> str:
        return f"version {self._call('GET', '/', whole=True).get('version')}"

    def create(self) -> str:
        vectors = {"size": self._served.dimension, "distance": "Cosine", "on_disk": True}
        hnsw = {"m": 64, "ef_construct": 512, "on_disk": True}
        self._call("PUT", self._path(), {"vectors": vectors, "hnsw_config": hnsw})
        for field in INDEXED:
            self._call("PUT", self._path("/index?wait=true"), {"field_name": field, "field_schema": "keyword"})
        return f"{len(INDEXED)} indexes"

    def upsert(self) -> str:
        points = [
            {
                "id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{number}")),
                "vector": list(self._embedder.vectors[number]),
                "payload": {
                    "filePath": f"src/part{number % 2}/file{number}.py",
                    "codeChunk": text,
                    "startLine": 1,
                    "endLine": text.count("\n") + 1,
                    "segmentHash": f"{number:064x}",
                    "pathSegments": {"0": "src", "1": f"part{number % 2}", "2": f"file{number}.py"},
                },
            }
            for number, text in enumerate(self._embedder.texts)
        ]
        note = {"type": "metadata", "indexing_complete": True}
        zero = [0.0] * self._served.dimension
        points.append({"id": str(uuid.uuid4()), "vector": zero, "payload": note})
        self._call("PUT", self._path("/points?wait=true"), {"points": points})
        return f"{len(points)} points"

    def search(self) -> str:
        wanted = 1
        found = self._search(wanted)
        best = found[0]["payload"]["filePath"] if found else None
        if best != f"src/part1/file{wanted}.py":
            raise _Wrong(f"the text of src/part1/file{wanted}.py found {best or 'nothing'}")
        if any(each["payload"]["pathSegments"]["1"] != "part1" for each in found):
            raise _Wrong("the search below src/part1 found points of other folders")
        threshold = self._served.threshold
        told = "no threshold was measured" if threshold is None else f"threshold {threshold:g}"
        return f"the right block first, score {found[0]['score']:.3f}, {told}"

    def delete(self) -> str:
        must = [
            {"key": f"pathSegments.{level}", "match": {"value": value}} for level, value in ((0, "src"), (1, "part1"))
        ]
        self._call("POST", self._path("/points/delete?wait=true"), {"filter": {"must": must}})
        if self._search(1):
            raise _Wrong("points that were deleted are found again")
        return "they are gone"

    def drop(self) -> None:
        with suppress(HttpUnreachable, _Wrong):
            self._call("DELETE", self._path())

    def _search(self, number: int) -> Sequence[Any]:
        must = [
            {"key": f"pathSegments.{level}", "match": {"value": value}} for level, value in ((0, "src"), (1, "part1"))
        ]
        measured = {} if self._served.threshold is None else {"score_threshold": self._served.threshold}
        body = {
            "query": list(self._embedder.vectors[number]),
            "filter": {"must": must, "must_not": [{"key": "type", "match": {"value": "metadata"}}]},
            **measured,
            "limit": 50,
            "params": {"hnsw_ef": 128, "exact": False},
            "with_payload": {"include": ["filePath", "codeChunk", "startLine", "endLine", "pathSegments"]},
        }
        points: Sequence[Any] = self._call("POST", self._path("/points/query"), body)["points"]
        return points

    def _path(self, rest: str = "") -> str:
        return f"/collections/{self._name}{rest}"

    def _call(self, method: str, path: str, body: Mapping[str, Any] | None = None, *, whole: bool = False) -> Any:
        address = f"{self._served.qdrant_url}{path}"
        key = self._served.qdrant_key or None
        content = _body(self._http.send(method, address, body, api_key=key, timeout=TIMEOUT), address)
        return content if whole else content.get("result")


def _body(reply: Reply, address: str) -> Mapping[str, Any]:
    if reply.status != OK or not isinstance(reply.body, dict):
        raise _Wrong(f"{address} answered HTTP {reply.status}: {' '.join(reply.text.split())[:200]}")
    return reply.body


def _sizes(count: int) -> list[int]:
    return [SHORTEST + (LONGEST - SHORTEST) * index // (count - 1) for index in range(count)]


def _text(chance: random.Random, size: int) -> str:
    """Words like a program's, cut to that many characters."""
    text = ""
    while len(text) < size:
        text += f"{chance.choice(WORDS)}{chance.randrange(1000)} "
    return text[:size]
