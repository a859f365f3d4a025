"""8-bit products: exact integers, a scale a row, and never a kernel that this machine gets wrong."""

from collections.abc import Callable

import pytest
import torch
from torch import nn

from embserver import rowq
from embserver.failures import StartFailed
from embserver.rowq import Kernel, Kernels, RowQLinear


def by_hand(linear: nn.Linear, x: torch.Tensor, moved: torch.Tensor, levels: int) -> torch.Tensor:
    """The formulas, element by element where it matters, in float64."""
    weight, rows = linear.weight.double() * moved.double(), x.double() / moved.double()
    channel = weight.abs().amax(1, keepdim=True) / levels
    row = rows.abs().amax(1, keepdim=True) / 127
    sums = (rows / row).round() @ (weight / channel).round().T
    return sums * row * channel.T + (0 if linear.bias is None else linear.bias.double())


def counting(calls: list[str], name: str) -> Kernel:
    def multiply(rows: torch.Tensor, packed: torch.Tensor) -> torch.Tensor:
        calls.append(name)
        return (rows.float() - 128) @ packed.T

    return Kernel(name, 127, lambda weights, scales: weights * scales[:, None], multiply)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("rows", [1, 16, 17, 300])
@torch.inference_mode()
def test_a_layer_computes_the_formulas(rows: int, bias: bool) -> None:
    torch.manual_seed(rows)
    linear = nn.Linear(96, 40, bias=bias)
    kernels = rowq.choose()
    x = torch.randn(rows, 96) * torch.logspace(-3, 3, rows)[:, None]
    moved = torch.rand(96) + 0.5

    got = RowQLinear(linear, kernels, moved)(x)

    kernel = kernels.few if rows <= 16 else kernels.many
    expected = by_hand(linear, x, moved, kernel.levels)
    # A value half-way between two levels may be rounded either way in the other precision: one level of 127.
    tolerance = 2 * ((x / moved).abs().amax(1, keepdim=True) / 127) * (linear.weight * moved).abs().max()
    assert ((got - expected).abs() <= tolerance + 1e-5).all()
    assert (got - expected).abs().median() <= 1e-5 * expected.abs().median() + 1e-6


# torch means to retire what fbgemm is reached by, and says so once in a process.
@pytest.mark.filterwarnings("ignore:.*quantized tensor creation functions:UserWarning")
@pytest.mark.parametrize("maker", [rowq._onednn, rowq._fbgemm])
@torch.inference_mode()
def test_a_kernel_gives_the_exact_sums_times_the_channels_scales(maker: Callable[[int], Kernel]) -> None:
    if maker(127).name not in torch.backends.quantized.supported_engines:
        pytest.skip("this machine's torch does not have the library")
    kernel = rowq._exact(maker)
    assert kernel is not None
    rows = torch.randint(1, 256, (20, 64), dtype=torch.uint8)
    weights = torch.randint(-kernel.levels, kernel.levels + 1, (40, 64), dtype=torch.int8)
    scales = torch.logspace(-6, 2, 40)

    got = kernel.multiply(rows, kernel.pack(weights, scales))

    sums = (rows.double() - 128) @ weights.double().T
    torch.testing.assert_close(got.double(), sums * scales.double(), rtol=1e-6, atol=0)


@torch.inference_mode()
def test_a_loud_channel_does_not_drown_the_others() -> None:
    torch.manual_seed(0)
    linear, x = nn.Linear(64, 64), torch.randn(50, 64)
    x[:, 7] *= 300
    exact, kernels = linear(x), rowq.choose()

    def error(moved: torch.Tensor) -> float:
        return float((RowQLinear(linear, kernels, moved)(x) - exact).norm() / exact.norm())

    assert error(rowq.smoothing(linear, x.abs().amax(0))) < error(torch.ones(64)) / 5


