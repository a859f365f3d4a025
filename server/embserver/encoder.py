"""Token ids to vectors: the seam between the service and whatever computes them. This module must not import torch."""

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

__all__ = ["Encoder", "Pause", "Vectors", "no_pause"]

Vectors = npt.NDArray[np.float32]

Pause = Callable[[], None]
"""Called inside a batch after every moment of work. It may compute another batch, or raise to abandon this one."""


def no_pause() -> None:
    """Go on at once."""


class Encoder(Protocol):
    """Computes micro-batches: at most `streams` at a time, each in a thread of its own, but for those begun in a
    pause."""

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
    def streams(self) -> int:
        """How many threads may call `encode` at the same time."""

    @property
    def releases(self) -> int:
        """How often memory was explicitly given back after a batch."""

    def encode(self, batch: Sequence[Sequence[int]], pause: Pause = no_pause) -> Vectors:
        """Vectors [len(batch), dimension], float32, of unit length, in order.

        Every text has at least one id, all ids are within the vocabulary, and memory grows with their number: callers
        keep that within a budget. `pause` is called between layers and within long ones. In it, `encode` may be called
        again (a search overtakes); what it raises leaves the batch unfinished and arrives at the caller.
        """
