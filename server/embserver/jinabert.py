"""The architecture of jina-embeddings-v2-base-code ("qk-post-norm" JinaBERT), from its formulas and tensor names.

Texts are packed end to end: every layer works on [tokens, width], and only attention looks at texts one length at a
time, so there is no padding and a vector does not depend on its neighbours in the batch. Code from a model repository
is never run, and weights are accepted only when every name and shape is exactly as expected.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import torch
import torch.nn.functional as F  # noqa: N812 - the name everybody knows it by
from safetensors.torch import load_file
from torch import Tensor, nn

from embserver import alibi
from embserver.encoder import Pause
from embserver.failures import ModelRefused
from embserver.modelfiles import WEIGHTS, ModelFiles, faults_told

__all__ = ["JinaBert", "check", "load"]

_PREFIX = "bert."
# The released file carries the pretraining's pooler; mean pooling has no use for it.
_UNUSED = ("pooler.dense.weight", "pooler.dense.bias")
_FIXED = {"position_embedding_type": "alibi", "feed_forward_type": "geglu", "hidden_act": "gelu", "emb_pooler": "mean"}
_ROWS = 1024


@dataclass(frozen=True, slots=True)
class _Group:
    """Texts of one length that lie side by side in the packed rows."""

    start: int
    texts: int
    length: int
    bias: Tensor


class _SelfAttention(nn.Module):
    def __init__(self, width: int, heads: int, eps: float) -> None:
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value = (nn.Linear(width, width) for _ in range(3))
        self.layer_norm_q, self.layer_norm_k = (nn.LayerNorm(width, eps) for _ in range(2))

    def forward(self, x: Tensor, groups: Sequence[_Group]) -> Tensor:
        # The norms span the whole width: they come before the split into heads.
        query, key, value = self.layer_norm_q(self.query(x)), self.layer_norm_k(self.key(x)), self.value(x)
        context = torch.empty_like(x)
        for group in groups:
            rows = slice(group.start, group.start + group.texts * group.length)
            split = [
                part[rows].view(group.texts, group.length, self.heads, -1).transpose(1, 2)
                for part in (query, key, value)
            ]
            mixed = alibi.attention(split[0], split[1], split[2], group.bias)
            context[rows] = mixed.transpose(1, 2).reshape(-1, x.shape[1])
        return context


class _Output(nn.Module):
    def __init__(self, width: int, eps: float) -> None:
        super().__init__()
        self.dense = nn.Linear(width, width)
        self.LayerNorm = nn.LayerNorm(width, eps)

    def forward(self, context: Tensor, x: Tensor) -> Tensor:
        normed: Tensor = self.LayerNorm(self.dense(context) + x)
        return normed


class _Attention(nn.Module):
    def __init__(self, width: int, heads: int, eps: float) -> None:
        super().__init__()
        self.self = _SelfAttention(width, heads, eps)
        self.output = _Output(width, eps)

    def forward(self, x: Tensor, groups: Sequence[_Group]) -> Tensor:
        added: Tensor = self.output(self.self(x, groups), x)
        return added


class _GatedMlp(nn.Module):
    def __init__(self, width: int, inner: int) -> None:
        super().__init__()
        self.up_gated_layer = nn.Linear(width, 2 * inner, bias=False)
        self.down_layer = nn.Linear(inner, width)

    def forward(self, x: Tensor) -> Tensor:
        # In row chunks, because the inner values are eight times as wide as the rows.
        return torch.cat([self._rows(rows) for rows in torch.split(x, _ROWS)])

    def _rows(self, x: Tensor) -> Tensor:
        up, gate = self.up_gated_layer(x).chunk(2, dim=-1)
        down: Tensor = self.down_layer(up * F.gelu(gate))
        return down


class _Layer(nn.Module):
    def __init__(self, width: int, heads: int, inner: int, eps: float) -> None:
        super().__init__()
        self.attention = _Attention(width, heads, eps)
        self.layer_norm_1, self.layer_norm_2 = (nn.LayerNorm(width, eps) for _ in range(2))
        self.mlp = _GatedMlp(width, inner)

    def forward(self, x: Tensor, groups: Sequence[_Group]) -> Tensor:
        # x is added twice: within the attention's own norm, and once more here.
        h = self.layer_norm_1(x + self.attention(x, groups))
        out: Tensor = self.layer_norm_2(h + self.mlp(h))
        return out


class _Embeddings(nn.Module):
    def __init__(self, vocabulary: int, types: int, width: int, eps: float) -> None:
        super().__init__()
        self.word_embeddings = nn.Embedding(vocabulary, width)
        self.token_type_embeddings = nn.Embedding(types, width)
        self.LayerNorm = nn.LayerNorm(width, eps)

    def forward(self, ids: Tensor) -> Tensor:
        normed: Tensor = self.LayerNorm(self.word_embeddings(ids) + self.token_type_embeddings.weight[0])
        return normed


class _Encoder(nn.Module):
    def __init__(self, layers: Iterable[_Layer]) -> None:
        super().__init__()
        self.layer = nn.ModuleList(layers)

    def forward(self, x: Tensor, groups: Sequence[_Group], pause: Pause) -> Tensor:
        for layer in self.layer:
            pause()
            x = layer(x, groups)
        return x


class JinaBert(nn.Module):
    """Token ids to hidden states. Module names are the checkpoint's."""

    def __init__(
        self, *, vocabulary: int, types: int, width: int, layers: int, heads: int, inner: int, eps: float
    ) -> None:
        super().__init__()
        self.heads = heads
        self.embeddings = _Embeddings(vocabulary, types, width, eps)
        self.encoder = _Encoder(_Layer(width, heads, inner, eps) for _ in range(layers))

    def forward(self, batch: Sequence[Sequence[int]], pause: Pause) -> list[Tensor]:
        """One [tokens, width] a text, in the order given."""
        like = self.embeddings.word_embeddings.weight
        order = sorted(range(len(batch)), key=lambda index: len(batch[index]))
        lengths = [len(batch[index]) for index in order]
        ids = torch.tensor([token for index in order for token in batch[index]], device=like.device)
        packed = self.encoder(self.embeddings(ids), self._groups(lengths, like), pause)
        states = dict(zip(order, torch.split(packed, lengths), strict=True))
        return [states[index] for index in range(len(batch))]

    def _groups(self, lengths: Sequence[int], like: Tensor) -> list[_Group]:
        slope = torch.tensor(alibi.slopes(self.heads), device=like.device, dtype=like.dtype)
        groups, start = [], 0
        for length, texts in ((length, len(list(same))) for length, same in groupby(lengths)):
            groups.append(_Group(start, texts, length, alibi.distances(slope, length)))
            start += texts * length
        return groups


