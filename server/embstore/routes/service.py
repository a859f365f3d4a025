"""What the server says of itself: version, health, metrics."""

from typing import Final

import orjson
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from embstore.errors import StoreError
from embstore.responses import json_response
from embstore.store import Store

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
    return PlainTextResponse(await run_in_threadpool(_measure, request.app.state.store))


def _measure(store: Store) -> str:
    points: dict[str, int] = {}
    for name in store.names():
        try:
            points[name] = store.get(name).count(None)
        except StoreError:
            continue
    lines = [
        "# HELP app_info information about the server",
        "# TYPE app_info gauge",
        f'app_info{{name="embstore",version="{API_VERSION}"}} 1',
        "# HELP collections_total number of collections",
        "# TYPE collections_total gauge",
        f"collections_total {len(store.names())}",
        "# HELP collections_broken number of collections that could not be loaded",
        "# TYPE collections_broken gauge",
        f"collections_broken {len(store.broken())}",
        "# HELP collection_points number of points of each collection",
        "# TYPE collection_points gauge",
        *(f'collection_points{{id="{_label(name)}"}} {count}' for name, count in points.items()),
    ]
    return "\n".join(lines) + "\n"


def _label(name: str) -> str:
    return name.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


ROUTES = [
    Route("/", _version, methods=["GET"]),
    *(Route(path, _health, methods=["GET"]) for path in _HEALTH),
    Route("/metrics", _metrics, methods=["GET"]),
]
