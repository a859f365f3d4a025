"""Linear layers whose weights lie as oneDNN's matrix product wants them, laid out once instead of at every call.

torch's own product lays them out at every call, which for a search's dozen rows takes longer than the product. The
values are those of the plain layers but for the last digit. Where it was not measured, or this machine's torch does not
have it, layers stay as they are.
"""

import platform
from collections.abc import Callable
from typing import Protocol, runtime_checkable

import torch
import torch.nn.functional as F  # noqa: N812 - the name everybody knows it by
from torch import Tensor, nn

__all__ = ["Fusible", "PrepackedLinear", "available", "prepack"]

# One layout serves all: those for 16 and for 1024 rows are the same.
_ROWS = 512
_PROCESSORS = ("x86_64", "amd64")


@runtime_checkable
class Fusible(Protocol):
    """A module whose layers can be computed in fewer steps where weights are laid out."""

    def fused(self) -> nn.Module | None:
        """What computes the same with `PrepackedLinear`s; None where its layers have become something else."""


class PrepackedLinear(nn.Module):
    """A linear layer [rows, in] -> [rows, out] in the type of its weight [out, in], on the processor, and the
    `activation` that follows it: "none", "relu", or "gelu", of which `variant` may be "tanh"."""

    def __init__(
        self, weight: Tensor, bias: Tensor | None = None, *, activation: str = "none", variant: str = "none"
    ) -> None:
        super().__init__()
        self._weight: Tensor = torch.ops.mkldnn._reorder_linear_weight(weight.detach(), _ROWS)  # noqa: SLF001 - torch's compiler reaches it so
        self._bias = None if bias is None else bias.detach()
        self._after: tuple[str, list[float], str] = (activation, [], variant)

    def forward(self, x: Tensor) -> Tensor:
        """[rows, out] for [rows, in]."""
        out: Tensor = torch.ops.mkldnn._linear_pointwise(x, self._weight, self._bias, *self._after)  # noqa: SLF001 - the same
        return out

    def times(self, x: Tensor, factor: Tensor) -> Tensor:
        """The layer's product alone, times `factor` [rows, out]."""
        out: Tensor = torch.ops.mkldnn._linear_pointwise.binary(x, factor, self._weight, self._bias, "mul")  # noqa: SLF001 - the same
        return out


def available(dtype: torch.dtype) -> bool:
    """Whether this machine has it for the type, and gets it right."""
    if platform.machine().lower() not in _PROCESSORS or not torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]  # torch left it out
        return False
    generator = torch.Generator().manual_seed(0)
    linear = nn.Linear(96, 40, dtype=dtype)
    x = torch.randn(20, 96, generator=generator).to(dtype)
    try:
        with torch.inference_mode():
            plain = F.linear(x, linear.weight, linear.bias)
            laid_out = PrepackedLinear(linear.weight, linear.bias)
            gelu = PrepackedLinear(linear.weight, linear.bias, activation="gelu")
            pairs = ((laid_out(x), plain), (gelu(x), F.gelu(plain)), (laid_out.times(x, plain), plain * plain))
            return all(torch.allclose(got, due, atol=1e-2, rtol=1e-2) for got, due in pairs)
    except (AttributeError, RuntimeError, NotImplementedError):
        return False  # a torch without it


def prepack(model: nn.Module) -> None:
    """Replace every `Fusible` and every linear layer of the model, in place, where that is `available`."""
    first = next((module for module in model.modules() if isinstance(module, nn.Linear)), None)
    if first is None or not available(first.weight.dtype):
        return
    with torch.inference_mode():
        _replace(model, lambda module: module.fused() if isinstance(module, Fusible) else None)
        _replace(
            model, lambda module: PrepackedLinear(module.weight, module.bias) if isinstance(module, nn.Linear) else None
        )


def _replace(model: nn.Module, by: Callable[[nn.Module], nn.Module | None]) -> None:
    # From a list that shrinks: a layer's own weight goes before the next one is laid out.
    modules = list(model.named_modules())[1:]
    while modules:
        name, module = modules.pop()
        new = by(module)
        if new is not None:
            parent, _, child = name.rpartition(".")
            setattr(model.get_submodule(parent), child, new)
