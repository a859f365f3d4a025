"""Qdrant's envelopes: `{"result", "status": "ok", "time"}` and `{"status": {"error"}, "time"}`, `time` in seconds."""

from time import perf_counter
from typing import Any

import orjson
from starlette.responses import Response

from embstore.errors import StoreError

__all__ = ["encode_result", "error_response", "json_response"]

_OPTIONS = orjson.OPT_SERIALIZE_NUMPY


def encode_result(result: Any, started: float) -> bytes:
    """The body of a success; `started` is the `perf_counter()` of the request's arrival."""
    return orjson.dumps({"result": result, "status": "ok", "time": perf_counter() - started}, option=_OPTIONS)


def json_response(body: bytes, status: int = 200) -> Response:
    """JSON that is encoded already."""
    return Response(body, status, media_type="application/json")


def error_response(error: StoreError, started: float) -> Response:
    """The answer that tells a client what went wrong."""
    body = {"status": {"error": str(error)}, "time": perf_counter() - started}
    return json_response(orjson.dumps(body), error.status)
