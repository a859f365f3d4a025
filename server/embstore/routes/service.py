"""What the server says of itself: version, health, metrics."""

from typing import Final

import orjson
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from embstore.metrics import CONTENT_TYPE
from embstore.responses import json_response

__all__ = ["API_VERSION", "OPEN_PATHS", "ROUTES", "TITLE"]

TITLE: Final = "Qdrant Edge engine, Qdrant REST subset"
# The version of the REST API that is spoken, which is what clients compare with their own; the engine has another.
API_VERSION: Final = "1.19.0"
_ENGINE: Final = "qdrant-edge-py 0.9.0"
_HEALTH: Final = {
    "/healthz": "healthz check passed",
    "/livez": "healthz check passed",
    "/readyz": "all shards are ready",
}
# Qdrant serves these without an API key.
OPEN_PATHS: Final = frozenset({"/", *_HEALTH})


async def _version(_: Request) -> Response:
    return json_response(orjson.dumps({"title": TITLE, "version": API_VERSION, "commit": _ENGINE}))


async def _health(request: Request) -> Response:
    return PlainTextResponse(_HEALTH[request.url.path])


async def _metrics(request: Request) -> Response:
    text = await run_in_threadpool(request.app.state.metrics.text)
    return Response(text, media_type=CONTENT_TYPE)


ROUTES = [
    Route("/", _version, methods=["GET"]),
    *(Route(path, _health, methods=["GET"]) for path in _HEALTH),
    Route("/metrics", _metrics, methods=["GET"]),
]
