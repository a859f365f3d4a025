"""Weights laid out once: the same values, in the model's own type, and only where torch has it."""

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from embserver import loading, prepacked
from embserver.catalogue import resolve
from embserver.prepacked import PrepackedLinear
from embserver.settings import Settings
from fakes.jina_checkpoint import Shape, random_weights, write_checkpoint

pytestmark = pytest.mark.skipif(
    not prepacked.available(torch.float32), reason="this processor's torch does not lay weights out"
)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("rows", [0, 1, 14, 600])
@torch.inference_mode()
def test_a_layer_computes_what_the_plain_one_does(rows: int, bias: bool) -> None:
    torch.manual_seed(rows)
    linear, x = nn.Linear(96, 40, bias=bias), torch.randn(rows, 96)

    torch.testing.assert_close(PrepackedLinear(linear)(x), linear(x), rtol=1e-5, atol=1e-5)


@torch.inference_mode()
def test_rows_that_lie_apart_are_read_where_they_are() -> None:
    torch.manual_seed(0)
    linear, apart = nn.Linear(96, 40), torch.randn(20, 192).chunk(2, dim=-1)[1]

    torch.testing.assert_close(PrepackedLinear(linear)(apart), linear(apart), rtol=1e-5, atol=1e-5)


@torch.inference_mode()
def test_every_linear_layer_of_a_model_is_replaced_and_the_model_computes_the_same() -> None:
    torch.manual_seed(0)
    model, x = nn.Sequential(nn.Linear(8, 16), nn.GELU(), nn.Sequential(nn.Linear(16, 4))), torch.randn(5, 8)
    expected = model(x)

    prepacked.prepack(model)

    assert not any(isinstance(module, nn.Linear) for module in model.modules())
    torch.testing.assert_close(model(x), expected)


@torch.inference_mode()
def test_where_torch_gets_it_wrong_or_lacks_it_layers_stay_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    def lacking(*_: object) -> torch.Tensor:
        raise NotImplementedError

    for product in (lambda x, *_: torch.zeros(len(x), 40), lacking):
        operations = SimpleNamespace(_reorder_linear_weight=lambda weight, _: weight, _linear_pointwise=product)
        monkeypatch.setattr(torch.ops, "mkldnn", operations)
        model = nn.Sequential(nn.Linear(8, 8))

        prepacked.prepack(model)

        assert isinstance(model[0], nn.Linear)


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="only Linux tells what is mapped")
def test_weights_that_were_laid_out_are_not_kept_in_memory_a_second_time(tmp_path: Path) -> None:
    shape = Shape()
    folder = write_checkpoint(tmp_path, shape, random_weights(shape))

    model = loading.load(folder, "", resolve(str(folder), ""), Settings(threads=1, device="cpu"))

    mapped = [line for line in Path("/proc/self/maps").read_text().splitlines() if line.endswith("model.safetensors")]
    assert len(mapped) == 1, "the word vectors, and nothing else"
    assert model.encoder.encode([[5, 6, 7]]).shape == (1, shape.width)
