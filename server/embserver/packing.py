"""Texts packed end to end, and what every packed model does with them. It knows no model's formulas.

A layer works on [tokens, width] with no row of padding; only attention looks at texts, all of one length together. So
the work is that of the tokens alone, and a vector does not depend on its neighbours in the batch.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import torch
from torch import Tensor

from embserver.encoder import Pause

__all__ = ["Group", "Mix", "PackedBatch", "attend", "pack", "row_chunks"]

# Two of these bound the time between two pauses, at the sizes of a BERT-base, to some 60 ms on two cores and twice that
# on one, and the memory of what is wider than the rows: rows of an MLP at once, and pairs of query and key in one call
# of attention.
_ROWS = 256
_PAIRS = 1 << 21


@dataclass(frozen=True, slots=True)
class Group:
    """Texts of one length that lie side by side in the packed rows."""

    start: int
    texts: int
    length: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PackedBatch:
    """A batch in work: token ids and their positions within their texts [tokens], shortest text first.

    `order` says which text of the batch comes first, second, ...
    """

    ids: Tensor
    positions: Tensor
    order: Sequence[int]
    groups: Sequence[Group]
    pause: Pause

    def texts(self, rows: Tensor) -> list[Tensor]:
        """Views [tokens, width] of packed rows, one a text, in the order in which the texts were given."""
        lengths = [group.length for group in self.groups for _ in range(group.texts)]
        given = dict(zip(self.order, torch.split(rows, lengths), strict=True))
        return [given[index] for index in range(len(given))]


Mix = Callable[[Tensor, Tensor, Tensor, Group, int], Tensor]
"""Attention for queries [texts, heads, some tokens, d] from position `int` on, and all keys and values of the group, of
the same shape but for the tokens: what is mixed from the values, shaped like the queries."""


def pack(batch: Sequence[Sequence[int]], pause: Pause, device: torch.device) -> PackedBatch:
    """Lists of token ids, none empty, laid end to end."""
    order = sorted(range(len(batch)), key=lambda index: len(batch[index]))
    groups: list[Group] = []
    positions: list[Tensor] = []
    start = 0
    for length, same in groupby(order, key=lambda index: len(batch[index])):
        group = Group(start, len(list(same)), length)
        positions.append(torch.arange(length).repeat(group.texts))
        groups.append(group)
        start += group.texts * length
    return PackedBatch(
        ids=torch.tensor([token for index in order for token in batch[index]], device=device),
        positions=torch.cat(positions).to(device),
        order=order,
        groups=groups,
        pause=pause,
    )


def row_chunks(rows: Tensor, pause: Pause) -> Iterator[Tensor]:
    """Views of some hundred rows, a pause before each: for layers whose inner values are several times as wide."""
    for chunk in torch.split(rows, _ROWS):
        pause()
        yield chunk


def attend(qkv: tuple[Tensor, Tensor, Tensor], heads: int, batch: PackedBatch, mix: Mix) -> Tensor:
    """Attention within each text, for packed queries, keys and values [tokens, width]; the context [tokens, width], in
    the memory of the queries, each of which is needed once."""
    for group in batch.groups:
        rows = slice(group.start, group.start + group.texts * group.length)
        shape = (group.texts, group.length, heads, -1)
        query, key, value = (part[rows].view(shape).transpose(1, 2) for part in qkv)
        step = max(1, _PAIRS // (group.texts * group.length))
        for first in range(0, group.length, step):
            batch.pause()
            some = query[:, :, first : first + step]
            some.copy_(mix(some, key, value, group, first))
    return qkv[0]
