"""How a request is cut into micro-batches, so that memory depends on a budget, not on the request: pure arithmetic."""

from collections.abc import Sequence

__all__ = ["BATCH_TOKENS", "micro_batches"]

BATCH_TOKENS = 1024
"""Tokens in one micro-batch, padding included, at which matrix products run near the processor's peak."""


def micro_batches(lengths: Sequence[int], budget: int = BATCH_TOKENS) -> list[list[int]]:
    """Indices into `lengths` (in tokens), neighbours in length together, longest first.

    Each batch fits the budget even if padded to its longest member; a single text over the budget is a batch alone.
    Every index occurs exactly once.
    """
    batches: list[list[int]] = []
    longest = 0
    for index in sorted(range(len(lengths)), key=lambda i: -lengths[i]):
        if batches and (len(batches[-1]) + 1) * longest <= budget:
            batches[-1].append(index)
        else:
            batches.append([index])
            longest = lengths[index]
    return batches
