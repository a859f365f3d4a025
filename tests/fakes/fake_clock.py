"""A clock that only sleeping moves, so that waiting is instant and exact in tests."""

from collections.abc import Callable

__all__ = ["FakeClock"]


class FakeClock:
    """Seconds since its creation; `at(seconds, action)` lets something happen while somebody sleeps."""

    def __init__(self) -> None:
        self._now = 0.0
        self._due: list[tuple[float, Callable[[], None]]] = []

    def at(self, seconds: float, action: Callable[[], None]) -> None:
        """Run `action` once the clock reaches `seconds`."""
        self._due.append((seconds, action))
        self._due.sort(key=lambda entry: entry[0])

    def monotonic(self) -> float:
        return self._now

    def sleep(self, seconds: float) -> None:
        self._now += seconds
        while self._due and self._due[0][0] <= self._now:
            self._due.pop(0)[1]()
