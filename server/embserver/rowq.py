"""Matrix products in 8-bit integers: a scale for each row of the activations, one for each channel of the weights.

Because every token has its own scale, a vector does not depend on its neighbours in the batch. Before either is
rounded, what makes single channels of the activations large is moved into the weights, half of it (SmoothQuant, Xiao et
al. 2023): a row with one large value would leave few levels to the others. Everything that is not a linear layer stays
in float32. CPU only.
"""

import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from embserver.failures import StartFailed

__all__ = ["Kernel", "Kernels", "RowQLinear", "choose", "input_peaks", "quantize", "smoothing"]

_FEW_ROWS, _MANY_ROWS = 16, 512
# Rows of a weight that are rounded at once, for these stay in the processor's cache: a third of the time.
_CHUNK = 256
# On processors without VNNI two products are summed in 16 bits, which 63 levels cannot overflow and 127 can.
_LEVELS = (127, 63)
_ROW_LEVELS = 127
_ZERO = 128
_SMALLEST = 1e-30
# Of the median channel: one that was quieter in the calibration may be as loud as that elsewhere.
_QUIET = 0.3
_FLOOR = 1e-5
# A second kernel means a second copy of the weights, so it has to earn it.
_WORTH = 0.8
_REPEATS = 5


@dataclass(frozen=True, slots=True)
class Kernel:
    """One library's integer product. `pack` takes int8 weights [out, in], which use -levels to levels, and the scales
    of the channels [out]; `multiply` takes uint8 rows [rows, in], of which 128 stands for 0, and gives the exact sums
    times the scales as float32 [rows, out]."""

    name: str
    levels: int
    pack: Callable[[Tensor, Tensor], Any]
    multiply: Callable[[Tensor, Any], Tensor]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kernels:
    """The kernel for a search's dozen rows, and that for a batch's hundreds; often the same."""

    few: Kernel
    many: Kernel


class RowQLinear(nn.Module):
    """A linear layer [rows, in] -> [rows, out] with float32 at both ends; its inputs are divided by `moved` [in], its
    weights multiplied."""

    def __init__(self, linear: nn.Linear, kernels: Kernels, moved: Tensor) -> None:
        super().__init__()
        self._inverse = moved.reciprocal()
        chunks = torch.split(linear.weight.detach(), _CHUNK)
        self._peaks = torch.cat([_peaks(_moved(rows, moved), dim=1) for rows in chunks]).clamp_(min=_SMALLEST)
        self._bias = None if linear.bias is None else linear.bias.detach().float()
        self._few = self._packed(chunks, moved, kernels.few)
        self._many = self._few if kernels.many is kernels.few else self._packed(chunks, moved, kernels.many)

    def forward(self, x: Tensor) -> Tensor:
        """[rows, out] for [rows, in]."""
        kernel, packed = self._few if x.shape[0] <= _FEW_ROWS else self._many
        # Few passes, and those in place: beside the product they are what takes the time.
        x = x * self._inverse
        peaks = _peaks(x, dim=-1, keepdim=True).clamp_(min=_SMALLEST)
        rows = x.mul_(_ROW_LEVELS / peaks).round_().to(torch.int8)
        # The sign bit flipped: the same number, counted from 0 instead of -128.
        sums = kernel.multiply(rows.view(torch.uint8).bitwise_xor_(_ZERO), packed)
        return sums.mul_(peaks) if self._bias is None else torch.addcmul(self._bias, sums, peaks, out=sums)

    def _packed(self, chunks: Sequence[Tensor], moved: Tensor, kernel: Kernel) -> tuple[Kernel, Any]:
        scales = torch.split(kernel.levels / self._peaks[:, None], _CHUNK)
        scaled = (_moved(rows, moved).mul_(scale) for rows, scale in zip(chunks, scales, strict=True))
        whole = torch.cat([rows.round_().to(torch.int8) for rows in scaled])
        return kernel, kernel.pack(whole, self._peaks / (kernel.levels * _ROW_LEVELS))


def input_peaks(model: nn.Module, run: Callable[[], object]) -> dict[str, Tensor]:
    """The largest absolute value of each input channel of every linear layer, by the layer's name, while `run` runs the
    model over texts for calibration."""
    peaks: dict[str, Tensor] = {}

    def watch(name: str) -> Callable[[nn.Module, tuple[Tensor, ...]], None]:
        def note(_: nn.Module, inputs: tuple[Tensor, ...]) -> None:
            seen = _peaks(inputs[0], dim=0)
            peaks[name] = torch.maximum(peaks[name], seen) if name in peaks else seen

        return note

    hooks = [linear.register_forward_pre_hook(watch(name)) for name, linear in _linears(model)]
    try:
        run()
    finally:
        for hook in hooks:
            hook.remove()
    return peaks


def smoothing(linear: nn.Linear, peaks: Tensor) -> Tensor:
    """What to move [in] from activations with these peaks [in] into the weights."""
    loud = peaks.clamp(min=max(_QUIET * float(peaks.median()), _FLOOR))
    columns = [_peaks(rows.float(), dim=0) for rows in torch.split(linear.weight.detach(), _CHUNK)]
    return (loud / torch.stack(columns).amax(dim=0).clamp_(min=_FLOOR)).sqrt_()


