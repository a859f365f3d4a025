"""Where the memory is: resident size by psutil, allocations by tracemalloc. Looks only; frees nothing."""

import tracemalloc
from functools import cache
from typing import Any

import psutil

__all__ = ["Profile", "resident_bytes"]

_FRAMES = 5
_TOP = 25


@cache
def _process() -> psutil.Process:
    return psutil.Process()


def resident_bytes() -> int:
    """The process's resident set, in bytes."""
    return int(_process().memory_info().rss)


class Profile:
    """The memory profile of a process that was started to be profiled: tracing costs time and memory of its own."""

    def __init__(self) -> None:
        self._baseline: tracemalloc.Snapshot | None = None
        self._began = False

    def begin(self) -> None:
        """Trace from now on. Called once the model is loaded: its imports would take minutes under tracing, and what
        leaks is what requests leave behind."""
        if not tracemalloc.is_tracing():
            tracemalloc.start(_FRAMES)
            self._began = True

    def end(self) -> None:
        """Trace no more, if that was begun here: what runs on in this process would be slowed down several times."""
        if self._began:
            tracemalloc.stop()
            self._began = False

    def report(self) -> dict[str, Any]:
        """Sizes in bytes: the resident set, what Python traced now and at its peak, the largest allocation sites, and
        the sites that grew most since the report before. Needs `begin`."""
        snapshot = tracemalloc.take_snapshot().filter_traces((tracemalloc.Filter(False, tracemalloc.__file__),))  # noqa: FBT003 - positional-only in the library
        current, peak = tracemalloc.get_traced_memory()
        growth = snapshot.compare_to(self._baseline, "lineno")[:_TOP] if self._baseline else []
        self._baseline = snapshot
        return {
            "rss": resident_bytes(),
            "traced": {"current": current, "peak": peak},
            "top": [
                {"where": str(entry.traceback), "size": entry.size, "count": entry.count}
                for entry in snapshot.statistics("lineno")[:_TOP]
            ],
            "growth": [
                {"where": str(entry.traceback), "size": entry.size_diff, "count": entry.count_diff} for entry in growth
            ],
        }
