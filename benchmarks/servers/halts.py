"""Halts in a server's burst, in which the machine computes the model's matrix products and nothing else.

What a machine that is shared with others grants changes from one second to the next, so what a burst could have reached
is known only from within it.
"""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from servers.figures import Ceiling
from servers.running import Running

__all__ = ["Halts", "Products", "halting"]

_STRIDE = 1.0


class Products:
    """The process of `servers.ceiling` with its `arguments`, which computes when it is told to."""

    def __init__(self, arguments: Sequence[str], path: Sequence[Path]) -> None:
        command = [sys.executable, "-m", "servers.ceiling", *arguments]
        env = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, path))}
        self._process = subprocess.Popen(command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._line()

    def compute(self) -> Ceiling:
        """Compute for half a second or so; the figures since the start."""
        print(file=self._process.stdin, flush=True)
        sustained, best = (float(number) / 1e9 for number in self._line().split())
        return Ceiling(sustained_gflops=sustained, best_gflops=best)

    def close(self) -> None:
        """End the process."""
        self._process.communicate()

    def _line(self) -> str:
        for line in self._process.stdout or ():
            return line
        raise OSError(f"the matrix products ended with {self._process.wait()}")


class Halts:
    """When the server stood still, as (begin, end) of `time.perf_counter`, and what the products reached then."""

    def __init__(self, ceiling: Ceiling) -> None:
        self.ceiling = ceiling
        self.spans: list[tuple[float, float]] = []

    def within(self, begin: float, end: float) -> float:
        """Seconds of standing still between two moments."""
        return sum(max(0.0, min(end, last) - max(begin, first)) for first, last in self.spans)


@contextmanager
def halting(running: Running, products: Products) -> Iterator[Halts]:
    """For the block, halt the server once a second while the products are computed."""
    halts, over = Halts(products.compute()), threading.Event()

    def halt() -> None:
        while not over.wait(_STRIDE):
            begin = time.perf_counter()
            with running.halted():
                halts.ceiling = products.compute()
            halts.spans.append((begin, time.perf_counter()))

    thread = threading.Thread(target=halt)
    thread.start()
    try:
        yield halts
    finally:
        over.set()
        thread.join()
