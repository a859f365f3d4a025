"""The JinaBERT code architecture once more: slow and obvious, in float64, token by token, straight from its formulas.

It shares nothing with the server's implementation: no torch, no packing, no batch, a bias computed for each pair.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def slope(head: int, heads: int) -> float:
    """The slope of the paper: powers of two for the largest power of two of heads, then those half-way between."""
    whole = 2 ** math.floor(math.log2(heads))
    if head < whole:
        return float(2 ** (-8 * (head + 1) / whole))
    return float(2 ** (-4 * (2 * (head - whole) + 1) / whole))


def embed(ids: Sequence[int], weights: Mapping[str, Array], *, layers: int, heads: int) -> Array:
    """The unit vector of one text."""

    def norm(x: Array, name: str) -> Array:
        centred = x - x.mean()
        scaled: Array = centred / np.sqrt((centred**2).mean() + 1e-12)
        return scaled * weights[f"{name}.weight"] + weights[f"{name}.bias"]

    def linear(x: Array, name: str) -> Array:
        out: Array = weights[f"{name}.weight"] @ x
        return out + weights[f"{name}.bias"] if f"{name}.bias" in weights else out

    words, kinds = weights["embeddings.word_embeddings.weight"], weights["embeddings.token_type_embeddings.weight"]
    tokens = [norm(words[token] + kinds[0], "embeddings.LayerNorm") for token in ids]
    for layer in range(layers):
        root = f"encoder.layer.{layer}"
        attention = f"{root}.attention"
        queries = [norm(linear(x, f"{attention}.self.query"), f"{attention}.self.layer_norm_q") for x in tokens]
        keys = [norm(linear(x, f"{attention}.self.key"), f"{attention}.self.layer_norm_k") for x in tokens]
        values = [linear(x, f"{attention}.self.value") for x in tokens]
        after = []
        for i, x in enumerate(tokens):
            context = np.concatenate(
                [_mix(queries[i], keys, values, i=i, head=head, heads=heads) for head in range(heads)]
            )
            a = norm(linear(context, f"{attention}.output.dense") + x, f"{attention}.output.LayerNorm")
            h = norm(x + a, f"{root}.layer_norm_1")
            both = linear(h, f"{root}.mlp.up_gated_layer")
            up, gate = both[: len(both) // 2], both[len(both) // 2 :]
            down = linear(up * _gelu(gate), f"{root}.mlp.down_layer")
            after.append(norm(h + down, f"{root}.layer_norm_2"))
        tokens = after
    mean = np.mean(tokens, axis=0)
    unit: Array = mean / np.linalg.norm(mean)
    return unit


def embed_in_matrices(ids: Sequence[int], weights: Mapping[str, Array], *, layers: int, heads: int) -> Array:
    """The same for a long text: all tokens at once, one head's matrices after the other."""

    def norm(x: Array, name: str) -> Array:
        centred = x - x.mean(axis=1, keepdims=True)
        scaled: Array = centred / np.sqrt((centred**2).mean(axis=1, keepdims=True) + 1e-12)
        return scaled * weights[f"{name}.weight"] + weights[f"{name}.bias"]

    def linear(x: Array, name: str) -> Array:
        out: Array = x @ weights[f"{name}.weight"].T
        return out + weights.get(f"{name}.bias", 0.0)

    place = np.arange(len(ids))
    words, kinds = weights["embeddings.word_embeddings.weight"], weights["embeddings.token_type_embeddings.weight"]
    x = norm(words[list(ids)] + kinds[0], "embeddings.LayerNorm")
    size = x.shape[1] // heads
    for layer in range(layers):
        root = f"encoder.layer.{layer}"
        own = f"{root}.attention.self"
        query = norm(linear(x, f"{own}.query"), f"{own}.layer_norm_q")
        key = norm(linear(x, f"{own}.key"), f"{own}.layer_norm_k")
        value = linear(x, f"{own}.value")
        context = np.empty_like(x)
        for head in range(heads):
            part = slice(head * size, (head + 1) * size)
            scores = query[:, part] @ key[:, part].T / math.sqrt(size)
            scores -= slope(head, heads) * np.abs(place[:, None] - place)
            shares = np.exp(scores - scores.max(axis=1, keepdims=True))
            context[:, part] = shares @ value[:, part] / shares.sum(axis=1, keepdims=True)
        a = norm(linear(context, f"{root}.attention.output.dense") + x, f"{root}.attention.output.LayerNorm")
        h = norm(x + a, f"{root}.layer_norm_1")
        up, gate = np.split(linear(h, f"{root}.mlp.up_gated_layer"), 2, axis=1)
        active = np.stack([_gelu(row) for row in gate])
        x = norm(h + linear(up * active, f"{root}.mlp.down_layer"), f"{root}.layer_norm_2")
    mean = x.mean(axis=0)
    unit: Array = mean / np.linalg.norm(mean)
    return unit


def _mix(query: Array, keys: list[Array], values: list[Array], *, i: int, head: int, heads: int) -> Array:
    size = len(query) // heads
    part = slice(head * size, (head + 1) * size)
    scores = np.array(
        [query[part] @ key[part] / math.sqrt(size) - slope(head, heads) * abs(i - j) for j, key in enumerate(keys)]
    )
    shares = np.exp(scores - scores.max())
    mixed: Array = sum(
        (share * value[part] for share, value in zip(shares / shares.sum(), values, strict=True)), np.zeros(size)
    )
    return mixed


def _gelu(x: Array) -> Array:
    return np.array([0.5 * value * (1 + math.erf(value / math.sqrt(2))) for value in x])