@torch.inference_mode()
def test_a_channel_that_was_silent_in_the_calibration_may_be_as_loud_as_the_others() -> None:
    torch.manual_seed(0)
    linear, x = nn.Linear(64, 64), torch.randn(50, 64)
    peaks = x.abs().amax(0)
    peaks[7] = 0
    exact = linear(x)

    got = RowQLinear(linear, rowq.choose(), rowq.smoothing(linear, peaks))(x)

    assert (got - exact).norm() / exact.norm() < 0.02


@torch.inference_mode()
def test_the_peaks_are_those_of_all_texts_and_the_model_is_left_as_it_was() -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    first, second = torch.randn(5, 3), torch.randn(7, 3)
    inner = torch.cat([model[:2](first), model[:2](second)])

    peaks = rowq.input_peaks(model, lambda: (model(first), model(second)))

    assert set(peaks) == {"0", "2"}
    assert torch.equal(peaks["0"], torch.cat([first, second]).abs().amax(0))
    torch.testing.assert_close(peaks["2"], inner.abs().amax(0))
    assert not any(module._forward_pre_hooks for module in model.modules())


@torch.inference_mode()
def test_a_row_does_not_depend_on_its_neighbours() -> None:
    linear = RowQLinear(nn.Linear(64, 64), rowq.choose(), torch.ones(64))
    row, loud = torch.randn(1, 64), torch.randn(40, 64) * 1000

    torch.testing.assert_close(linear(torch.cat([loud, row]))[-1:], linear(torch.cat([row] * 41))[:1], rtol=0, atol=0)


@torch.inference_mode()
def test_rows_and_channels_of_zeros_stay_finite() -> None:
    linear = nn.Linear(8, 3)
    linear.weight.zero_()

    assert torch.equal(
        RowQLinear(linear, rowq.choose(), rowq.smoothing(linear, torch.zeros(8)))(torch.zeros(2, 8)),
        linear.bias.expand(2, 3),
    )


@torch.inference_mode()
def test_few_rows_and_many_are_given_to_the_kernels_chosen_for_them() -> None:
    calls: list[str] = []
    kernels = Kernels(few=counting(calls, "few"), many=counting(calls, "many"))
    linear = RowQLinear(nn.Linear(8, 8), kernels, torch.ones(8))

    for rows in (1, 16, 17):
        linear(torch.ones(rows, 8))

    assert calls == ["few", "few", "many"]


@torch.inference_mode()
def test_a_kernel_that_overflows_gets_fewer_levels_and_one_that_is_always_wrong_is_not_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # As on processors that add two products in 16 bits: beyond 32767 the sum stays at 32767.
    def overflowing(levels: int) -> Kernel:
        def multiply(rows: torch.Tensor, packed: torch.Tensor) -> torch.Tensor:
            high = (
                rows[:, ::2, None].int() * packed.T[None, ::2].int()
                + rows[:, 1::2, None].int() * packed.T[None, 1::2].int()
            )
            return high.clamp(-32768, 32767).sum(1).float() - 128 * packed.sum(1)

        return Kernel("overflowing", levels, lambda weights, _: weights, multiply)

    def small(levels: int, count: int) -> tuple[torch.Tensor, torch.Tensor]:
        return torch.full((count, 8), 255, dtype=torch.uint8), torch.full((4, 8), levels, dtype=torch.int8)

    monkeypatch.setattr(rowq, "_samples", small)
    monkeypatch.setattr(rowq, "_onednn", overflowing)
    monkeypatch.setattr(
        rowq, "_fbgemm", lambda levels: Kernel("wrong", levels, lambda w, _: w, lambda r, w: r.float() @ w.float().T)
    )

    chosen = rowq.choose()

    assert (chosen.many.name, chosen.many.levels) == ("overflowing", 63)
    assert chosen.few is chosen.many
    monkeypatch.setattr(rowq, "_onednn", rowq._fbgemm)
    with pytest.raises(StartFailed, match=r"EMBSERVER_PRECISION=int8.*Use float32"):
        rowq.choose()
