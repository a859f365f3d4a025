"""The engine's streams, each cut off at once when it is cancelled: messages of a pull or build, lines of a log."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from threading import local
from typing import Any

import docker
import docker.errors
import requests
from docker.types import CancellableStream

from embctl.engine import faults
from embctl.engine.asking import Ask
from embctl.engine.base import Cancel
from embctl.engine.cancellable import cancellable
from embctl.engine.logstream import log_lines
from embctl.model import LogLine

__all__ = ["Streams"]

READ_LOG = "read the log of container"


class Streams:
    """Streams of `client`; every one gives its connection back, whether it ends, breaks or is cancelled."""

    def __init__(self, client: docker.APIClient, ask: Ask) -> None:
        self._client = client
        self._ask = ask
        self._latest = local()
        client.hooks["response"].append(self._keep)

    def messages(
        self, doing: str, subject: str, call: Callable[[], Iterator[Mapping[str, Any]]], cancel: Cancel
    ) -> Iterator[Mapping[str, Any]]:
        """The decoded messages of a streaming `call` of the client; ends quietly once `cancel` is set."""
        # Asked here, not around the loop of the caller, whose own errors have nothing to do with the engine.
        with self._ask(doing, subject):
            yield from self._read(call, cancel)

    def lines(
        self, container_id: str, service: str, params: Mapping[str, str | int], cancel: Cancel
    ) -> Iterator[LogLine]:
        """The container's log; `params` are the API's own. Ends quietly once `cancel` is set."""
        url = f"{self._client.base_url}/v{self._client.api_version}/containers/{container_id}/logs"
        wanted = {"stdout": 1, "stderr": 1, "timestamps": 1, **params}

        def chunks() -> Iterator[bytes]:
            # docker-py's own method does not tell stdout from stderr.
            response = self._client.get(url, params=wanted, stream=True, timeout=None)
            if not response.ok:
                with response:
                    reason = response.json()["message"]
                raise faults.refused(READ_LOG, container_id, response.status_code, reason)
            return response.iter_content(chunk_size=None)

        with self._ask(READ_LOG, container_id):
            yield from log_lines(self._read(chunks, cancel), service)

    def _read(self, call: Callable[[], Iterator[Any]], cancel: Cancel) -> Iterator[Any]:
        opened: list[requests.Response] = []

        def source() -> Iterator[Any]:
            items = call()
            opened.append(self._latest.response)
            with opened[0]:
                yield from items

        def hang_up() -> None:
            for response in opened:
                # A stream that ended has no socket any more, and one through ssh cannot be shut down.
                with suppress(OSError, AttributeError, docker.errors.DockerException):
                    CancellableStream(iter(()), response).close()

        return cancellable(source, cancel, hang_up)

    def _keep(self, response: requests.Response, *_args: object, **_options: object) -> None:
        """docker-py hands out the messages but not the response, whose socket has to be shut down to cancel."""
        self._latest.response = response
