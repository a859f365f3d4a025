"""Every answer that is not a success, in the envelope of the OpenAI API: {"error": {message, type, param, code}}."""

from collections.abc import Mapping

import orjson
from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException

from embserver.refusals import Closed, InputOutOfRange, InputTooLong, QueueFull
from embserver.service import NotLoaded, Service

__all__ = ["CLIENT_GONE", "ApiError", "envelope", "install"]

CLIENT_GONE = 499
"""The status, for the log alone, of a request whose client went away before the answer (nginx's number)."""

_RETRY_SECONDS = 5
# A full queue is minutes of work: whoever comes back at once only finds it full again.
_RETRY_FULL_SECONDS = 30
_NOT_FOUND = 404
_METHOD_NOT_ALLOWED = 405
_SERVER_SIDE = 500


class ApiError(Exception):
    """A request that cannot be answered: `status` and `headers` for HTTP, the rest for the envelope."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.param = param
        self.headers = headers


def envelope(
    status: int,
    message: str,
    *,
    code: str | None = None,
    param: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """An error response; its type follows from the status, as in the OpenAI API."""
    kind = "server_error" if status >= _SERVER_SIDE else "invalid_request_error"
    body = {"error": {"message": message, "type": kind, "param": param, "code": code}}
    return Response(orjson.dumps(body), status, dict(headers or {}), "application/json")


def install(app: FastAPI, service: Service) -> None:
    """Answer every exception that a route lets out."""

    async def api_error(_: Request, error: Exception) -> Response:
        assert isinstance(error, ApiError)  # noqa: S101 - registered for this class alone
        return envelope(error.status, error.message, code=error.code, param=error.param, headers=error.headers)

    async def not_loaded(_: Request, error: Exception) -> Response:
        return envelope(
            503,
            f"The model {service.wanted.name} is not ready yet ({service.standing.stage}: {error}). Try again shortly.",
            code="model_not_ready",
            headers={"Retry-After": str(_RETRY_SECONDS)},
        )

    async def closed(_: Request, __: Exception) -> Response:
        return envelope(
            503,
            "The server is shutting down and takes up no further work.",
            code="shutting_down",
            headers={"Retry-After": str(_RETRY_SECONDS)},
        )

    async def full(_: Request, error: Exception) -> Response:
        # Never 429: the editors take it for a quota, and pause all they do.
        return envelope(
            503,
            f"The queue is full. {error} Try again later, with fewer requests at once.",
            code="queue_full",
            headers={"Retry-After": str(_RETRY_FULL_SECONDS)},
        )

    async def out_of_range(_: Request, error: Exception) -> Response:
        return envelope(400, str(error), code="invalid_input", param="input")

    async def too_long(_: Request, error: Exception) -> Response:
        return envelope(400, str(error), code="context_length_exceeded", param="input")

    async def http_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class alone
        if error.status_code == _NOT_FOUND:
            return _nothing_here(request)
        if error.status_code == _METHOD_NOT_ALLOWED:
            allowed = (error.headers or {}).get("Allow", "")
            message = f"{request.method} is not answered at {request.url.path}; use {allowed or 'another method'}."
            return envelope(405, message, code="method_not_allowed", headers=error.headers)
        return envelope(error.status_code, str(error.detail), headers=error.headers)

    async def crash(_: Request, error: Exception) -> Response:
        service.counters.errors += 1
        return envelope(500, f"The server failed on this request: {error!r}. Its log has more.", code="internal_error")

    app.add_exception_handler(ApiError, api_error)
    app.add_exception_handler(NotLoaded, not_loaded)
    app.add_exception_handler(Closed, closed)
    app.add_exception_handler(QueueFull, full)
    app.add_exception_handler(InputOutOfRange, out_of_range)
    app.add_exception_handler(InputTooLong, too_long)
    app.add_exception_handler(HTTPException, http_error)
    app.add_exception_handler(Exception, crash)


def _nothing_here(request: Request) -> Response:
    root = str(request.base_url).rstrip("/")
    return envelope(
        404,
        f"There is nothing at {request.method} {request.url.path}. Embeddings are at POST {root}/v1/embeddings, so the "
        f"base URL for an OpenAI-compatible client is {root}/v1.",
        code="unknown_url",
    )
