"""The routes: embeddings and models as OpenAI-compatible clients call them, probes, facts."""

import asyncio
import json
import sys
import time
from collections.abc import Coroutine
from functools import cache
from importlib import metadata
from typing import Any

import orjson
from fastapi import APIRouter, Request, Response

import embserver
from embserver import memory, requests, responses
from embserver.batching import BATCH_TOKENS
from embserver.body import Body, too_large
from embserver.catalogue import WantedModel
from embserver.errors import CLIENT_GONE, ApiError
from embserver.gate import Closed
from embserver.loading import LoadedModel
from embserver.middleware import note
from embserver.requests import EmbeddingRequest
from embserver.service import NotLoaded, Service

__all__ = ["router"]


def router(service: Service, profile: memory.Profile | None) -> APIRouter:
    """The routes over a service; `/debug/memory` is among them only with a profile."""
    routes = APIRouter()
    started = int(time.time())

    @routes.post("/v1/embeddings")
    @routes.post("/embeddings")
    async def embeddings(request: Request) -> Response:
        """Vectors for the inputs, in their order."""
        model = service.model
        _refuse_announced(request.headers.get("content-length", ""))
        body = Body(request.receive)

        async def answer() -> Response:
            if await body.beginning():
                # What is wrong is told before the queue. The values are not kept: they take many times the bytes.
                _checked(body.content, model, service.wanted)
            async with service.gate.enter():
                asked = _checked(await body.whole(), model, service.wanted)
                embedded = await service.embed(asked.inputs)
            facts = {"texts": len(embedded.vectors), "tokens": embedded.tokens, "truncated": embedded.truncated}
            note(request.scope, facts)
            name = asked.model or service.wanted.ids[0]
            return _json(responses.embeddings(embedded, model=name, as_base64=asked.base64))

        return await _unless_gone(body, answer())

    @routes.get("/v1/models")
    @routes.get("/models")
    async def models() -> Response:
        """The ids that requests may name."""
        return _json(responses.models(service.wanted.ids, created=started))

    @routes.get("/livez")
    async def livez() -> Response:
        """200 as soon as the process listens."""
        return _json(orjson.dumps({"status": "alive"}))

    @routes.get("/readyz")
    @routes.get("/health")
    async def readyz() -> Response:
        """200 once embeddings are answered; until then 503 and how far the start is."""
        if service.ready:
            return _json(orjson.dumps({"status": "ready"}))
        at = service.standing
        body = {"status": at.stage.value, "detail": at.detail, "done": at.done, "total": at.total}
        return Response(orjson.dumps(body), 503, {"Retry-After": "1"}, "application/json")

    @routes.get("/info")
    async def info() -> Response:
        """What is served, with what, how much of it was done."""
        return _json(orjson.dumps(_info(service)))

    if profile is not None:

        @routes.get("/debug/memory")
        async def debug_memory() -> Response:
            """Resident memory and the largest allocation sites, traced since the model was loaded."""
            service.model  # noqa: B018 - 503 until then
            return _json(orjson.dumps(await asyncio.to_thread(profile.report)))

    return routes


def _json(body: bytes) -> Response:
    return Response(body, media_type="application/json")


def _refuse_announced(length: str) -> None:
    """Refuse a body that says itself that it is too large, before it is sent."""
    if length.isascii() and length.isdigit() and int(length) > requests.MAX_BODY_BYTES:
        raise too_large()


def _checked(content: bytearray, model: LoadedModel, wanted: WantedModel) -> EmbeddingRequest:
    """What is asked for, if it can be had here. Another model's vectors would spoil an index unseen."""
    asked = requests.parse(content)
    if asked.model is not None and asked.model.lower() not in (name.lower() for name in wanted.ids):
        served = " and ".join(repr(name) for name in wanted.ids)
        raise ApiError(
            404,
            f"The model {asked.model!r} is not served here. This server answers to {served}.",
            param="model",
            code="model_not_found",
        )
    if asked.dimensions not in (None, model.encoder.dimension) or isinstance(asked.dimensions, bool):
        raise ApiError(
            400,
            f"This model does not support the dimensions parameter value {json.dumps(asked.dimensions)}",
            param="dimensions",
            code="unsupported_dimensions",
        )
    return asked


async def _unless_gone(body: Body, work: Coroutine[Any, Any, Response]) -> Response:
    """The answer, unless the body is refused or nobody waits any more: then the work is cancelled at once."""
    working = asyncio.ensure_future(work)
    reading = asyncio.ensure_future(body.read())
    try:
        await asyncio.wait((working, reading), return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            return await working
        await reading
        return Response(status_code=CLIENT_GONE)
    except asyncio.CancelledError as over:
        # What the grace of a shutdown does not cover is cancelled; the client gets an answer all the same.
        raise Closed from over
    finally:
        for task in (working, reading):
            task.cancel()
        await asyncio.gather(working, reading, return_exceptions=True)


@cache
def _version(library: str) -> str:
    return metadata.version(library)


def _info(service: Service) -> dict[str, Any]:
    settings, wanted, counters = service.settings, service.wanted, service.counters
    try:
        model = service.model
    except NotLoaded:
        model = None
    libraries = ("fastapi", "uvicorn", *(model.libraries if model else ()))
    return {
        "model": wanted.name,
        "ids": list(wanted.ids),
        "name": wanted.ids[-1],
        "status": service.standing.stage.value,
        "revision": model.revision if model else None,
        "dimension": model.encoder.dimension if model else wanted.dimension,
        "max_tokens": model.max_tokens if model else wanted.max_tokens,
        "device": model.encoder.device if model else None,
        "dtype": model.encoder.dtype if model else None,
        "batching": model.batching.value if model else None,
        "threads": model.threads if model else None,
        "self_test": model.self_test if model else None,
        "versions": {
            "embserver": embserver.__version__,
            "python": ".".join(map(str, sys.version_info[:3])),
            **{library: _version(library) for library in libraries},
        },
        "limits": {
            "max_inputs": requests.MAX_INPUTS,
            "max_body_bytes": requests.MAX_BODY_BYTES,
            "batch_tokens": BATCH_TOKENS,
        },
        "measures": {
            "release_tensors": settings.release_tensors,
            "collect_garbage": settings.collect_garbage,
            "semaphore": settings.semaphore,
            "profile_memory": settings.profile_memory,
        },
        "counters": {
            "requests": counters.requests,
            "texts": counters.texts,
            "tokens": counters.tokens,
            "truncated": counters.truncated,
            "errors": counters.errors,
            "collections": counters.collections,
            "releases": model.encoder.releases if model else 0,
        },
        "queue": {"running": service.gate.running, "waiting": service.gate.waiting},
        "rss": memory.resident_bytes(),
        "uptime": round(time.monotonic() - service.started, 3),
    }
