"""Structured logs: one JSON object a line on standard output, `event` first, then the facts. Never texts or secrets."""

import json
import logging
import sys
from collections import deque
from datetime import UTC, datetime
from typing import Any, TextIO

from embserver.addresses import without_userinfo

__all__ = ["Recent", "configure", "event", "named"]

_KEPT = 5


class _JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        """The record as one line of JSON."""
        line: dict[str, Any] = {
            "event": record.getMessage(),
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            **getattr(record, "facts", {}),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        # Libraries log through here too, and quote the URLs they were given.
        clean = {key: without_userinfo(value) if isinstance(value, str) else value for key, value in line.items()}
        return json.dumps(clean, ensure_ascii=False, default=str)


class Recent(logging.Handler):
    """Keeps the last few errors, as sentences where they have one: {"time", "message"}, the latest last."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self._kept: deque[dict[str, str]] = deque(maxlen=_KEPT)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep what the record says, and nothing that it refers to."""
        message = str(getattr(record, "facts", {}).get("detail") or record.getMessage())
        if record.exc_info and record.exc_info[0]:
            message = f"{message.strip()} ({record.exc_info[0].__name__})"
        self._kept.append({"time": _time(record), "message": without_userinfo(message)})

    def told(self) -> list[dict[str, str]]:
        """Those errors, oldest first."""
        return list(self._kept)


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")


def configure(stream: TextIO | None = None, *, level: int = logging.INFO) -> None:
    """Send every logger of the process to `stream` (standard output when None)."""
    handler = logging.StreamHandler(stream or sys.stdout)
    handler.setFormatter(_JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("embserver").setLevel(level)


def named(name: str) -> logging.Logger:
    """The logger of one part of embserver."""
    return logging.getLogger(f"embserver.{name}")


def event(logger: logging.Logger, name: str, *, level: str = "info", **facts: Any) -> None:
    """Log that something happened, with its facts."""
    logger.log(logging.getLevelNamesMapping()[level.upper()], name, extra={"facts": facts})
