"""What surrounds every request, as pure ASGI: the key, the log line, the garbage collection.

Starlette's BaseHTTPMiddleware would keep request objects alive longer than needed, the very thing measured here.
"""

import gc
import hmac
import logging
import time
from collections.abc import Mapping

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from embserver import log
from embserver.errors import CLIENT_GONE, envelope
from embserver.memory import resident_bytes
from embserver.metrics import Metrics
from embserver.service import Service

__all__ = ["ApiKey", "CollectGarbage", "RequestLog", "note"]

_log = log.named("http")
_FACTS = "embserver.facts"
_PROBES = ("/livez", "/readyz", "/health")
_OPEN = ("/", *_PROBES)
_QUIET = (*_PROBES, "/metrics", "/store/metrics", "/info")
_CRASHED = 500


def note(scope: Scope, facts: Mapping[str, object]) -> None:
    """Add facts to the request's log line."""
    scope.setdefault(_FACTS, {}).update(facts)


class RequestLog:
    """One log line a request, at debug level for what is asked every few seconds; and its part in the metrics."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics, with_memory: bool) -> None:
        self._app = app
        self._metrics = metrics
        self._with_memory = with_memory

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and log its end."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.monotonic(), CLIENT_GONE

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        facts: dict[str, object] = scope.setdefault(_FACTS, {})
        try:
            await self._app(scope, receive, watched)
        except Exception:
            status = _CRASHED
            raise
        finally:
            seconds = time.monotonic() - began
            self._metrics.ended(getattr(scope.get("route"), "path", None), status, seconds, facts)
            if self._with_memory:
                facts["rss"] = resident_bytes()
            log.event(
                _log,
                "request",
                level=logging.getLevelName(logging.DEBUG if scope["path"] in _QUIET else logging.INFO),
                method=scope["method"],
                path=scope["path"],
                status=status,
                ms=round(seconds * 1000, 1),
                **facts,
            )


class ApiKey:
    """Asks for the key, as `Authorization: Bearer` or `api-key`, everywhere but at the probes and the page."""

    def __init__(self, app: ASGIApp, *, key: str) -> None:
        self._app = app
        self._key = key.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on if it carries the key, else answer 401."""
        if scope["type"] != "http" or scope["path"] in _OPEN or self._carries_key(Headers(scope=scope)):
            await self._app(scope, receive, send)
            return
        response = envelope(
            401,
            "This server asks for an API key, and the one sent (as 'Authorization: Bearer ...' or 'api-key: ...') is "
            "missing or wrong.",
            code="invalid_api_key",
            headers={"WWW-Authenticate": "Bearer"},
        )
        await response(scope, receive, send)

    def _carries_key(self, headers: Headers) -> bool:
        scheme, _, bearer = headers.get("authorization", "").partition(" ")
        sent = [bearer.strip()] if scheme.lower() == "bearer" else []
        sent.append(headers.get("api-key", ""))
        return any(hmac.compare_digest(value.encode(), self._key) for value in sent)


class CollectGarbage:
    """The measure that runs a full collection after each request, once the model is there and frozen.

    Before, every probe's collection would walk through libraries that are just being imported, and stretch the start.
    """

    def __init__(self, app: ASGIApp, *, service: Service) -> None:
        self._app = app
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and collect when its answer is on its way."""
        try:
            await self._app(scope, receive, send)
        finally:
            if scope["type"] == "http" and self._service.ready:
                gc.collect()
                self._service.counters.collections += 1
