"""HTTP whose answers the test writes down: one per path, a constant or a function of how often it was asked."""

from collections.abc import Callable, Mapping
from json import dumps
from typing import Any
from urllib.parse import urlsplit

from embctl.http import HttpUnreachable, Reply

__all__ = ["ScriptedHttp", "json_reply"]


def json_reply(body: Any, status: int = 200) -> Reply:
    """A reply with a JSON body."""
    return Reply(status=status, body=body, text=dumps(body))


class ScriptedHttp:
    """Answers by path; a path that was never scripted refuses the connection, as does one scripted with None."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.keys: list[str | None] = []
        self._answers: dict[str, Callable[[], Reply | None]] = {}

    def answer(self, path: str, *replies: Reply | None) -> None:
        """Give `replies` one after the other, the last one for ever."""
        pending = list(replies)
        self._answers[path] = lambda: pending.pop(0) if len(pending) > 1 else pending[0]

    def get(self, url: str, *, api_key: str | None = None, timeout: float = 5.0) -> Reply:
        """See HttpClient."""
        return self._reply(url, api_key, timeout)

    def post_json(
        self, url: str, body: Mapping[str, Any], *, api_key: str | None = None, timeout: float = 5.0
    ) -> Reply:
        """See HttpClient."""
        dumps(body)
        return self._reply(url, api_key, timeout)

    def send(
        self, method: str, url: str, body: Mapping[str, Any] | None, *, api_key: str | None, timeout: float
    ) -> Reply:
        """See HttpClient."""
        dumps([method, body])
        return self._reply(url, api_key, timeout)

    def _reply(self, url: str, api_key: str | None, timeout: float) -> Reply:
        path = urlsplit(url).path
        self.asked.append(path)
        self.keys.append(api_key)
        reply = self._answers[path]() if path in self._answers else None
        if reply is None or timeout <= 0:
            raise HttpUnreachable("connection refused")
        return reply
