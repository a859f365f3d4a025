"""Attention with linear biases, symmetric: a pair of tokens loses slope times their distance, in place of positions.

The bias of n tokens has n x n values a head but only 2n - 1 different ones, so it is never built. Attention does not
care about the order of its keys: with keys and values back to front, entry (i, j) of the bias depends on i + j alone,
and such a (Hankel) matrix is a view of its 2n - 1 values with both strides 1.
"""

import torch
import torch.nn.functional as F  # noqa: N812 - the name everybody knows it by
from torch import Tensor

__all__ = ["attention", "distances", "slopes"]


def slopes(heads: int) -> list[float]:
    """One slope a head: a geometric sequence for a power of two, else that of the next lower one and every second of
    the next higher (Press et al., "Train Short, Test Long", 2021, as released with the paper)."""
    whole = 1 << (heads.bit_length() - 1)
    first = [2.0 ** (-8.0 * (head + 1) / whole) for head in range(whole)]
    between = [2.0 ** (-4.0 * (head + 1) / whole) for head in range(0, 2 * (heads - whole), 2)]
    return first + between


def distances(slope: Tensor, length: int) -> Tensor:
    """The bias's values, [heads, 2 * length - 1], for slopes [heads]."""
    steps = torch.arange(2 * length - 1, device=slope.device, dtype=slope.dtype) - (length - 1)
    return -slope[:, None] * steps.abs()


def attention(query: Tensor, key: Tensor, value: Tensor, values: Tensor, *, first: int = 0) -> Tensor:
    """softmax(q k / sqrt(d) + bias) v for [texts, heads, tokens, d] texts of one length.

    Keys and values are given back to front, `values` by `distances`; the queries are those from position `first` on.
    """
    rows, length = query.shape[2], key.shape[2]
    bias = values.as_strided((1, values.shape[0], rows, length), (0, values.shape[1], 1, 1), first)
    if not _views(query.device):
        # In the type of the queries, each head laid out: the kernels of other devices ask for both.
        bias = bias.to(query.dtype).contiguous()
    return F.scaled_dot_product_attention(query, key, value, attn_mask=bias.expand(query.shape[0], -1, -1, -1))


def _views(device: torch.device) -> bool:
    """Whether the device's attention takes a bias whose rows overlap in memory."""
    return device.type == "cpu"
