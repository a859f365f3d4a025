"""From an HTTP request to a handler and back: body limit, worker thread, envelope. Knows no resource."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import Any, TypeAlias

import orjson
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from embstore.collection import Collection
from embstore.errors import BodyTooLarge, FormatError, Internal, StoreError, WrongInput
from embstore.fields import object_
from embstore.responses import encode_result, error_response, json_response
from embstore.store import Store

__all__ = ["Call", "Handler", "route"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request, read completely."""

    store: Store
    path: dict[str, Any]
    query: dict[str, str]
    raw: bytes

    @property
    def name(self) -> str:
        """The collection's name in the path."""
        return str(self.path["name"])

    def collection(self) -> Collection:
        """The open collection that the path names."""
        return self.store.get(self.name)

    def body(self) -> dict[str, Any]:
        """The body as a JSON object."""
        try:
            content = orjson.loads(self.raw)
        except orjson.JSONDecodeError as error:
            raise FormatError(str(error)) from error
        return object_(content, "an object")

    def updated(self, write: Callable[[Collection], int]) -> dict[str, Any]:
        """Carry out an update; its result. It is applied before it is answered, and with `wait` on the disk too."""
        collection = self.collection()
        operation = write(collection)
        if self.query.get("wait", "false") == "false":
            return {"operation_id": operation, "status": "acknowledged"}
        collection.sync()
        return {"operation_id": operation, "status": "completed"}

    def check_wait(self) -> None:
        """Refuse a `wait` that is no boolean, before anything is written."""
        if self.query.get("wait", "false") not in {"true", "false"}:
            raise WrongInput("`wait` in the query string must be `true` or `false`")


Handler: TypeAlias = Callable[[Call], Any]


async def _read(request: Request, limit: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        # The rest is read and dropped: a client that still sends would otherwise lose the answer to a reset.
        if size <= limit:
            parts.append(part)
    if size > limit:
        raise BodyTooLarge(limit=limit)
    return b"".join(parts)


def route(method: str, path: str, handler: Handler) -> Route:
    """A route whose handler's return value becomes the envelope's `result`."""

    async def endpoint(request: Request) -> Response:
        started = perf_counter()
        store: Store = request.app.state.store
        try:
            with store.activity.request():
                call = Call(
                    store=store,
                    path=request.path_params,
                    query=dict(request.query_params),
                    raw=await _read(request, request.app.state.settings.max_request_bytes),
                )
                return json_response(await run_in_threadpool(lambda: encode_result(handler(call), started)))
        except ClientDisconnect:
            return Response(status_code=400)
        except StoreError as error:
            return error_response(error, started)
        except Exception as error:  # noqa: BLE001 - a bug too answers in the shape that clients read
            _log.exception("%s %s failed", request.method, request.url.path)
            return error_response(Internal(f"{type(error).__name__}: {error}"), started)

    return Route(path, endpoint, methods=[method])
