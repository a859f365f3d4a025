"""`python -m servers.ceiling THREADS ROWS IN,OUT ...`: the float32 matrix products of a layer, as fast as torch goes.

The faster of its two ways: as a model is usually computed, and with the weights laid out beforehand. A process of its
own, so that neither client nor server holds its memory. Prints FLOP/s.
"""

import sys
import time

import torch
from torch import nn

from embserver import prepacked
from embserver.prepacked import PrepackedLinear

_REPEATS = 12


def main() -> None:
    """The best time of each product, taken together: noise makes a product slower, never faster."""
    torch.set_num_threads(int(sys.argv[1]))
    rows = int(sys.argv[2])
    operations = seconds = 0.0
    for product in sys.argv[3:]:
        inner, outer = map(int, product.split(","))
        left, linear = torch.randn(rows, inner), nn.Linear(inner, outer)
        ways = [linear, PrepackedLinear(linear.weight, linear.bias)] if prepacked.available(torch.float32) else [linear]
        times = []
        with torch.inference_mode():
            for way in ways * _REPEATS:
                begin = time.perf_counter()
                way(left)
                times.append(time.perf_counter() - begin)
        operations += 2.0 * rows * inner * outer
        seconds += min(times)
    print(operations / seconds)


if __name__ == "__main__":
    main()
