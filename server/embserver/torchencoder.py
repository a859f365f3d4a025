"""The encoder on torch: runs a model over a micro-batch, pools, normalises, and gives the memory back."""

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - the name everybody knows it by
from torch import Tensor

from embserver.bertfamily import PaddedBert
from embserver.encoder import Pause, Vectors, no_pause
from embserver.failures import StartFailed
from embserver.jinabert import JinaBert
from embserver.modelfiles import Pooling

__all__ = ["TorchEncoder", "choose_device"]


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
    """A model body with its pooling on one device. `release` is the measure that frees memory after each batch."""

    def __init__(
        self, body: JinaBert | PaddedBert, *, dimension: int, pooling: Pooling, device: torch.device, release: bool
    ) -> None:
        self._body = body.to(device)
        self._pooling = pooling
        self._device = device
        self._release = release
        self._releases = 0
        self.dimension = dimension

    @property
    def device(self) -> str:
        """Where it computes."""
        return self._device.type

    @property
    def dtype(self) -> str:
        """The type of the weights and of everything computed from them."""
        return str(next(self._body.parameters()).dtype).removeprefix("torch.")

    @property
    def releases(self) -> int:
        """How often memory was explicitly given back after a batch."""
        return self._releases

    def encode(self, batch: Sequence[Sequence[int]], pause: Pause = no_pause) -> Vectors:
        """Vectors [len(batch), dimension] of unit length; see `Encoder`."""
        with torch.inference_mode():
            states: list[Tensor] = self._body(batch, pause)
            pooled = torch.stack([self._pool(rows) for rows in states])
            normed = F.normalize(pooled, dim=-1)
            # A copy, so that nothing outside keeps the tensors' memory alive.
            vectors = np.array(normed.cpu().numpy(), dtype=np.float32)
        if self._release:
            del states, pooled, normed
            self._give_back()
        return vectors

    def _pool(self, rows: Tensor) -> Tensor:
        return rows[0] if self._pooling is Pooling.CLS else rows.mean(dim=0)

    def _give_back(self) -> None:
        if self._device.type == "cuda":
            torch.cuda.empty_cache()
        elif self._device.type == "mps":
            torch.mps.empty_cache()
        self._releases += 1
