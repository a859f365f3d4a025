"""The API key, checked before anything else is read of a request. Without a key set there is no check."""

import hmac
from time import perf_counter

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from embstore.errors import Unauthorized
from embstore.responses import error_response
from embstore.routes.service import OPEN_PATHS

__all__ = ["ApiKey"]


class ApiKey:
    """Middleware: `api-key: <key>` or `Authorization: Bearer <key>`, except on the paths that Qdrant leaves open."""

    def __init__(self, app: ASGIApp, *, key: str) -> None:
        self._app = app
        self._key = key

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 401."""
        if scope["type"] == "http" and self._key and scope["path"] not in OPEN_PATHS:
            given = _given(Headers(scope=scope))
            if given is None or not hmac.compare_digest(given.encode("latin-1"), self._key.encode()):
                reason = (
                    "Must provide an API key or an Authorization bearer token" if given is None else "Invalid API key"
                )
                await error_response(Unauthorized(reason), perf_counter())(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _given(headers: Headers) -> str | None:
    key = headers.get("api-key")
    if key is not None:
        return key
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token if scheme.lower() == "bearer" else None
