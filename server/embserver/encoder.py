"""Token ids to vectors: the seam between the service and whatever computes them. This module must not import torch."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

__all__ = ["Encoder", "Vectors"]

Vectors = npt.NDArray[np.float32]


class Encoder(Protocol):
    """Computes one micro-batch at a time, always called from the same thread."""

    @property
    def dimension(self) -> int:
        """Length of a vector."""

    @property
    def device(self) -> str:
        """Where it computes: "cpu", "cuda", "mps"."""

    @property
    def dtype(self) -> str:
        """The type it computes in, such as "float32"."""

    @property
    def releases(self) -> int:
        """How often memory was explicitly given back after a batch."""

    def encode(self, batch: Sequence[Sequence[int]]) -> Vectors:
        """Vectors [len(batch), dimension], float32, of unit length, in order.

        Every text has at least one id, all ids are within the vocabulary, and memory grows with the longest text times
        their number: callers keep that within a budget.
        """
