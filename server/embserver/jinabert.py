"""The architecture of jina-embeddings-v2-base-code ("qk-post-norm" JinaBERT), from its formulas and tensor names.

Code from a model repository is never run, and weights are accepted only when every name and shape is exactly as
expected.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import torch
import torch.nn.functional as F  # noqa: N812 - the name everybody knows it by
from torch import Tensor, nn

from embserver import alibi
from embserver.checkpoint import Architecture, table
from embserver.encoder import Pause
from embserver.failures import ModelRefused
from embserver.modelfiles import ModelFiles
from embserver.packing import Group, PackedBatch, attend, pack, row_chunks
from embserver.prepacked import PrepackedLinear

__all__ = ["JinaBert", "architecture"]

# The released file carries the pretraining's pooler; mean pooling has no use for it.
_UNUSED = ("pooler.dense.",)
# Units of the inner width of an MLP that are computed at once.
_SLICE = 1024
_FIXED = {"position_embedding_type": "alibi", "feed_forward_type": "geglu", "hidden_act": "gelu", "emb_pooler": "mean"}


@dataclass(frozen=True, slots=True)
class _Places:
    """What attention needs to know of a batch: the rows [tokens] in which each text lies back to front, and the bias's
    values for each length of text."""

    mirror: Tensor
    biases: Mapping[int, Tensor]


class _SelfAttention(nn.Module):
    def __init__(self, width: int, heads: int, eps: float) -> None:
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value = (nn.Linear(width, width) for _ in range(3))
        self.layer_norm_q, self.layer_norm_k = (nn.LayerNorm(width, eps) for _ in range(2))

    def forward(self, x: Tensor, batch: PackedBatch, places: _Places) -> Tensor:
        # The norms span the whole width: they come before the split into heads.
        query = self.layer_norm_q(self.query(x))
        batch.pause()
        # Not x[...], which takes five times as long.
        mirrored = x.index_select(0, places.mirror)
        key = self.layer_norm_k(self.key(mirrored))
        batch.pause()
        value = self.value(mirrored)
        del mirrored

        def mix(query: Tensor, key: Tensor, value: Tensor, group: Group, first: int) -> Tensor:
            return alibi.attention(query, key, value, places.biases[group.length], first=first)

        return attend((query, key, value), self.heads, batch, mix)


class _Output(nn.Module):
    def __init__(self, width: int, eps: float) -> None:
        super().__init__()
        self.dense = nn.Linear(width, width)
        self.LayerNorm = nn.LayerNorm(width, eps)

    def forward(self, context: Tensor, x: Tensor) -> Tensor:
        normed: Tensor = self.LayerNorm(self.dense(context).add_(x))
        return normed


class _Attention(nn.Module):
    def __init__(self, width: int, heads: int, eps: float) -> None:
        super().__init__()
        self.self = _SelfAttention(width, heads, eps)
        self.output = _Output(width, eps)

    def forward(self, x: Tensor, batch: PackedBatch, places: _Places) -> Tensor:
        context = self.self(x, batch, places)
        batch.pause()
        added: Tensor = self.output(context, x)
        return added


class _GatedMlp(nn.Module):
    def __init__(self, width: int, inner: int) -> None:
        super().__init__()
        self.up_gated_layer = nn.Linear(width, 2 * inner, bias=False)
        self.down_layer = nn.Linear(inner, width)

    def forward(self, x: Tensor) -> Tensor:
        up, gate = self.up_gated_layer(x).chunk(2, dim=-1)
        down: Tensor = self.down_layer(up.mul_(F.gelu(gate)))
        return down

    def fused(self) -> nn.Module | None:
        """Without a pass over the wide rows for gate and product."""
        both, down = self.up_gated_layer, self.down_layer
        return _FusedMlp(both, down) if isinstance(both, nn.Linear) and isinstance(down, nn.Linear) else None


class _FusedMlp(nn.Module):
    """In slices of the inner width, so that what is between the products stays in the processor's cache."""

    def __init__(self, both: nn.Linear, down: nn.Linear) -> None:
        super().__init__()
        weights = *both.weight.detach().chunk(2), down.weight.detach().T
        slices = zip(*(torch.split(weight, _SLICE) for weight in weights), strict=True)
        self.slices = nn.ModuleList(_Slice(up, gate, down.T) for up, gate, down in slices)
        self.bias = None if down.bias is None else down.bias.detach()

    def forward(self, x: Tensor) -> Tensor:
        first, *others = self.slices
        down: Tensor = first(x)
        for other in others:
            down.add_(other(x))
        return down if self.bias is None else down.add_(self.bias)


