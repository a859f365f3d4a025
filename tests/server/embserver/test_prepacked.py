"""Weights laid out once: the same values, in the model's own type, and only where torch has it."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812 - the name everybody knows it by
from torch import nn

from embserver import loading, prepacked
from embserver.catalogue import resolve
from embserver.prepacked import PrepackedLinear
from embserver.settings import Settings
from fakes.jina_checkpoint import Shape, random_weights, write_checkpoint

pytestmark = pytest.mark.skipif(
    not prepacked.available(torch.float32), reason="this processor's torch does not lay weights out"
)


class Doubled(nn.Module):
    """Twice a layer's values, in one step if it may."""

    def __init__(self, *, fusible: bool) -> None:
        super().__init__()
        self.linear = nn.Linear(8, 8, bias=False)
        self.fusible = fusible

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        doubled: torch.Tensor = 2 * self.linear(x)
        return doubled

    def fused(self) -> nn.Module | None:
        return PrepackedLinear(2 * self.linear.weight) if self.fusible else None


class Product:
    """torch's product with weights that were laid out, of which one kind is wrong, or is not there."""

    def __init__(self, wrong: str) -> None:
        self.wrong = wrong

    def __call__(
        self, x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor, after: str, _: list[float], variant: str
    ) -> torch.Tensor:
        if self.wrong == "lacking":
            raise NotImplementedError
        plain = F.linear(x, weight, bias)
        if after == "gelu":
            return plain if self.wrong == "activated" else F.gelu(plain, approximate=variant)
        return torch.zeros_like(plain) if self.wrong == "plain" else plain

    def binary(
        self, x: torch.Tensor, factor: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor, _: str
    ) -> torch.Tensor:
        return F.linear(x, weight, bias) * (1 if self.wrong == "multiplied" else factor)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("rows", [0, 1, 14, 600])
@torch.inference_mode()
def test_a_layer_computes_what_the_plain_one_does(rows: int, bias: bool) -> None:
    torch.manual_seed(rows)
    linear, x = nn.Linear(96, 40, bias=bias), torch.randn(rows, 96)

    torch.testing.assert_close(PrepackedLinear(linear.weight, linear.bias)(x), linear(x), rtol=1e-5, atol=1e-5)


@torch.inference_mode()
def test_rows_that_lie_apart_are_read_where_they_are() -> None:
    torch.manual_seed(0)
    linear, apart = nn.Linear(96, 40), torch.randn(20, 192).chunk(2, dim=-1)[1]

    torch.testing.assert_close(PrepackedLinear(linear.weight, linear.bias)(apart), linear(apart), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("activation", "variant", "plain"),
    [
        ("gelu", "none", F.gelu),
        ("gelu", "tanh", partial(F.gelu, approximate="tanh")),
        ("relu", "none", F.relu),
    ],
)
@torch.inference_mode()
def test_a_layers_activation_is_computed_with_it(
    activation: str, variant: str, plain: Callable[[torch.Tensor], torch.Tensor]
) -> None:
    torch.manual_seed(1)
    linear, x = nn.Linear(96, 40), torch.randn(20, 96)

    layer = PrepackedLinear(linear.weight, linear.bias, activation=activation, variant=variant)

    torch.testing.assert_close(layer(x), plain(linear(x)), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("bias", [True, False])
@torch.inference_mode()
def test_a_layers_values_are_multiplied_by_others_with_it(bias: bool) -> None:
    torch.manual_seed(2)
    linear, x, factor = nn.Linear(96, 40, bias=bias), torch.randn(20, 96), torch.randn(20, 40)

    times = PrepackedLinear(linear.weight, linear.bias).times(x, factor)

    torch.testing.assert_close(times, linear(x) * factor, rtol=1e-5, atol=1e-5)


@torch.inference_mode()
def test_every_linear_layer_of_a_model_is_replaced_and_the_model_computes_the_same() -> None:
    torch.manual_seed(0)
    model, x = nn.Sequential(nn.Linear(8, 16), nn.GELU(), nn.Sequential(nn.Linear(16, 4))), torch.randn(5, 8)
    expected = model(x)

    prepacked.prepack(model)

    assert not any(isinstance(module, nn.Linear) for module in model.modules())
    torch.testing.assert_close(model(x), expected)


@torch.inference_mode()
def test_a_module_that_knows_a_shorter_way_takes_it() -> None:
    model = nn.Sequential(Doubled(fusible=True), Doubled(fusible=False))
    expected = model(torch.ones(1, 8))

    prepacked.prepack(model)

    assert [type(module) for module in model] == [PrepackedLinear, Doubled]
    assert not any(isinstance(module, nn.Linear) for module in model.modules())
    torch.testing.assert_close(model(torch.ones(1, 8)), expected)


@pytest.mark.parametrize("wrong", ["", "plain", "activated", "multiplied", "lacking"])
@torch.inference_mode()
def test_where_torch_gets_one_wrong_or_lacks_it_layers_stay_as_they_are(
    monkeypatch: pytest.MonkeyPatch, wrong: str
) -> None:
    operations = SimpleNamespace(_reorder_linear_weight=lambda weight, _: weight, _linear_pointwise=Product(wrong))
    monkeypatch.setattr(torch.ops, "mkldnn", operations)
    model = nn.Sequential(nn.Linear(8, 8))

    prepacked.prepack(model)

    assert isinstance(model[0], nn.Linear if wrong else PrepackedLinear)


def test_a_model_computes_the_same_where_layers_stay_as_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shape = Shape()
    folder = write_checkpoint(tmp_path, shape, random_weights(shape))
    wanted, settings, texts = resolve(str(folder), ""), Settings(threads=1, device="cpu"), [[5, 6, 7], [8], [9] * 30]
    laid_out = loading.load(folder, "", wanted, settings).encoder.encode(texts)
    monkeypatch.setattr(prepacked, "available", lambda _: False)

    plain = loading.load(folder, "", wanted, settings).encoder.encode(texts)

    assert np.abs(plain - laid_out).max() < 1e-5
    assert (plain != laid_out).any(), "the two ways differ in their last digits"


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="only Linux tells what is mapped")
def test_weights_that_were_laid_out_are_not_kept_in_memory_a_second_time(tmp_path: Path) -> None:
    shape = Shape()
    folder = write_checkpoint(tmp_path, shape, random_weights(shape))

    weights = str(folder / "model.safetensors")

    model = loading.load(folder, "", resolve(str(folder), ""), Settings(threads=1, device="cpu"))

    assert model.encoder.encode([[5, 6, 7]]).shape == (1, shape.width)
    assert weights not in Path("/proc/self/maps").read_text(), "word vectors are read and not mapped"
