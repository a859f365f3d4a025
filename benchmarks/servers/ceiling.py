"""`python -m servers.ceiling THREADS ROWS IN,OUT ...`: the float32 matrix products of a layer, as fast as torch goes.

A process of its own, so that neither client nor server holds its memory. Prints FLOP/s.
"""

import sys
import time

import torch

_REPEATS = 12


def main() -> None:
    """The best time of each product, taken together: noise makes a product slower, never faster."""
    torch.set_num_threads(int(sys.argv[1]))
    rows = int(sys.argv[2])
    operations = seconds = 0.0
    for product in sys.argv[3:]:
        inner, outer = map(int, product.split(","))
        left, right = torch.randn(rows, inner), torch.randn(outer, inner)
        times = []
        for _ in range(_REPEATS):
            begin = time.perf_counter()
            torch.nn.functional.linear(left, right)
            times.append(time.perf_counter() - begin)
        operations += 2.0 * rows * inner * outer
        seconds += min(times)
    print(operations / seconds)


if __name__ == "__main__":
    main()
