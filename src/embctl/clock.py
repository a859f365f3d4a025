"""Time as a parameter, so that waiting can be tested without waiting."""

import time
from datetime import UTC, datetime
from typing import Protocol

__all__ = ["Clock", "SystemClock", "now"]


class Clock(Protocol):
    """Where code that waits or measures gets its time from."""

    def monotonic(self) -> float:
        """Seconds since some fixed moment."""

    def sleep(self, seconds: float) -> None:
        """Return after that many seconds."""


class SystemClock:
    """The machine's own clock."""

    def monotonic(self) -> float:
        """Seconds since some fixed moment."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Return after that many seconds."""
        time.sleep(seconds)


def now() -> datetime:
    """The present moment, UTC."""
    return datetime.now(tz=UTC)