def quantize(model: nn.Module, kernels: Kernels, peaks: Mapping[str, Tensor]) -> None:
    """Replace every linear layer of the model, in place; `peaks` are those of `input_peaks`."""
    for name, linear in list(_linears(model)):
        parent, _, child = name.rpartition(".")
        setattr(model.get_submodule(parent), child, RowQLinear(linear, kernels, smoothing(linear, peaks[name])))


def _peaks(x: Tensor, *, dim: int, keepdim: bool = False) -> Tensor:
    """The largest absolute values along a dimension; twice read takes less time than once written and read."""
    return torch.maximum(x.amax(dim, keepdim), x.amin(dim, keepdim).neg_())


def _moved(rows: Tensor, moved: Tensor) -> Tensor:
    return rows.float() * moved


def _linears(model: nn.Module) -> Iterator[tuple[str, nn.Linear]]:
    return ((name, module) for name, module in model.named_modules() if isinstance(module, nn.Linear))


def choose() -> Kernels:
    """The fastest kernels, of those that are exact on this machine, with as many threads as this thread has.

    Raises StartFailed where none is.
    """
    with warnings.catch_warnings():
        # torch means to retire what fbgemm is reached by; then that kernel is just not there.
        warnings.filterwarnings("ignore", message=r".*quantized tensor creation functions", category=UserWarning)
        usable = [kernel for maker in (_onednn, _fbgemm) if (kernel := _exact(maker)) is not None]
    if not usable:
        raise StartFailed(
            "EMBSERVER_PRECISION=int8, but torch has no exact 8-bit matrix product on this processor. Use float32."
        )
    many = min(usable, key=lambda kernel: _seconds(kernel, _MANY_ROWS))
    best = min(usable, key=lambda kernel: _seconds(kernel, _FEW_ROWS))
    # The same weights for a search and for a scan, or their vectors would differ by more than the last digits.
    worth = best.levels == many.levels and _seconds(best, _FEW_ROWS) < _WORTH * _seconds(many, _FEW_ROWS)
    return Kernels(few=best if worth else many, many=many)


def _exact(maker: Callable[[int], Kernel]) -> Kernel | None:
    """The kernel with the most levels that it does not get wrong, at the extremes and in between."""
    for levels in _LEVELS:
        try:
            kernel = maker(levels)
            if all(_is_exact(kernel, rows) for rows in (1, _FEW_ROWS, _MANY_ROWS)):
                return kernel
        except (AttributeError, RuntimeError, NotImplementedError):
            # A torch, or a processor, without this library.
            return None
    return None


def _is_exact(kernel: Kernel, count: int) -> bool:
    rows, weights = _samples(kernel.levels, count)
    # Whole numbers below 2**53, so float64 has the sums exactly; float32 has them to its last digit.
    expected = (rows.double() - _ZERO) @ weights.double().T
    sums = kernel.multiply(rows, kernel.pack(weights, torch.ones(len(weights))))
    return bool(torch.allclose(sums.double(), expected, rtol=1e-6, atol=0))


def _samples(levels: int, count: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    rows = torch.randint(1, 256, (count, 768), generator=generator, dtype=torch.uint8)
    weights = torch.randint(-levels, levels + 1, (1536, 768), generator=generator, dtype=torch.int8)
    rows[0], weights[0], weights[1] = 255, levels, -levels
    return rows, weights


def _seconds(kernel: Kernel, count: int) -> float:
    rows, weights = _samples(kernel.levels, count)
    packed = kernel.pack(weights, torch.ones(len(weights)))
    return min(_timed(kernel, rows, packed) for _ in range(_REPEATS))


def _timed(kernel: Kernel, rows: Tensor, packed: object) -> float:
    began = time.perf_counter()
    kernel.multiply(rows, packed)
    return time.perf_counter() - began


@contextmanager
def _engine(name: str) -> Iterator[None]:
    """Torch packs weights for the engine that the whole process is set to."""
    before = torch.backends.quantized.engine
    torch.backends.quantized.engine = name
    try:
        yield
    finally:
        torch.backends.quantized.engine = before


def _onednn(levels: int) -> Kernel:
    def pack(weights: Tensor, scales: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        zeros = torch.zeros(len(weights), dtype=torch.int64)
        return torch.ops.onednn.qlinear_prepack(weights, None), scales, zeros

    def multiply(rows: Tensor, packed: tuple[Tensor, Tensor, Tensor]) -> Tensor:
        out: Tensor = torch.ops.onednn.qlinear_pointwise(
            rows, 1.0, _ZERO, *packed, None, 1.0, 0, torch.float32, "none", [], ""
        )
        return out

    return Kernel("onednn", levels, pack, multiply)


def _fbgemm(levels: int) -> Kernel:
    def pack(weights: Tensor, scales: Tensor) -> Any:
        zeros = torch.zeros(len(weights), dtype=torch.int64)
        whole = torch._make_per_channel_quantized_tensor(weights, scales, zeros, 0)  # noqa: SLF001 - there is no other
        with _engine("fbgemm"):
            return torch.ops.quantized.linear_prepack(whole, None)

    def multiply(rows: Tensor, packed: object) -> Tensor:
        # It quantises its input itself, by the scale 1: whole numbers stay what they are.
        out: Tensor = torch.ops.quantized.linear_with_input_q_dq_qweight_dq_output_fp32(
            rows.float().sub_(_ZERO), 1.0, _ZERO, packed
        )
        return out

    return Kernel("fbgemm", levels, pack, multiply)
