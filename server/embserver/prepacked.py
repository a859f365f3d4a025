"""Linear layers whose weights lie as oneDNN's matrix product wants them, laid out once instead of at every call.

torch's own product lays them out at every call, which for a search's dozen rows takes longer than the product. The
values are those of the plain layers but for the last digit. Where it was not measured, or this machine's torch does not
have it, layers stay as they are.
"""

import platform

import torch
import torch.nn.functional as F  # noqa: N812 - the name everybody knows it by
from torch import Tensor, nn

__all__ = ["PrepackedLinear", "available", "prepack"]

# One layout serves all: those for 16 and for 1024 rows are the same.
_ROWS = 512
_PROCESSORS = ("x86_64", "amd64")


class PrepackedLinear(nn.Module):
    """A linear layer [rows, in] -> [rows, out] in the type of its weight, on the processor."""

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        self._weight: Tensor = torch.ops.mkldnn._reorder_linear_weight(linear.weight.detach(), _ROWS)  # noqa: SLF001 - torch's compiler reaches it so
        self._bias = None if linear.bias is None else linear.bias.detach()

    def forward(self, x: Tensor) -> Tensor:
        """[rows, out] for [rows, in]."""
        out: Tensor = torch.ops.mkldnn._linear_pointwise(x, self._weight, self._bias, "none", [], "")  # noqa: SLF001 - the same
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
            return torch.allclose(PrepackedLinear(linear)(x), F.linear(x, linear.weight, linear.bias), atol=1e-2)
    except (AttributeError, RuntimeError, NotImplementedError):
        return False  # a torch without it


def prepack(model: nn.Module) -> None:
    """Replace every linear layer of the model, in place, where that is `available`."""
    linears = [(name, module) for name, module in model.named_modules() if isinstance(module, nn.Linear)]
    if not linears or not available(linears[0][1].weight.dtype):
        return
    while linears:
        name, linear = linears.pop()
        parent, _, child = name.rpartition(".")
        with torch.inference_mode():
            setattr(model.get_submodule(parent), child, PrepackedLinear(linear))
