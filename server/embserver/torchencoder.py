"""The encoder on torch: runs a model and its head over a micro-batch, and gives the memory back."""

import threading
from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from embserver import heap
from embserver.cores import Cores
from embserver.encoder import Pause, Vectors, no_pause
from embserver.failures import StartFailed
from embserver.head import Head

__all__ = ["TorchEncoder", "choose_device"]

# More than a batch of several texts has. What one of those leaves free, the next one takes; what a long text leaves is
# more than they need.
_LONG = 1024


def choose_device(wanted: str) -> torch.device:
    """The device for `wanted` ("auto" takes the best there is). Raises StartFailed where it is not there."""
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if wanted == "auto":
        return torch.device(next(name for name, available in there.items() if available))
    if not there[wanted]:
        raise StartFailed(
            f"EMBSERVER_DEVICE={wanted}, but torch {torch.__version__} sees no such device here. Use auto or cpu, or "
            "an image and a container that have it."
        )
    return torch.device(wanted)


class TorchEncoder:
    """A model body, which makes [tokens, width] of each text, and its head, on one device.

    `dtype` says what the body computes in, `cores` on how much of the processor. `release` is the measure that frees
    memory after each batch.
    """

    def __init__(
        self, body: nn.Module, head: Head, *, device: torch.device, dtype: str, release: bool, cores: Cores
    ) -> None:
        self._body = body.to(device)
        self._head = head.to(device)
        self._device = device
        self._cores = cores
        self._release = release
        self._releases = 0
        self._counting = threading.Lock()
        self.dimension = head.dimension
        self.dtype = dtype
        self.streams = cores.streams

    @property
    def device(self) -> str:
        """Where it computes."""
        return self._device.type

    @property
    def releases(self) -> int:
        """How often memory was explicitly given back after a batch."""
        return self._releases

    def encode(self, batch: Sequence[Sequence[int]], pause: Pause = no_pause) -> Vectors:
        """Vectors [len(batch), dimension] of unit length; see `Encoder`."""
        with self._cores.computing() as share, torch.inference_mode():

            def between() -> None:
                pause()
                share()

            computed = self._head(self._body(batch, between))
            # A copy, so that nothing outside keeps the tensor's memory alive.
            vectors = np.array(computed.cpu().numpy(), dtype=np.float32)
        if self._release:
            del computed
            self._give_back(sum(map(len, batch)))
        return vectors

    def _give_back(self, tokens: int) -> None:
        if self._device.type == "cuda":
            torch.cuda.empty_cache()
        elif self._device.type == "mps":
            torch.mps.empty_cache()
        elif tokens >= _LONG:
            heap.trim()
        with self._counting:
            self._releases += 1
