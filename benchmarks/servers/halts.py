"""Halts in a server's burst, in which the machine computes the model's matrix products and nothing else.

What a machine that is shared with others grants changes from one second to the next, so what a burst could have reached
is known only from within it.
"""

import contextlib
import math
import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from servers.figures import Ceiling
from servers.running import Running

__all__ = ["Halting", "Products"]

_STRIDE = 1.0


class Products:
    """The process of `servers.ceiling` with its `arguments`, which computes when it is told to. Raises RuntimeError
    where it does not."""

    def __init__(self, arguments: Sequence[str], path: Sequence[Path]) -> None:
        command = [sys.executable, "-m", "servers.ceiling", *arguments]
        env = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, path))}
        self._process = subprocess.Popen(command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._line()

    def compute(self) -> Ceiling:
        """Compute for a second or so; the figures since the start."""
        with contextlib.suppress(BrokenPipeError):  # of a process that ended, which its missing answer tells
            print(file=self._process.stdin, flush=True)
        sustained, streams, best = (float(number) / 1e9 for number in self._line().split())
        return Ceiling(sustained_gflops=sustained, streams_gflops=streams, best_gflops=best)

    def close(self) -> None:
        """End the process."""
        self._process.communicate()

    def _line(self) -> str:
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line:
            self.close()
            raise RuntimeError(f"the process of the matrix products ended with {self._process.returncode}")
        return line


class Halting:
    """Halts a server after every second of its work while the products are computed.

    `ceiling` is what they have reached so far, `spans` when the server stood still, as (begin, end) of
    `time.perf_counter`.
    """

    def __init__(self, running: Running, products: Products) -> None:
        self.ceiling = Ceiling(sustained_gflops=math.nan, streams_gflops=math.nan, best_gflops=math.nan)
        self.spans: list[tuple[float, float]] = []
        self._running = running
        self._products = products
        self._over = threading.Event()
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._work)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Raises what went wrong in a halt: the server may have stood still for longer than is known."""
        self._over.set()
        self._thread.join()
        if self._error and kind is None:
            raise self._error

    def within(self, begin: float, end: float) -> float:
        """Seconds of standing still between two moments."""
        return sum(max(0.0, min(end, last) - max(begin, first)) for first, last in self.spans)

    def _work(self) -> None:
        try:
            while not self._over.wait(_STRIDE):
                self._halt()
            if not self.spans:
                self._halt()  # of a burst shorter than that, directly after it
        except Exception as error:  # noqa: BLE001 - raised where it is waited for
            self._error = error

    def _halt(self) -> None:
        with self._running.halted():
            # Less than the whole halt: what the server may compute at its edges, it computes in its own time.
            begin = time.perf_counter()
            self.ceiling = self._products.compute()
            self.spans.append((begin, time.perf_counter()))
