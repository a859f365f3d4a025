"""`python -m servers.ceiling THREADS ROWS LAYERS IN,OUT ...`: a model's float32 matrix products and nothing else.

Layers one after another, each with weights of its own as a model has them: what a server could reach on this machine
now if all else took no time. Of torch's two ways the faster, as a model is usually computed and with the weights laid
out beforehand. Beside it the best moment, each product's fastest repetition taken together, which no burst can hold:
noise makes a product slower, never faster. A process of its own, so that neither client nor server holds its memory.

Says "ready", and computes some layers in each way for every line it gets; then it prints two numbers, FLOP/s over all
lines so far: sustained, at best.
"""

import sys
import time
from collections.abc import Sequence

import torch
from torch import nn

from embserver import prepacked
from embserver.prepacked import PrepackedLinear

_LAYERS_A_LINE = 3

Layer = Sequence[tuple[nn.Module, torch.Tensor]]


class Way:
    """One way to compute all layers' products, each of so many `operations`, and how long it has taken."""

    def __init__(self, layers: Sequence[Layer], operations: Sequence[float]) -> None:
        self._layers = layers
        self._operations = operations
        self._next = 0
        self._computed = 0
        self._seconds = 0.0
        self._fastest = [float("inf")] * len(operations)

    @property
    def sustained(self) -> float:
        """FLOP/s of all products over all of the time."""
        return self._computed * sum(self._operations) / self._seconds

    @property
    def best(self) -> float:
        """FLOP/s of each product at its fastest."""
        return sum(self._operations) / sum(self._fastest)

    def compute(self) -> None:
        """A few layers, and one before them that does not count: whoever computed before has the caches."""
        self._layer()
        begin = time.perf_counter()
        for _ in range(_LAYERS_A_LINE):
            for product, seconds in enumerate(self._layer()):
                self._fastest[product] = min(self._fastest[product], seconds)
        self._seconds += time.perf_counter() - begin
        self._computed += _LAYERS_A_LINE

    def _layer(self) -> list[float]:
        """Seconds of each product of the next layer."""
        layer = self._layers[self._next % len(self._layers)]
        self._next += 1
        taken, before = [], time.perf_counter()
        for linear, rows in layer:
            linear(rows)
            now = time.perf_counter()
            taken.append(now - before)
            before = now
        return taken


def main() -> None:
    """Make the ways, and let them take turns for every line."""
    torch.set_num_threads(int(sys.argv[1]))
    rows, layers = int(sys.argv[2]), int(sys.argv[3])
    shapes = [(inner, outer) for inner, outer in (map(int, product.split(",")) for product in sys.argv[4:])]
    operations = [2.0 * rows * inner * outer for inner, outer in shapes]
    # Values without infinities or denormal numbers, on which products would be slower.
    inputs = {inner: torch.randn(rows, inner) for inner, _ in shapes}
    with torch.inference_mode():
        plain = [[(nn.Linear(inner, outer), inputs[inner]) for inner, outer in shapes] for _ in range(layers)]
        ways = [Way(plain, operations)]
        if prepacked.available(torch.float32):
            laid_out = [[(PrepackedLinear(one.weight, one.bias), x) for one, x in layer] for layer in plain]
            ways.append(Way(laid_out, operations))
        print("ready", flush=True)
        for _ in sys.stdin:
            for way in ways:
                way.compute()
            ways.reverse()  # the first of a line has the machine as the server left it
            print(max(way.sustained for way in ways), max(way.best for way in ways), flush=True)


if __name__ == "__main__":
    main()
