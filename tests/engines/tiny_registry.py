"""An image registry of one image with one layer, on a free loopback port, where engines need no TLS."""

import gzip
import hashlib
import io
import json
import os
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread

__all__ = ["tiny_registry"]

MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
CONFIG = "application/vnd.docker.container.image.v1+json"
LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
LAYER_SIZE = 3 << 20


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _layer() -> bytes:
    """A tar that no engine has seen and that does not compress."""
    buffer = io.BytesIO()
    with tarfile.open(mode="w", fileobj=buffer) as archive:
        file = tarfile.TarInfo("random")
        file.size = LAYER_SIZE
        archive.addfile(file, io.BytesIO(os.urandom(LAYER_SIZE)))
    return buffer.getvalue()


def _contents(architecture: str) -> dict[str, tuple[str, bytes]]:
    """What is served by the last part of the path: media type and bytes."""
    tar = _layer()
    layer = gzip.compress(tar, 1)
    config = json.dumps(
        {
            "architecture": architecture,
            "os": "linux",
            "config": {"Cmd": ["/none"]},
            "rootfs": {"type": "layers", "diff_ids": [_digest(tar)]},
        }
    ).encode()
    manifest = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": {"mediaType": CONFIG, "size": len(config), "digest": _digest(config)},
            "layers": [{"mediaType": LAYER, "size": len(layer), "digest": _digest(layer)}],
        }
    ).encode()
    return {
        "1": (MANIFEST, manifest),
        _digest(manifest): (MANIFEST, manifest),
        _digest(config): (CONFIG, config),
        _digest(layer): (LAYER, layer),
    }


@contextmanager
def tiny_registry(architecture: str, *, stalled: bool = False) -> Iterator[str]:
    """Yields the reference of its image; a `stalled` registry stops in the middle of the layer until the end."""
    contents = _contents(architecture)
    over = Event()

    class Registry(BaseHTTPRequestHandler):
        """The four requests of a pull."""

        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            self._head()

        def do_GET(self) -> None:
            kind, content = self._head()
            if stalled and kind == LAYER:
                self.wfile.write(content[: LAYER_SIZE // 2])
                self.wfile.flush()
                over.wait()
                self.close_connection = True
            else:
                self.wfile.write(content)

        def _head(self) -> tuple[str, bytes]:
            kind, content = contents.get(self.path.rpartition("/")[2], ("application/json", b"{}"))
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Docker-Content-Digest", _digest(content))
            self.end_headers()
            return kind, content

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            """Stay silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Registry)
    server.daemon_threads = True
    with server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_port}/embctl-test/tiny:1"
        finally:
            over.set()
            server.shutdown()
            thread.join()
