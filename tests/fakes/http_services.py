"""Qdrant's and Jina's HTTP sides in a few lines, on free loopback ports: what a probe sees of healthy services."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

__all__ = ["HttpServices", "http_services"]

DIMENSION = 4


@dataclass(slots=True, kw_only=True)
class HttpServices:
    """Ports of both services; `answers` maps (method, path) to (status, body) and may be changed while they run."""

    qdrant_port: int
    jina_port: int
    answers: dict[tuple[str, str], tuple[int, Any]]
    requests: list[tuple[str, str]] = field(default_factory=list)


def _healthy() -> dict[tuple[str, str], tuple[int, Any]]:
    info: dict[str, Any] = {
        "model": "minilm",
        "name": "all-MiniLM-L6-v2",
        "revision": "1",
        "dimension": DIMENSION,
        "max_tokens": 256,
    }
    info |= {"counters": {"texts": 1}}
    vector = [1.0, *([0.0] * (DIMENSION - 1))]
    return {
        ("GET", "/livez"): (200, {"status": "ok"}),
        ("GET", "/readyz"): (200, {"status": "ready"}),
        ("GET", "/info"): (200, info),
        ("POST", "/v1/embeddings"): (200, {"object": "list", "data": [{"index": 0, "embedding": vector}], "usage": {}}),
        ("GET", "/"): (200, {"title": "qdrant - vector search engine", "version": "1.19.0"}),
        ("GET", "/collections"): (200, {"result": {"collections": [{"name": "ws-1"}]}, "status": "ok"}),
        ("GET", "/collections/ws-1"): (200, {"result": {"status": "green", "points_count": 7}, "status": "ok"}),
    }


@contextmanager
def http_services() -> Iterator[HttpServices]:
    """Serve both until the block ends."""
    answers = _healthy()
    requests: list[tuple[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            requests.append((self.command, self.path))
            status, body = answers.get((self.command, self.path), (404, {"error": "not found"}))
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = _answer  # noqa: N815 - the base class's names

        def log_message(self, *_: object) -> None:
            """Keep the tests' output clean."""

    servers = [ThreadingHTTPServer(("127.0.0.1", 0), Handler) for _ in range(2)]
    for server in servers:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield HttpServices(
            qdrant_port=servers[0].server_address[1],
            jina_port=servers[1].server_address[1],
            answers=answers,
            requests=requests,
        )
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()
