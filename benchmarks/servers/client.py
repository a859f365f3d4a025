"""The client: requests as the editors' indexers send them, over kept-alive connections.

Knows nothing of the servers.
"""

import base64
import http.client
import json
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import numpy.typing as npt

__all__ = ["Burst", "Connection", "burst", "info", "ready"]

Vectors = npt.NDArray[np.float32]
_SECONDS = 1800
_OK = 200
_PAUSE = 0.25


class Connection:
    """One kept-alive connection."""

    def __init__(self, url: str, seconds: float = _SECONDS) -> None:
        parts = urlsplit(url)
        self._http = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=seconds)

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Vectors [len(texts), dimension]. Raises OSError or HTTPException where there is no whole answer."""
        body = json.dumps({"input": list(texts), "encoding_format": "base64"})
        data = self.json("POST", "/v1/embeddings", body)["data"]
        if len(data) != len(texts):
            raise http.client.HTTPException(f"{len(data)} vectors for {len(texts)} texts")
        vectors = np.array([_vector(one["embedding"]) for one in data], dtype=np.float32)
        if not np.isfinite(vectors).all():
            raise http.client.HTTPException("a vector is not finite")
        return vectors

    def json(self, method: str, path: str, body: str | None = None) -> Any:
        """A 200's content."""
        self._http.request(method, path, body, {"Content-Type": "application/json"})
        reply = self._http.getresponse()
        content = reply.read()
        if reply.status != _OK:
            raise http.client.HTTPException(f"{reply.status} {content[:120]!r}")
        return json.loads(content)


@dataclass(frozen=True, slots=True, kw_only=True)
class Burst:
    """When it began, of `time.perf_counter`, how long all requests took together, and what each search meanwhile took,
    in seconds."""

    begin: float
    seconds: float
    searches: list[float] = field(default_factory=list)


def burst(url: str, texts: Sequence[str], *, in_flight: int, size: int, searches: Sequence[str] = ()) -> Burst:
    """Send `texts`, `size` a request, `in_flight` requests at once; beside them the searches, one after the other."""
    own = threading.local()

    def send(first: int) -> None:
        if not hasattr(own, "connection"):
            own.connection = Connection(url)
        own.connection.embed(texts[first : first + size])

    over, taken = threading.Event(), list[float]()
    searcher = threading.Thread(target=_search, args=(url, searches, over, taken))
    begin = time.perf_counter()
    searcher.start()
    try:
        with ThreadPoolExecutor(in_flight) as pool:
            list(pool.map(send, range(0, len(texts), size)))
        seconds = time.perf_counter() - begin
    finally:
        over.set()
        searcher.join()
    return Burst(begin=begin, seconds=seconds, searches=taken)


def _search(url: str, searches: Sequence[str], over: threading.Event, taken: list[float]) -> None:
    connection = Connection(url)
    for text in searches:
        # Not right after the last, and never as the first of all: the burst has to be there.
        if over.wait(_PAUSE):
            return
        begin = time.perf_counter()
        try:
            connection.embed([text])
        except (OSError, http.client.HTTPException):
            return  # the burst's own requests say what became of the server
        taken.append(time.perf_counter() - begin)


def info(url: str) -> Any:
    """What the server says of itself; only ours says anything."""
    return Connection(url).json("GET", "/info")


def ready(url: str) -> bool:
    """Whether a text is embedded."""
    try:
        return len(Connection(url, 60).embed(["ready"])) == 1
    except (OSError, http.client.HTTPException):
        return False


def _vector(value: str | list[float]) -> Vectors:
    if isinstance(value, str):
        return np.frombuffer(base64.b64decode(value), dtype="<f4")
    return np.array(value, dtype=np.float32)
