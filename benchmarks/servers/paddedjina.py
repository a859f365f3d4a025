"""The JinaBERT code architecture as a plain batch, every text padded to the longest: what the peers compute with.

It shares nothing with the server's own module: no packing, and ALiBi as the matrix that it is in the paper.
"""

import json
import math
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor
from torch.nn import functional

__all__ = ["PaddedJina"]


def _slopes(heads: int) -> Tensor:
    """One slope a head [heads, 1, 1]: powers of two, then those half-way between."""
    whole = 2 ** math.floor(math.log2(heads))
    between = [2 ** (-4 * (2 * extra + 1) / whole) for extra in range(heads - whole)]
    return torch.tensor([2 ** (-8 * (head + 1) / whole) for head in range(whole)] + between).view(heads, 1, 1)


class PaddedJina(torch.nn.Module):
    """Ids and mask [texts, longest] in, unit vectors [texts, width] out, in float32."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        self.layers, self.heads = int(config["num_hidden_layers"]), int(config["num_attention_heads"])
        self.weights = load_file(folder / "model.safetensors")
        self.slopes = _slopes(self.heads)

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Embed one padded batch; `mask` is 1 where there is a token and 0 where there is padding."""
        words = functional.embedding(ids, self.weights["embeddings.word_embeddings.weight"])
        x = self._norm(words + self.weights["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm")
        positions = torch.arange(ids.shape[1])
        distance = (positions[None, :] - positions[:, None]).abs()
        bias = (-self.slopes * distance)[None] + (1.0 - mask[:, None, None, :].float()) * -1e9
        for layer in range(self.layers):
            x = self._block(x, bias, f"encoder.layer.{layer}")
        weight = mask[:, :, None].float()
        return functional.normalize((x * weight).sum(1) / weight.sum(1), dim=-1)

    def _block(self, x: Tensor, bias: Tensor, root: str) -> Tensor:
        own = f"{root}.attention.self"
        query = self._norm(self._linear(x, f"{own}.query"), f"{own}.layer_norm_q")
        key = self._norm(self._linear(x, f"{own}.key"), f"{own}.layer_norm_k")
        parts = [self._split(rows) for rows in (query, key, self._linear(x, f"{own}.value"))]
        context = functional.scaled_dot_product_attention(parts[0], parts[1], parts[2], attn_mask=bias)
        joined = context.transpose(1, 2).reshape(x.shape)
        output = f"{root}.attention.output"
        attended = self._norm(self._linear(joined, f"{output}.dense") + x, f"{output}.LayerNorm")
        h = self._norm(x + attended, f"{root}.layer_norm_1")
        up, gate = self._linear(h, f"{root}.mlp.up_gated_layer").chunk(2, dim=-1)
        down = self._linear(up * functional.gelu(gate), f"{root}.mlp.down_layer")
        return self._norm(h + down, f"{root}.layer_norm_2")

    def _split(self, rows: Tensor) -> Tensor:
        return rows.view(rows.shape[0], rows.shape[1], self.heads, -1).transpose(1, 2)

    def _linear(self, x: Tensor, name: str) -> Tensor:
        return functional.linear(x, self.weights[f"{name}.weight"], self.weights.get(f"{name}.bias"))

    def _norm(self, x: Tensor, name: str) -> Tensor:
        weight, bias = self.weights[f"{name}.weight"], self.weights[f"{name}.bias"]
        return functional.layer_norm(x, weight.shape, weight, bias, 1e-12)
