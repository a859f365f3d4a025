"""From the states of a text's tokens to its vector: the pooling, and the dense layers that some models put after it."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
import torch.nn.functional as F  # noqa: N812 - the name everybody knows it by
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from embserver.failures import ModelRefused
from embserver.modelfiles import WEIGHTS, ModelFiles, Pooling

__all__ = ["Head", "load"]

_ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {"Identity": lambda x: x, "Tanh": torch.tanh}


class _Dense(nn.Module):
    def __init__(self, weight: Tensor, bias: Tensor | None, activation: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.weight = nn.Parameter(weight, requires_grad=False)
        self.bias = None if bias is None else nn.Parameter(bias, requires_grad=False)
        self.activation = activation

    def forward(self, x: Tensor) -> Tensor:
        return self.activation(F.linear(x, self.weight, self.bias))


class Head(nn.Module):
    """Pools and projects in float32, whatever the states are."""

    def __init__(self, pooling: Pooling, dense: Sequence[nn.Module], dimension: int) -> None:
        super().__init__()
        self.pooling = pooling
        self.dense = nn.Sequential(*dense)
        self.dimension = dimension

    def forward(self, texts: Sequence[Tensor]) -> Tensor:
        """Unit vectors [texts, dimension] for the states [tokens, width] of each text."""
        pooled = torch.stack([self._pool(rows) for rows in texts])
        return F.normalize(self.dense(pooled), dim=-1)

    def _pool(self, rows: Tensor) -> Tensor:
        match self.pooling:
            case Pooling.CLS:
                return rows[0].float()
            case Pooling.LAST:
                return rows[-1].float()
            case Pooling.MEAN:
                return rows.mean(dim=0, dtype=torch.float32)


def load(files: ModelFiles) -> Head:
    """The head that the folder asks for. Raises ModelRefused, naming the file, where it cannot be computed as asked."""
    dense: list[_Dense] = []
    width = files.number("hidden_size")
    for folder in files.dense:
        dense.append(_dense(folder, width))
        width = dense[-1].weight.shape[0]
    return Head(files.pooling, dense, width)


def _dense(folder: Path, width: int) -> _Dense:
    try:
        said = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        weights = {name: tensor.float() for name, tensor in load_file(folder / WEIGHTS).items()}
        activation = str(said.get("activation_function", "torch.nn.modules.activation.Tanh")).rpartition(".")[2]
    except (OSError, ValueError, AttributeError, SafetensorError) as error:
        raise ModelRefused(f"The dense layer in {folder} cannot be read: {error}") from error
    weight, bias = weights.pop("linear.weight", None), weights.pop("linear.bias", None)
    if weight is None or weights or weight.dim() != 2 or weight.shape[1] != width:  # noqa: PLR2004 - a matrix
        raise ModelRefused(f"{folder / WEIGHTS} is not a dense layer on {width} values.")
    if bias is not None and bias.shape != weight.shape[:1]:
        raise ModelRefused(f"{folder / WEIGHTS} has a bias {tuple(bias.shape)} for {weight.shape[0]} values.")
    if activation not in _ACTIVATIONS:
        raise ModelRefused(f"{folder / 'config.json'} asks for the activation {activation}, not computed here.")
    return _Dense(weight, bias, _ACTIVATIONS[activation])
