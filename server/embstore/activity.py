"""When the store was last asked for something, so that work which can wait does."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["Activity"]


class Activity:
    """Counts the requests in work and remembers the end of the last one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running = 0
        self._ended = time.monotonic()

    @contextmanager
    def request(self) -> Iterator[None]:
        """Around one request."""
        with self._lock:
            self._running += 1
        try:
            yield
        finally:
            with self._lock:
                self._running -= 1
                self._ended = time.monotonic()

    def quiet_for(self, seconds: float) -> bool:
        """Whether nothing is in work and nothing was for so long."""
        with self._lock:
            return self._running == 0 and time.monotonic() - self._ended >= seconds
