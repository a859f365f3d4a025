"""A model hub on loopback that speaks as much of the hub's protocol as a download needs."""

import hashlib
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@dataclass(slots=True, kw_only=True)
class FakeHub:
    """One repository's files. `stated` replaces bytes that are sent while sizes and digests stay those of `files`."""

    repo_id: str
    files: Mapping[str, bytes]
    url: str = ""
    stated: dict[str, bytes] = field(default_factory=dict)
    tokens: list[str | None] = field(default_factory=list)
    requested: list[str] = field(default_factory=list)


@contextmanager
def serving(repo_id: str, files: Mapping[str, bytes]) -> Iterator[FakeHub]:
    """The hub, listening on a free port while the block runs."""
    hub = FakeHub(repo_id=repo_id, files=files)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(hub))
    hub.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(hub: FakeHub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self._answer(body=False)

        def do_GET(self) -> None:
            self._answer(body=True)

        def _answer(self, *, body: bool) -> None:
            hub.tokens.append(self.headers.get("Authorization"))
            path = self.path.partition("?")[0]
            hub.requested.append(path)
            if path.startswith(f"/api/models/{hub.repo_id}/revision/"):
                if path.rpartition("/")[2] not in ("main", COMMIT):
                    self._send(404, b"", {"X-Error-Code": "RevisionNotFound"}, body=body)
                    return
                self._send(200, json.dumps(_facts(hub)).encode(), {}, body=body)
                return
            name = path.removeprefix(f"/{hub.repo_id}/resolve/{COMMIT}/")
            if name not in hub.files:
                self._send(404, b"", {"X-Error-Code": "RepoNotFound"}, body=body)
                return
            headers = {"X-Repo-Commit": COMMIT, "ETag": f'"{hashlib.sha1(hub.files[name]).hexdigest()}"'}  # noqa: S324 - the hub's own form of a tag
            self._send(200, hub.stated.get(name, hub.files[name]), headers, body=body)

        def _send(self, status: int, content: bytes, headers: Mapping[str, str], *, body: bool) -> None:
            self.send_response(status)
            for key, value in headers.items():
                self.send_header(key, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if body:
                self.wfile.write(content)

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the base class's name
            """Say nothing."""

    return Handler


def _facts(hub: FakeHub) -> dict[str, Any]:
    siblings = []
    for name, content in hub.files.items():
        sibling: dict[str, Any] = {"rfilename": name, "size": len(content)}
        if name.endswith(".safetensors"):
            digest = hashlib.sha256(content).hexdigest()
            sibling["lfs"] = {"sha256": digest, "size": len(content), "pointerSize": 130}
        siblings.append(sibling)
    return {"id": hub.repo_id, "sha": COMMIT, "siblings": siblings, "tags": [], "private": False, "downloads": 0}
