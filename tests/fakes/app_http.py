"""The HTTP client of embctl over applications in this process: the real servers, without their sockets."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from starlette.testclient import TestClient

from embctl.http import HttpUnreachable, Reply

__all__ = ["AppHttp"]


class AppHttp:
    """The application of each port; any other port refuses the connection."""

    def __init__(self, apps: Mapping[int, TestClient]) -> None:
        self._apps = apps

    def get(self, url: str, *, api_key: str | None = None, timeout: float = 5.0) -> Reply:
        """See HttpClient."""
        return self.send("GET", url, None, api_key=api_key, timeout=timeout)

    def post_json(
        self, url: str, body: Mapping[str, Any], *, api_key: str | None = None, timeout: float = 60.0
    ) -> Reply:
        """See HttpClient."""
        return self.send("POST", url, body, api_key=api_key, timeout=timeout)

    def send(
        self,
        method: str,
        url: str,
        body: Mapping[str, Any] | None,
        *,
        api_key: str | None,
        timeout: float,  # noqa: ARG002 - nothing waits here
    ) -> Reply:
        """See HttpClient."""
        parts = urlsplit(url)
        app = self._apps.get(parts.port or 0)
        if app is None:
            raise HttpUnreachable("connection refused")
        headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        path = parts._replace(scheme="", netloc="").geturl()
        response = app.request(method, path, json=body, headers=headers)
        try:
            parsed = response.json()
        except ValueError:
            parsed = None
        return Reply(status=response.status_code, body=parsed, text=response.text)