def check(files: ModelFiles) -> None:
    """Whether the folder is this architecture and whole, told without loading a weight.

    Raises ModelRefused when config.json says something else than the formulas here, or any tensor is missing, left
    over or of another shape; the message names it.
    """
    _skeleton(files)


def load(files: ModelFiles) -> JinaBert:
    """The model with the folder's weights, as float32 on the CPU. Raises ModelRefused as `check` does."""
    model = _skeleton(files)
    loaded = {name.removeprefix(_PREFIX): tensor for name, tensor in load_file(files.folder / WEIGHTS).items()}
    weights = {name: loaded[name].to(torch.float32) for name in model.state_dict()}
    model.load_state_dict(weights, strict=True, assign=True)
    return model.eval().requires_grad_(requires_grad=False)


def _skeleton(files: ModelFiles) -> JinaBert:
    for key, expected in _FIXED.items():
        if files.config.get(key, expected) != expected:
            raise ModelRefused(
                f"config.json in {files.folder} says {key} = {files.config[key]!r}; the JinaBERT code architecture "
                f"has {expected!r}, so this is another model."
            )
    width, heads = files.number("hidden_size"), files.number("num_attention_heads")
    if width % heads:
        raise ModelRefused(f"config.json in {files.folder}: hidden_size {width} cannot be split into {heads} heads.")
    # On "meta" nothing is allocated or drawn at random: a tensor that is not loaded cannot exist by accident.
    with torch.device("meta"):
        model = JinaBert(
            vocabulary=files.number("vocab_size"),
            types=files.number("type_vocab_size"),
            width=width,
            layers=files.number("num_hidden_layers"),
            heads=heads,
            inner=files.number("intermediate_size"),
            eps=float(files.config.get("layer_norm_eps", 1e-12)),
        )
    expected_shapes = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    _check_tensors(files, expected_shapes)
    return model


def _check_tensors(files: ModelFiles, expected: Mapping[str, tuple[int, ...]]) -> None:
    found = {name.removeprefix(_PREFIX): shape for name, shape in files.shapes.items()}
    both = found.keys() & expected.keys()
    faults = {
        "missing": [name for name in expected if name not in found],
        "left over": [name for name in found if name not in expected and name not in _UNUSED],
        "of another shape": [
            f"{name} {found[name]} instead of {expected[name]}" for name in both if found[name] != expected[name]
        ],
        "there with and without the prefix bert.": [
            name for name in files.shapes if name.startswith(_PREFIX) and name.removeprefix(_PREFIX) in files.shapes
        ],
    }
    if told := faults_told(faults):
        raise ModelRefused(
            f"{files.folder / WEIGHTS} is not a whole checkpoint of the JinaBERT code architecture. Tensors {told}."
        )
