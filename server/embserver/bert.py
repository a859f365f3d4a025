"""The ordinary BERT, from its formulas and tensor names: MiniLM, BGE, E5, GTE and their like, RoBERTa's among them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import torch.nn.functional as F  # noqa: N812 - the name everybody knows it by
from torch import Tensor, nn

from embserver.checkpoint import Architecture, table
from embserver.encoder import Pause
from embserver.failures import ModelRefused
from embserver.modelfiles import ModelFiles
from embserver.packing import Group, PackedBatch, attend, pack, row_chunks
from embserver.prepacked import PrepackedLinear

__all__ = ["FAMILIES", "Bert", "architecture", "max_tokens"]

FAMILIES = ("bert", "roberta", "xlm-roberta")
# What pretraining needed, and positions that are counted here.
_UNUSED = ("pooler.", "cls.", "lm_head.", "embeddings.position_ids")


@dataclass(frozen=True, slots=True)
class _Activation:
    """A function, and what it is called where it is computed together with the product before it."""

    function: Callable[[Tensor], Tensor]
    fused: str
    variant: str = "none"


_TANH = _Activation(partial(F.gelu, approximate="tanh"), "gelu", "tanh")
_ACTIVATIONS = {
    "gelu": _Activation(F.gelu, "gelu"),
    "gelu_new": _TANH,
    "gelu_pytorch_tanh": _TANH,
    "relu": _Activation(F.relu, "relu"),
}


class _SelfAttention(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value = (nn.Linear(width, width) for _ in range(3))

    def forward(self, x: Tensor, batch: PackedBatch) -> Tensor:
        query = self.query(x)
        batch.pause()
        key = self.key(x)
        batch.pause()
        return attend((query, key, self.value(x)), self.heads, batch, _mix)


def _mix(query: Tensor, key: Tensor, value: Tensor, _group: Group, _first: int) -> Tensor:
    return F.scaled_dot_product_attention(query, key, value)


class _Output(nn.Module):
    def __init__(self, inner: int, width: int, eps: float) -> None:
        super().__init__()
        self.dense = nn.Linear(inner, width)
        self.LayerNorm = nn.LayerNorm(width, eps)

    def forward(self, inner: Tensor, x: Tensor) -> Tensor:
        normed: Tensor = self.LayerNorm(self.dense(inner).add_(x))
        return normed


class _Attention(nn.Module):
    def __init__(self, width: int, heads: int, eps: float) -> None:
        super().__init__()
        self.self = _SelfAttention(width, heads)
        self.output = _Output(width, width, eps)

    def forward(self, x: Tensor, batch: PackedBatch) -> Tensor:
        context = self.self(x, batch)
        batch.pause()
        added: Tensor = self.output(context, x)
        return added


class _Intermediate(nn.Module):
    def __init__(self, width: int, inner: int, activation: _Activation) -> None:
        super().__init__()
        self.dense = nn.Linear(width, inner)
        self.activation = activation

    def forward(self, x: Tensor) -> Tensor:
        return self.activation.function(self.dense(x))

    def fused(self) -> nn.Module | None:
        """Without a pass over the wide rows for the activation."""
        dense, after = self.dense, self.activation
        plain = isinstance(dense, nn.Linear)
        return (
            PrepackedLinear(dense.weight, dense.bias, activation=after.fused, variant=after.variant) if plain else None
        )


class _Layer(nn.Module):
    def __init__(self, width: int, heads: int, inner: int, eps: float, *, activation: _Activation) -> None:
        super().__init__()
        self.attention = _Attention(width, heads, eps)
        self.intermediate = _Intermediate(width, inner, activation)
        self.output = _Output(inner, width, eps)

    def forward(self, x: Tensor, batch: PackedBatch) -> Tensor:
        x = self.attention(x, batch)
        for rows in row_chunks(x, batch.pause):
            rows.copy_(self.output(self.intermediate(rows), rows))
        return x


class _Embeddings(nn.Module):
    def __init__(self, vocabulary: int, positions: int, types: int, width: int, eps: float, first: int) -> None:  # noqa: PLR0917 - private, and the order is the tables'
        super().__init__()
        self.first = first
        self.word_embeddings = table(vocabulary, width)
        self.position_embeddings = table(positions, width)
        self.token_type_embeddings = table(types, width)
        self.LayerNorm = nn.LayerNorm(width, eps)

    def forward(self, batch: PackedBatch) -> Tensor:
        places = self.position_embeddings(batch.positions + self.first)
        words = self.word_embeddings(batch.ids).to(places.dtype)
        normed: Tensor = self.LayerNorm(words + self.token_type_embeddings.weight[0] + places)
        return normed


class _Encoder(nn.Module):
    def __init__(self, layers: Sequence[_Layer]) -> None:
        super().__init__()
        self.layer = nn.ModuleList(layers)

    def forward(self, x: Tensor, batch: PackedBatch) -> Tensor:
        for layer in self.layer:
            batch.pause()
            x = layer(x, batch)
        return x


class Bert(nn.Module):
    """Token ids to hidden states. Module names are the checkpoint's; `first` is the position of a first token."""

    def __init__(
        self,
        *,
        sizes: tuple[int, int, int],
        width: int,
        layers: int,
        heads: int,
        inner: int,
        eps: float,
        activation: _Activation,
        first: int,
    ) -> None:
        super().__init__()
        vocabulary, positions, types = sizes
        self.embeddings = _Embeddings(vocabulary, positions, types, width, eps, first)
        self.encoder = _Encoder([_Layer(width, heads, inner, eps, activation=activation) for _ in range(layers)])

    def forward(self, texts: Sequence[Sequence[int]], pause: Pause) -> list[Tensor]:
        """One [tokens, width] a text, in the order given."""
        batch = pack(texts, pause, self.embeddings.LayerNorm.weight.device)
        return batch.texts(self.encoder(self.embeddings(batch), batch))


