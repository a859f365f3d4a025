"""Puts the parts together: a service, the routes over it, what surrounds them. Nothing is decided here."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from fastapi import FastAPI

import embserver
from embserver import errors, log, routes
from embserver.catalogue import WantedModel
from embserver.failures import StartFailed
from embserver.memory import Profile
from embserver.metrics import Metrics
from embserver.middleware import ApiKey, CollectGarbage, RequestLog
from embserver.service import Loader, Service
from embserver.settings import Settings
from embserver.store import Store

__all__ = ["create_app"]


def create_app(
    settings: Settings, wanted: WantedModel, loader: Loader, *, failed: Callable[[StartFailed], None]
) -> FastAPI:
    """The ASGI application. It answers at once and loads in the background; `failed` hears why there is no model.

    The service is at `app.state.service`.
    """
    service = Service(settings, wanted, loader)
    profile = Profile() if settings.profile_memory else None
    metrics = Metrics(service)
    recent = log.Recent()
    store = Store(settings.store_url, settings.store_api_key) if settings.store_url else None

    async def start() -> None:
        try:
            await service.start()
        except StartFailed as error:
            failed(error)
            return
        if profile is not None:
            profile.begin()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        starting = asyncio.create_task(start())
        logging.getLogger().addHandler(recent)
        try:
            yield
        finally:
            service.close()
            starting.cancel()
            await asyncio.gather(starting, return_exceptions=True)
            service.stop()
            logging.getLogger().removeHandler(recent)
            if profile is not None:
                profile.end()

    # Not FastAPI's pages: they load scripts from elsewhere, which a local server has no business to do.
    app = FastAPI(
        title="embserver",
        summary="Embeddings of code and text by one local model.",
        version=embserver.__version__,
        lifespan=lifespan,
        openapi_url=None,
    )
    app.state.service = service
    app.router.redirect_slashes = False
    app.include_router(routes.router(service, metrics, recent, store, profile))
    errors.install(app, service)
    # The last one added is the outermost.
    if settings.collect_garbage:
        app.add_middleware(CollectGarbage, service=service)
    if settings.api_key:
        app.add_middleware(ApiKey, key=settings.api_key)
    app.add_middleware(RequestLog, metrics=metrics, with_memory=settings.profile_memory)
    return app
