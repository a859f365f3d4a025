"""Weights from a folder into a module, by exact names and shapes or not at all. Nothing is drawn at random, ever."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import safe_open
from torch import Tensor, nn

from embserver.failures import ModelRefused
from embserver.modelfiles import WEIGHTS, ModelFiles, faults_told
from embserver.wordvectors import WordVectors, readable

__all__ = ["Architecture", "check", "filled", "table"]

_WORDS = "word_embeddings"
_MATRIX = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Architecture:
    """What a folder's weights are to fill: the module of `build`. Their names may carry `prefix`; those that begin with
    one of `unused` are passed over. `name` is for people."""

    build: Callable[[], nn.Module]
    name: str
    prefix: str
    unused: tuple[str, ...]


def table(rows: int, width: int) -> nn.Embedding:
    """Vectors that are looked up by row, for a module of `Architecture.build`.

    nn.Embedding's own constructor draws them, for which torch loads its compiler where nothing is allocated: a second,
    and 70 MB that stay.
    """
    return nn.Embedding(rows, width, _weight=torch.empty(rows, width))


def check(files: ModelFiles, architecture: Architecture) -> None:
    """Whether `filled` would succeed, told without loading a weight. Raises ModelRefused, naming them, when tensors are
    missing, left over or of another shape."""
    _skeleton(files, architecture)


def filled(files: ModelFiles, architecture: Architecture, device: torch.device) -> nn.Module:
    """The module with the folder's weights as float32 on the CPU, mapped from the file where it has that. What is meant
    to compute there, too, reads its word vectors from the file. Raises ModelRefused as `check` does."""
    model = _skeleton(files, architecture)
    stored = {_present(name, architecture.prefix): name for name in files.shapes}
    weights: dict[str, Tensor] = {}
    for name in model.state_dict():
        tensor = _mapped(files.folder / WEIGHTS, stored[name])
        module = name.rpartition(".")[0]
        if not module.endswith(_WORDS):
            # Small ones are copied: what is mapped for a few numbers would stay mapped with them.
            weights[name] = tensor.to(torch.float32, copy=tensor.dim() < _MATRIX or "embeddings." in name)
        elif device.type == "cpu" and readable():
            model.set_submodule(module, WordVectors(files.folder / WEIGHTS, stored[name], tensor))
        else:
            # Widened once looked up: half the memory where the file holds half precision.
            weights[name] = tensor
    model.load_state_dict(weights, strict=True, assign=True)
    return model.eval().requires_grad_(requires_grad=False)


def _mapped(file: Path, name: str) -> Tensor:
    """In a mapping of its own, which goes, with what was read of it, when somebody lays the weight out anew."""
    with safe_open(file, framework="pt") as opened:
        tensor: Tensor = opened.get_tensor(name)
    return tensor


def _skeleton(files: ModelFiles, architecture: Architecture) -> nn.Module:
    # On "meta" nothing is allocated or drawn: a tensor that is not loaded cannot exist by accident.
    with torch.device("meta"):
        model = architecture.build()
    prefix = architecture.prefix
    expected = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    found = {_present(name, prefix): shape for name, shape in files.shapes.items()}
    both = found.keys() & expected.keys()
    faults = {
        "missing": expected.keys() - found.keys(),
        "left over": [name for name in found if name not in expected and not name.startswith(architecture.unused)],
        "of another shape": [
            f"{name} {found[name]} instead of {expected[name]}" for name in both if found[name] != expected[name]
        ],
        f"there with and without the prefix {prefix}": [
            name for name in files.shapes if name.startswith(prefix) and name.removeprefix(prefix) in files.shapes
        ],
    }
    if told := faults_told(faults):
        raise ModelRefused(
            f"{files.folder / WEIGHTS} is not a whole checkpoint of {architecture.name}. Tensors {told}."
        )
    return model


def _present(name: str, prefix: str) -> str:
    """A tensor's name as modules have it: without the pretraining model's prefix, the norms' names not the old ones."""
    return (
        name.removeprefix(prefix)
        .replace("LayerNorm.gamma", "LayerNorm.weight")
        .replace("LayerNorm.beta", "LayerNorm.bias")
    )