def _first(files: ModelFiles) -> int:
    """RoBERTa's kind counts positions from the padding id + 1 on, so the rows before are never used."""
    if files.config.get("model_type") == "bert":
        return 0
    padding = files.config.get("pad_token_id")
    return (padding if isinstance(padding, int) else 1) + 1


def max_tokens(files: ModelFiles) -> int:
    """The longest input, in tokens, that the position table and the model's own settings allow."""
    table = files.number("max_position_embeddings") - _first(files)
    return min(table, files.max_seq_length or table)


def architecture(files: ModelFiles) -> Architecture:
    """The Bert that config.json describes. Raises ModelRefused when it asks for other formulas."""
    kind, config = str(files.config.get("model_type")), files.config
    positions, activation = config.get("position_embedding_type", "absolute"), config.get("hidden_act", "gelu")
    if positions != "absolute":
        raise ModelRefused(
            f"config.json in {files.folder} says position_embedding_type = {positions!r}: a relative of BERT whose "
            "formulas are not a plain BERT's."
        )
    if activation not in _ACTIVATIONS:
        raise ModelRefused(
            f"config.json in {files.folder} says hidden_act = {activation!r}; known are {', '.join(_ACTIVATIONS)}."
        )
    width, heads = files.number("hidden_size"), files.number("num_attention_heads")
    if width % heads:
        raise ModelRefused(f"config.json in {files.folder}: hidden_size {width} cannot be split into {heads} heads.")
    build = partial(
        Bert,
        sizes=(files.number("vocab_size"), files.number("max_position_embeddings"), files.number("type_vocab_size")),
        width=width,
        layers=files.number("num_hidden_layers"),
        heads=heads,
        inner=files.number("intermediate_size"),
        eps=float(config.get("layer_norm_eps", 1e-12)),
        activation=_ACTIVATIONS[str(activation)],
        first=_first(files),
    )
    prefix = "bert." if kind == "bert" else "roberta."
    return Architecture(build=build, name=f"a {kind} model", prefix=prefix, unused=_UNUSED)
