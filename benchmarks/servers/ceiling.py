"""`python -m servers.ceiling THREADS ROWS LAYERS IN,OUT ...`: a model's float32 matrix products and nothing else.

All layers one after another, each with weights of its own as a model has them, for seconds: what a server's burst could
reach on this machine now if all else took no time. Of torch's two ways the faster: as a model is usually computed, and
with the weights laid out beforehand. Beside it the best moment, each product's fastest repetition taken together, which
no burst can hold: noise makes a product slower, never faster. A process of its own, so that neither client nor server
holds its memory. Prints two numbers, FLOP/s: sustained, at best.
"""

import sys
import time
from collections.abc import Sequence

import torch
from torch import nn

from embserver import prepacked
from embserver.prepacked import PrepackedLinear

_SECONDS = 3.0

Layer = Sequence[tuple[nn.Module, torch.Tensor]]


def main() -> None:
    """Measure each way, print the faster."""
    torch.set_num_threads(int(sys.argv[1]))
    rows, layers = int(sys.argv[2]), int(sys.argv[3])
    shapes = [(inner, outer) for inner, outer in (map(int, product.split(",")) for product in sys.argv[4:])]
    # Values without infinities or denormal numbers, on which products would be slower.
    inputs = {inner: torch.randn(rows, inner) for inner, _ in shapes}
    operations = [2.0 * rows * inner * outer for inner, outer in shapes]
    rates = []
    for laid_out in (False, True) if prepacked.available(torch.float32) else (False,):
        model: list[Layer] = []
        for _ in range(layers):
            linears = [nn.Linear(inner, outer) for inner, outer in shapes]
            made = [PrepackedLinear(one.weight, one.bias) for one in linears] if laid_out else linears
            model.append([(one, inputs[inner]) for one, (inner, _) in zip(made, shapes, strict=True)])
        rates.append(_rates(model, operations))
    print(max(sustained for sustained, _ in rates), max(best for _, best in rates))


def _rates(model: Sequence[Layer], operations: Sequence[float]) -> tuple[float, float]:
    """FLOP/s: all products over all of the time, and each at its fastest."""
    fastest = [float("inf")] * len(operations)
    passes, seconds = 0, 0.0
    with torch.inference_mode():
        _pass(model, fastest)
        while seconds < _SECONDS:
            seconds += _pass(model, fastest)
            passes += 1
    return passes * len(model) * sum(operations) / seconds, sum(operations) / sum(fastest)


def _pass(model: Sequence[Layer], fastest: list[float]) -> float:
    """Seconds of one pass through all layers; keeps each product's fastest."""
    begin = before = time.perf_counter()
    for layer in model:
        for product, (linear, rows) in enumerate(layer):
            linear(rows)
            now = time.perf_counter()
            fastest[product] = min(fastest[product], now - before)
            before = now
    return before - begin


if __name__ == "__main__":
    main()
