"""HTTP to our own services on this machine; the only importer of the HTTP client. No proxies, redirects or retries."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Protocol, Self

__all__ = ["Http", "HttpClient", "HttpUnreachable", "Reply"]

CONNECT_TIMEOUT = 2.0
GET_TIMEOUT = 5.0
POST_TIMEOUT = 60.0


class HttpUnreachable(Exception):
    """No HTTP answer came back; `reason` says why in a few words."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer of any status; `body` is the parsed JSON, None when it is none."""

    status: int
    body: Any
    text: str


class HttpClient(Protocol):
    """What is needed of HTTP; every method raises HttpUnreachable."""

    def get(self, url: str, *, api_key: str | None = None, timeout: float = GET_TIMEOUT) -> Reply:
        """GET `url`; `timeout` in seconds for each wait."""

    def post_json(
        self, url: str, body: Mapping[str, Any], *, api_key: str | None = None, timeout: float = POST_TIMEOUT
    ) -> Reply:
        """POST `body` as JSON; `timeout` in seconds for each wait."""

    def send(
        self, method: str, url: str, body: Mapping[str, Any] | None, *, api_key: str | None, timeout: float
    ) -> Reply:
        """Any other request; `body` as JSON unless None."""


class Http:
    """A client to use in a `with` block; safe to share between threads."""

    def __init__(self) -> None:
        import httpx2  # noqa: PLC0415 - costs start-up time that `--help` must not pay

        self._httpx2 = httpx2
        # A proxy from the environment has no way to this machine's own ports.
        self._client = httpx2.Client(trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._client.close()

    def get(self, url: str, *, api_key: str | None = None, timeout: float = GET_TIMEOUT) -> Reply:
        """GET `url`; `timeout` in seconds for each wait."""
        return self.send("GET", url, None, api_key=api_key, timeout=timeout)

    def post_json(
        self, url: str, body: Mapping[str, Any], *, api_key: str | None = None, timeout: float = POST_TIMEOUT
    ) -> Reply:
        """POST `body` as JSON; `timeout` in seconds for each wait."""
        return self.send("POST", url, body, api_key=api_key, timeout=timeout)

    def send(
        self, method: str, url: str, body: Mapping[str, Any] | None, *, api_key: str | None, timeout: float
    ) -> Reply:
        """Any other request; `body` as JSON unless None."""
        headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        limits = self._httpx2.Timeout(timeout, connect=min(timeout, CONNECT_TIMEOUT))
        try:
            response = self._client.request(method, url, json=body, headers=headers, timeout=limits)
        except self._httpx2.TimeoutException:
            raise HttpUnreachable(f"no answer within {timeout:g} s") from None
        except self._httpx2.ConnectError as error:
            refused = "refused" in str(error).lower()
            raise HttpUnreachable("connection refused" if refused else f"no connection: {error}") from error
        except self._httpx2.TransportError as error:
            raise HttpUnreachable("the connection was closed before an answer came") from error
        try:
            parsed = response.json()
        except ValueError:
            parsed = None
        return Reply(status=response.status_code, body=parsed, text=response.text)
