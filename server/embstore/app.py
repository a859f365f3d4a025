"""The ASGI application: routes, errors in Qdrant's shape, and a store that lives as long as the application."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import perf_counter

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response

from embstore.auth import ApiKey
from embstore.errors import NotFound
from embstore.metrics import Metrics, Watched
from embstore.responses import error_response
from embstore.routes import collections, points, service, telemetry, unsupported
from embstore.settings import Settings
from embstore.store import Store

__all__ = ["create_app"]


async def _no_route(request: Request, _: Exception) -> Response:
    # Qdrant too answers 404 for a path that exists with another method.
    return error_response(NotFound(f"there is no route `{request.method} {request.url.path}`"), perf_counter())


def create_app(settings: Settings) -> Starlette:
    """Open the storage folder and serve it; StorageLocked when another process has it.

    The store is open on return and closed by the lifespan's end.
    """
    store = Store(
        settings.storage_path,
        idle_seconds=settings.vacuum_idle_seconds,
        waste_bytes=settings.vacuum_waste_bytes,
    )

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        try:
            yield
        finally:
            await run_in_threadpool(store.close)

    metrics = Metrics(store, service.API_VERSION)
    app = Starlette(
        routes=[*service.ROUTES, *telemetry.ROUTES, *unsupported.ROUTES, *collections.ROUTES, *points.ROUTES],
        middleware=[Middleware(Watched, metrics=metrics), Middleware(ApiKey, key=settings.api_key)],
        exception_handlers={HTTPException: _no_route},
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False
    app.state.store = store
    app.state.metrics = metrics
    app.state.settings = settings
    return app
