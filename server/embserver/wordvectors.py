"""Word vectors that stay in the weights' file, from which the rows of a batch are read.

They are the largest table of a model and a batch needs few of its rows. Mapped memory would not do: around each row
that is touched the system maps 64 KiB and more, and a scan would soon have the whole table resident.
"""

import json
import os
import weakref
from pathlib import Path

import torch
from torch import Tensor, nn

__all__ = ["WordVectors", "readable"]

_LENGTH_BYTES = 8


def readable() -> bool:
    """Whether this system reads at a place of a file without moving the place of other threads."""
    return hasattr(os, "preadv")


class WordVectors(nn.Module):
    """An nn.Embedding of the tensor `name` of a safetensors file, of the shape [words, width] and type of `like`.

    The rows are as the file has them. Raises OSError where they cannot be read whole, IndexError for a word beyond the
    table.
    """

    def __init__(self, file: Path, name: str, like: Tensor) -> None:
        super().__init__()
        self._words, self._width = like.shape
        self._dtype = like.dtype
        self._bytes = self._width * like.element_size()
        self._name = f"{name} in {file}"
        self._descriptor = os.open(file, os.O_RDONLY)
        weakref.finalize(self, os.close, self._descriptor)
        # Where a tensor lies, the library's reader does not tell.
        length = int.from_bytes(os.pread(self._descriptor, _LENGTH_BYTES, 0), "little")
        header = json.loads(os.pread(self._descriptor, length, _LENGTH_BYTES))
        self._start = _LENGTH_BYTES + length + header[name]["data_offsets"][0]

    def forward(self, ids: Tensor) -> Tensor:
        """[tokens, width] for [tokens], on the processor."""
        # Code repeats its words.
        words, places = torch.unique(ids, return_inverse=True)
        rows = torch.empty(len(words), self._bytes, dtype=torch.uint8)
        for word, row in zip(words.tolist(), rows.numpy(), strict=True):
            if not 0 <= word < self._words:
                raise IndexError(f"{self._name} has {self._words} words, none of number {word}.")
            if os.preadv(self._descriptor, [row], self._start + word * self._bytes) != self._bytes:
                raise OSError(f"{self._name}: word {word} cannot be read whole. If the file was changed, restart.")
        return rows.view(self._dtype).index_select(0, places)