class _Slice(nn.Module):
    def __init__(self, up: Tensor, gate: Tensor, down: Tensor) -> None:
        super().__init__()
        self.up, self.gate = PrepackedLinear(up), PrepackedLinear(gate, activation="gelu")
        self.down = PrepackedLinear(down.contiguous())

    def forward(self, x: Tensor) -> Tensor:
        down: Tensor = self.down(self.up.times(x, self.gate(x)))
        return down


class _Layer(nn.Module):
    def __init__(self, width: int, heads: int, inner: int, eps: float) -> None:
        super().__init__()
        self.attention = _Attention(width, heads, eps)
        self.layer_norm_1, self.layer_norm_2 = (nn.LayerNorm(width, eps) for _ in range(2))
        self.mlp = _GatedMlp(width, inner)

    def forward(self, x: Tensor, batch: PackedBatch, places: _Places) -> Tensor:
        # x is added twice: within the attention's own norm, and once more here.
        h = self.layer_norm_1(self.attention(x, batch, places).add_(x))
        for rows in row_chunks(h, batch.pause):
            rows.add_(self.mlp(rows))
        out: Tensor = self.layer_norm_2(h)
        return out


class _Embeddings(nn.Module):
    def __init__(self, vocabulary: int, types: int, width: int, eps: float) -> None:
        super().__init__()
        self.word_embeddings = table(vocabulary, width)
        self.token_type_embeddings = table(types, width)
        self.LayerNorm = nn.LayerNorm(width, eps)

    def forward(self, ids: Tensor) -> Tensor:
        kind = self.token_type_embeddings.weight[0]
        normed: Tensor = self.LayerNorm(self.word_embeddings(ids).to(kind.dtype) + kind)
        return normed


class _Encoder(nn.Module):
    def __init__(self, layers: Sequence[_Layer]) -> None:
        super().__init__()
        self.layer = nn.ModuleList(layers)

    def forward(self, x: Tensor, batch: PackedBatch, places: _Places) -> Tensor:
        for layer in self.layer:
            batch.pause()
            x = layer(x, batch, places)
        return x


class JinaBert(nn.Module):
    """Token ids to hidden states. Module names are the checkpoint's."""

    def __init__(
        self, *, vocabulary: int, types: int, width: int, layers: int, heads: int, inner: int, eps: float
    ) -> None:
        super().__init__()
        self.heads = heads
        self.embeddings = _Embeddings(vocabulary, types, width, eps)
        self.encoder = _Encoder([_Layer(width, heads, inner, eps) for _ in range(layers)])

    def forward(self, texts: Sequence[Sequence[int]], pause: Pause) -> list[Tensor]:
        """One [tokens, width] a text, in the order given."""
        device = self.embeddings.LayerNorm.weight.device
        batch = pack(texts, pause, device)
        # Always float32: distances beyond 256 are not whole numbers in bfloat16.
        slope = torch.tensor(alibi.slopes(self.heads), device=device)
        biases = {group.length: alibi.distances(slope, group.length) for group in batch.groups}
        mirror = torch.cat([_back_to_front(group) for group in batch.groups]).to(device)
        return batch.texts(self.encoder(self.embeddings(batch.ids), batch, _Places(mirror, biases)))


def _back_to_front(group: Group) -> Tensor:
    firsts = group.start + group.length * torch.arange(group.texts)[:, None]
    return (firsts + torch.arange(group.length).flip(0)).flatten()


def architecture(files: ModelFiles) -> Architecture:
    """The JinaBert that config.json describes. Raises ModelRefused when it says something else than the formulas
    here."""
    for key, expected in _FIXED.items():
        if files.config.get(key, expected) != expected:
            raise ModelRefused(
                f"config.json in {files.folder} says {key} = {files.config[key]!r}; the JinaBERT code architecture "
                f"has {expected!r}, so this is another model."
            )
    width, heads = files.number("hidden_size"), files.number("num_attention_heads")
    if width % heads:
        raise ModelRefused(f"config.json in {files.folder}: hidden_size {width} cannot be split into {heads} heads.")
    build = partial(
        JinaBert,
        vocabulary=files.number("vocab_size"),
        types=files.number("type_vocab_size"),
        width=width,
        layers=files.number("num_hidden_layers"),
        heads=heads,
        inner=files.number("intermediate_size"),
        eps=float(files.config.get("layer_norm_eps", 1e-12)),
    )
    return Architecture(build=build, name="the JinaBERT code architecture", prefix="bert.", unused=_UNUSED)
