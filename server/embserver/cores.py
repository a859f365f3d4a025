"""The processor's cores, shared between batches that are computed at the same time, each in a stream (a thread).

Threads that compute one batch together wait for each other at the end of every step, some 350 times a batch, each time
for the slowest. Two batches on half of the cores each wait for nothing. A batch that is alone, such as a search while
nothing else is asked for, has all cores.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["STREAMS", "Cores"]

STREAMS = 2
"""Batches at once, on as many cores or more. Each holds the memory of its rows: no more of them on larger machines."""


class Cores:
    """So many cores for at most `streams` threads that compute. `use` tells the library, in the calling thread, on how
    many cores this thread may compute from now on."""

    def __init__(self, cores: int, streams: int, use: Callable[[int], None]) -> None:
        self.streams = min(cores, streams)
        self._cores = cores
        self._use = use
        self._lock = threading.Lock()
        self._computing: list[int] = []
        self._own = threading.local()

    @contextmanager
    def computing(self) -> Iterator[Callable[[], None]]:
        """The calling thread computes, for the block; one inside another of the same thread shares its cores.

        Yields what is to be called from time to time: it brings the thread to its share, as others come and go.
        """
        thread = threading.get_ident()
        with self._lock:
            inner = thread in self._computing
            if not inner:
                self._computing.append(thread)
        try:
            self._share()
            yield self._share
        finally:
            if not inner:
                with self._lock:
                    self._computing.remove(thread)

    def _share(self) -> None:
        with self._lock:
            place = self._computing.index(threading.get_ident())
            # What cannot be divided goes to those who came last.
            share = max(1, (self._cores + place) // len(self._computing))
        if share != getattr(self._own, "share", None):
            self._use(share)
            self._own.share = share
