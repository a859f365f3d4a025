"""Waiting for a condition, never for a time."""

import time
from collections.abc import Callable

__all__ = ["until"]


def until(condition: Callable[[], bool], patience: float = 120.0) -> None:
    """Return once `condition()` holds; fails the test when it never does within `patience` seconds."""
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline, f"still not so after {patience:.0f} s: {condition}"
        time.sleep(0.1)
