"""The routes: embeddings as OpenAI's and Ollama's clients ask for them, tokens, models, probes, facts."""

import asyncio
import time

import orjson
from fastapi import APIRouter, Request, Response

import embserver
from embserver import answering, info, memory, openapi, page, responses
from embserver.answering import json_response
from embserver.errors import ApiError
from embserver.log import Recent
from embserver.metrics import CONTENT_TYPE, Metrics
from embserver.preparation import Prepared
from embserver.requests import EmbeddingRequest, Wanted
from embserver.service import Embedded, Service
from embserver.store import Store, StoreSilent

__all__ = ["router"]


def router(
    service: Service, metrics: Metrics, errors: Recent, store: Store | None, profile: memory.Profile | None
) -> APIRouter:
    """The routes over a service; `/debug/memory` is among them only with a profile."""
    routes = APIRouter()
    _add_openai(routes, service)
    _add_ollama(routes, service)
    _add_own(routes, service, errors)
    _add_watching(routes, metrics, store)
    _add_probes(routes, service)
    if profile is not None:
        _add_profile(routes, service, profile)
    return routes


def _add_openai(routes: APIRouter, service: Service) -> None:
    started = int(time.time())

    @routes.post("/v1/embeddings", openapi_extra=openapi.EMBEDDINGS, tags=["OpenAI"])
    @routes.post("/embeddings", openapi_extra=openapi.EMBEDDINGS, tags=["OpenAI"])
    async def embeddings(request: Request) -> Response:
        """Vectors for the inputs, in their order. Both paths are the same."""

        def worded(embedded: Embedded, wanted: Wanted) -> bytes:
            return responses.embeddings(embedded, model=_name(service, wanted), as_base64=wanted.base64)

        return await answering.embedded(request, service, worded)

    @routes.get("/v1/models", openapi_extra=openapi.MODELS, tags=["OpenAI"])
    @routes.get("/models", openapi_extra=openapi.MODELS, tags=["OpenAI"])
    async def models() -> Response:
        """The ids that requests may name. Both paths are the same."""
        return json_response(responses.models(service.wanted.ids, created=started))


def _add_ollama(routes: APIRouter, service: Service) -> None:
    @routes.post("/api/embed", openapi_extra=openapi.OLLAMA_EMBED, tags=["Ollama"])
    async def ollama_embed(request: Request) -> Response:
        """Vectors for the inputs, in their order, as Ollama's clients ask for them."""

        def worded(embedded: Embedded, wanted: Wanted) -> bytes:
            return responses.ollama_embeddings(embedded, model=_name(service, wanted))

        return await answering.embedded(request, service, worded)

    @routes.get("/api/tags", openapi_extra=openapi.OLLAMA_TAGS, tags=["Ollama"])
    async def ollama_tags() -> Response:
        """The ids that requests may name, as Ollama's clients ask for them."""
        return json_response(responses.ollama_models(service.wanted.ids))

    @routes.get("/api/version", openapi_extra=openapi.OLLAMA_VERSION, tags=["Ollama"])
    async def ollama_version() -> Response:
        """The server's version, where Ollama's clients look for one."""
        return json_response(orjson.dumps({"version": embserver.__version__}))


def _add_own(routes: APIRouter, service: Service, errors: Recent) -> None:
    @routes.post("/tokenize", openapi_extra=openapi.TOKENIZE, tags=["server"])
    async def tokenize(request: Request) -> Response:
        """The token ids of texts, special tokens included, as they would be computed."""

        def worded(asked: EmbeddingRequest, prepared: Prepared) -> bytes:
            name = _name(service, asked.wanted)
            return responses.tokens(prepared, model=name, max_tokens=service.model.max_tokens)

        return await answering.prepared(request, service, worded)

    @routes.get("/info", openapi_extra=openapi.INFO, tags=["server"])
    async def facts() -> Response:
        """What is served, with what, within which limits, how much of it was done, and what went wrong last."""
        return json_response(orjson.dumps(info.document(service, errors)))

    @routes.get("/openapi.json", include_in_schema=False)
    async def document(request: Request) -> Response:
        """These routes, for programs."""
        return json_response(orjson.dumps(openapi.document(request.app, routes)))


def _add_watching(routes: APIRouter, metrics: Metrics, store: Store | None) -> None:
    @routes.get("/", include_in_schema=False)
    async def front() -> Response:
        """A page for people, which shows the same as the metrics."""
        return Response(page.content(), headers=page.HEADERS, media_type="text/html; charset=utf-8")

    @routes.get("/metrics", include_in_schema=False)
    async def measured() -> Response:
        """Counters, gauges and histograms for Prometheus."""
        return Response(metrics.text(), media_type=CONTENT_TYPE)

    @routes.get("/store/metrics", include_in_schema=False)
    async def store_measured() -> Response:
        """The same of the vector store beside this server, for the page."""
        if store is None:
            raise ApiError(404, "This server knows of no vector store; EMBSERVER_STORE_URL names one.", code="no_store")
        try:
            told = await asyncio.to_thread(store.metrics)
        except StoreSilent as error:
            raise ApiError(502, f"The vector store does not tell its metrics: {error}.", code="store_silent") from error
        return Response(told, media_type=CONTENT_TYPE)


def _add_probes(routes: APIRouter, service: Service) -> None:
    @routes.get("/livez", openapi_extra=openapi.LIVE, tags=["server"])
    async def livez() -> Response:
        """200 as soon as the process listens."""
        return json_response(orjson.dumps({"status": "alive"}))

    @routes.get("/readyz", openapi_extra=openapi.READY, tags=["server"])
    @routes.get("/health", openapi_extra=openapi.READY, tags=["server"])
    async def readyz() -> Response:
        """200 once embeddings are answered; until then 503 and how far the start is. Both paths are the same."""
        if service.ready:
            return json_response(orjson.dumps({"status": "ready"}))
        at = service.standing
        body = {"status": at.stage.value, "detail": at.detail, "done": at.done, "total": at.total}
        return Response(orjson.dumps(body), 503, {"Retry-After": "1"}, "application/json")


def _add_profile(routes: APIRouter, service: Service, profile: memory.Profile) -> None:
    @routes.get("/debug/memory", openapi_extra=openapi.MEMORY, tags=["server"])
    async def debug_memory() -> Response:
        """Resident memory and the largest allocation sites, traced since the model was loaded."""
        service.model  # noqa: B018 - 503 until then
        return json_response(orjson.dumps(await asyncio.to_thread(profile.report)))


def _name(service: Service, wanted: Wanted) -> str:
    """The name under which the model was asked."""
    return wanted.model or service.wanted.ids[0]
