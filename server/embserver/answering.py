"""What a route does with a request's body: read it, hold it against what is served, have its inputs prepared and
computed, and stop at once when the client has gone."""

import asyncio
import json
import time
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from fastapi import Request, Response

from embserver import requests
from embserver.body import Body, too_large
from embserver.errors import CLIENT_GONE, ApiError
from embserver.middleware import note
from embserver.preparation import Prepared
from embserver.refusals import Closed
from embserver.requests import EmbeddingRequest
from embserver.service import Embedded, Service, Ticket, small

__all__ = ["embedded", "json_response", "prepared"]

Taken = TypeVar("Taken")


async def embedded(
    request: Request, service: Service, worded: Callable[[Embedded, requests.Wanted], bytes]
) -> Response:
    """The answer to a request for vectors, in the words given. Raises ApiError, NotLoaded or a Refusal."""
    began = time.perf_counter()

    def queued(asked: EmbeddingRequest, inputs: Prepared, waited: float) -> tuple[requests.Wanted, Ticket]:
        return asked.wanted, service.submit(inputs, waited=waited)

    async def answer(body: Body) -> Response:
        wanted, ticket = await _in_turn(body, service, queued)
        vectors = await service.vectors(ticket)
        text = worded(vectors, wanted)
        # The header's form and purpose: https://www.w3.org/TR/server-timing/
        milliseconds = {
            "queue": vectors.queued_seconds * 1000,
            "tokenization": vectors.tokenization_seconds * 1000,
            "inference": vectors.inference_seconds * 1000,
            "total": (time.perf_counter() - began) * 1000,
        }
        facts = {"texts": len(vectors.vectors), "tokens": vectors.tokens, "truncated": vectors.truncated}
        note(request.scope, {**facts, "queue_ms": round(milliseconds["queue"], 1)})
        timing = ", ".join(f"{name};dur={value:.1f}" for name, value in milliseconds.items())
        return json_response(text, {"Server-Timing": timing})

    return await _while_there(request, service, answer)


async def prepared(
    request: Request, service: Service, worded: Callable[[EmbeddingRequest, Prepared], bytes]
) -> Response:
    """The answer to a request for the tokens of texts. Raises ApiError, NotLoaded or a Refusal."""

    async def answer(body: Body) -> Response:
        return json_response(await _in_turn(body, service, lambda asked, inputs, _: worded(asked, inputs)))

    return await _while_there(request, service, answer)


def json_response(body: bytes, headers: dict[str, str] | None = None) -> Response:
    """A success with this body."""
    return Response(body, 200, headers, "application/json")


async def _in_turn(body: Body, service: Service, take: Callable[[EmbeddingRequest, Prepared, float], Taken]) -> Taken:
    """What `take` makes of the request, its tokens and the seconds it waited; of the request itself nothing is kept."""
    if await body.beginning():
        # What is wrong is told before the queue.
        asked = _checked(body.content, service)
        if small(asked.inputs):
            await body.whole()
            return take(asked, service.preparation.at_once(asked.inputs, truncate=asked.truncate), 0.0)
        # The values are not kept while it waits: they take many times the bytes.
        del asked
    async with service.turn(len(body.content)) as waited:
        asked = _checked(await body.whole(), service)
        return take(asked, await service.preparation.in_pieces(asked.inputs, truncate=asked.truncate), waited)


async def _while_there(
    request: Request, service: Service, answer: Callable[[Body], Coroutine[Any, Any, Response]]
) -> Response:
    """The answer, unless the body is refused or nobody waits any more: then the work is cancelled at once."""
    service.model  # noqa: B018 - 503 until there is one, before anything is read
    announced = request.headers.get("content-length", "")
    if announced.isascii() and announced.isdigit() and int(announced) > requests.MAX_BODY_BYTES:
        # Before it is sent.
        raise too_large()
    body = Body(request.receive)
    working = asyncio.ensure_future(answer(body))
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


def _checked(content: bytearray, service: Service) -> EmbeddingRequest:
    """What is asked for, if it can be had here. Another model's vectors would spoil an index unseen."""
    asked, ids = requests.parse(content), service.wanted.ids
    model = asked.wanted.model
    if model is not None and model.lower() not in (name.lower() for name in ids):
        served = " and ".join(repr(name) for name in ids)
        raise ApiError(
            404,
            f"The model {model!r} is not served here. This server answers to {served}.",
            param="model",
            code="model_not_found",
        )
    if asked.dimensions not in (None, service.model.encoder.dimension) or isinstance(asked.dimensions, bool):
        raise ApiError(
            400,
            f"This model does not support the dimensions parameter value {json.dumps(asked.dimensions)}",
            param="dimensions",
            code="unsupported_dimensions",
        )
    return asked
