"""`python -m servers.ceiling THREADS ROWS LAYERS IN,OUT ...`: a model's float32 matrix products and nothing else.

Layers one after another, each with weights of its own as a model has them: what a server could reach on this machine
now if all else took no time, with all threads at one product, and in two streams of half of them, which need not wait
for each other. Of torch's two ways each time the faster: as a model is usually computed, and with the weights laid out
beforehand. Beside them the best moment, each product's fastest repetition taken together, which no burst can hold:
noise makes a product slower, never faster. A process of its own, so that neither client nor server holds its memory.

Says "ready", and computes in each way for a quarter of a second for every line it gets; then it prints three numbers,
FLOP/s: the means over all lines so far on all threads and in streams, and the best.
"""

import statistics
import sys
import threading
import time
from collections.abc import Sequence

import torch
from torch import nn

from embserver import prepacked
from embserver.prepacked import PrepackedLinear

_SECONDS = 0.25
_STREAMS = 2

Layer = Sequence[tuple[nn.Module, torch.Tensor]]


class Way:
    """One way to compute layers of so many `operations` a product: in streams of so many threads each."""

    def __init__(self, layers: Sequence[Layer], operations: Sequence[float], *, streams: int, threads: int) -> None:
        self._layers = layers
        self._operations = operations
        self._streams = streams
        self._threads = threads
        self._rates: list[float] = []
        self._fastest = [float("inf")] * len(operations)

    @property
    def sustained(self) -> float:
        """FLOP/s of all products, the mean: every moment counts as much, whether it was fast or slow."""
        return statistics.mean(self._rates)

    @property
    def best(self) -> float:
        """FLOP/s of each product at its fastest, or at the fastest line where products compete with each other."""
        return sum(self._operations) / sum(self._fastest) if self._streams == 1 else max(self._rates)

    def compute(self) -> None:
        """A quarter of a second, and a layer before it that does not count: whoever computed before has the caches."""
        streams = [threading.Thread(target=self._stream, args=(number,)) for number in range(self._streams)]
        done = len(self._rates)
        for stream in streams:
            stream.start()
        for stream in streams:
            stream.join()
        self._rates[done:] = [sum(self._rates[done:])]

    def _stream(self, number: int) -> None:
        torch.set_num_threads(self._threads)
        with torch.inference_mode():
            layers = self._layers[number * len(self._layers) // self._streams :]
            self._layer(layers[0])
            computed, begin = 0, time.perf_counter()
            while (taken := time.perf_counter() - begin) < _SECONDS:
                computed += 1
                for product, seconds in enumerate(self._layer(layers[computed % len(layers)])):
                    self._fastest[product] = min(self._fastest[product], seconds)
        self._rates.append(computed * sum(self._operations) / taken)

    @staticmethod
    def _layer(layer: Layer) -> list[float]:
        """Seconds of each product."""
        taken, before = [], time.perf_counter()
        for linear, rows in layer:
            linear(rows)
            now = time.perf_counter()
            taken.append(now - before)
            before = now
        return taken


def main() -> None:
    """Make the ways, and let them take turns for every line."""
    threads, rows, layers = (int(number) for number in sys.argv[1:4])
    shapes = [(inner, outer) for inner, outer in (map(int, product.split(",")) for product in sys.argv[4:])]
    # Values without infinities or denormal numbers, on which products would be slower.
    inputs = {inner: torch.randn(rows, inner) for inner, _ in shapes}
    with torch.inference_mode():
        plain = [[(nn.Linear(inner, outer), inputs[inner]) for inner, outer in shapes] for _ in range(layers)]
        models: list[Sequence[Layer]] = [plain]
        if prepacked.available(torch.float32):
            models.append([[(PrepackedLinear(one.weight, one.bias), x) for one, x in layer] for layer in plain])
    operations = [2.0 * rows * inner * outer for inner, outer in shapes]
    streams = min(_STREAMS, threads)
    together = [Way(model, operations, streams=1, threads=threads) for model in models]
    apart = [Way(model, operations, streams=streams, threads=threads // streams) for model in models]
    ways = [*together, *apart]
    print("ready", flush=True)
    for _ in sys.stdin:
        for way in ways:
            way.compute()
        ways.reverse()  # the first has the machine as the server left it
        held = (max(way.sustained for way in some) for some in (together, apart))
        print(*held, max(way.best for way in ways), flush=True)


if __name__ == "__main__":
    main()
