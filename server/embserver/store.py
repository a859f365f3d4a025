"""The vector store beside this server, as far as the page shows it: the store's own metrics, passed on unread.

The page cannot ask for them itself: a store lets no page of another origin in, and should not have to.
"""

import http.client
import time
from contextlib import closing
from urllib.parse import urlsplit

__all__ = ["Store", "StoreSilent"]

_SECONDS = 2.0
_LIMIT_BYTES = 4 * 1024 * 1024
_PIECE_BYTES = 64 * 1024
_OK = 200
_ASKS_FOR_A_KEY = (401, 403)


class StoreSilent(Exception):
    """It did not tell its metrics; the message says why."""


class Store:
    """A store that speaks HTTP at `url`, asked with `api_key` unless that is empty."""

    def __init__(self, url: str, api_key: str) -> None:
        self._parts = urlsplit(url)
        self._headers = {"api-key": api_key} if api_key else {}

    def metrics(self) -> bytes:
        """What it says at /metrics, in Prometheus' text format. Blocks for two seconds, or hardly longer.

        Goes there directly, past proxies, and nowhere else, whatever it answers. Raises StoreSilent.
        """
        parts, deadline = self._parts, time.monotonic() + _SECONDS
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        try:
            with closing(kind(parts.hostname or "", parts.port, timeout=_SECONDS)) as connection:
                connection.request("GET", f"{parts.path.rstrip('/')}/metrics", headers=self._headers)
                reply = connection.getresponse()
                if reply.status in _ASKS_FOR_A_KEY:
                    raise StoreSilent(f"it refuses the key that this server has for it (HTTP {reply.status})")
                if reply.status != _OK:
                    raise StoreSilent(f"it answers HTTP {reply.status}")
                return _whole(reply, deadline)
        except TimeoutError as error:
            raise StoreSilent(f"it does not answer within {_SECONDS:.0f} s") from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise StoreSilent(str(error) or type(error).__name__) from error


def _whole(reply: http.client.HTTPResponse, deadline: float) -> bytes:
    body = bytearray()
    while piece := reply.read1(_PIECE_BYTES):
        body += piece
        if len(body) > _LIMIT_BYTES:
            raise StoreSilent(f"it tells more than {_LIMIT_BYTES // 2**20} MiB")
        if time.monotonic() > deadline:
            raise TimeoutError
    if reply.length:
        raise http.client.IncompleteRead(bytes(body), reply.length)
    return bytes(body)
