"""The routes: embeddings and models as OpenAI-compatible clients call them, probes, facts."""

import asyncio
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
from embserver.errors import CLIENT_GONE, ApiError
from embserver.gate import Closed
from embserver.middleware import note
from embserver.service import Embedded, NotLoaded, Service

__all__ = ["router"]


def router(service: Service, profile: memory.Profile | None) -> APIRouter:
    """The routes over a service; `/debug/memory` is among them only with a profile."""
    routes = APIRouter()
    started = int(time.time())

    @routes.post("/v1/embeddings")
    @routes.post("/embeddings")
    async def embeddings(request: Request) -> Response:
        """Vectors for the inputs, in their order."""
        asked = requests.parse(await _body(request))
        model = service.model
        name = _served(asked.model, service)
        if asked.dimensions not in (None, model.encoder.dimension) or isinstance(asked.dimensions, bool):
            raise ApiError(
                400,
                f"This model does not support the dimensions parameter value {orjson.dumps(asked.dimensions).decode()}",
                param="dimensions",
                code="unsupported_dimensions",
            )
        embedded = await _unless_disconnected(request, service.embed(asked.inputs))
        if embedded is None:
            return Response(status_code=CLIENT_GONE)
        facts = {"texts": len(embedded.vectors), "tokens": embedded.tokens, "truncated": embedded.truncated}
        note(request.scope, facts)
        return _json(responses.embeddings(embedded, model=name, as_base64=asked.base64))

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
            """Resident memory and the largest allocation sites."""
            return _json(orjson.dumps(await asyncio.to_thread(profile.report)))

    return routes


def _json(body: bytes) -> Response:
    return Response(body, media_type="application/json")


async def _body(request: Request) -> bytes:
    parts, size = [], 0
    async for part in request.stream():
        parts.append(part)
        size += len(part)
        if size > requests.MAX_BODY_BYTES:
            raise ApiError(413, f"The body is larger than {requests.MAX_BODY_BYTES} bytes.", code="body_too_large")
    return b"".join(parts)


def _served(asked: str | None, service: Service) -> str:
    """The id to answer with: the asked one, if it is served. Another model's vectors would spoil an index unseen."""
    if asked is None:
        return service.wanted.ids[0]
    if asked.lower() in (name.lower() for name in service.wanted.ids):
        return asked
    served = " and ".join(repr(name) for name in service.wanted.ids)
    raise ApiError(
        404,
        f"The model {asked!r} is not served here. This server answers to {served}.",
        param="model",
        code="model_not_found",
    )


async def _unless_disconnected(request: Request, work: Coroutine[Any, Any, Embedded]) -> Embedded | None:
    """The result, or None as soon as nobody waits for it any more; then the work is cancelled."""
    working = asyncio.ensure_future(work)
    watching = asyncio.ensure_future(_disconnected(request))
    try:
        await asyncio.wait((working, watching), return_when=asyncio.FIRST_COMPLETED)
        return await working if working.done() else None
    except asyncio.CancelledError as over:
        # What the grace of a shutdown does not cover is cancelled; the client gets an answer all the same.
        raise Closed from over
    finally:
        for task in (working, watching):
            task.cancel()
        await asyncio.gather(working, watching, return_exceptions=True)


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


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
