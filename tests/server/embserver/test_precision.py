"""Lower precisions on the whole model: near to float32, said in `dtype`, and refused where they cannot be had."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import MPNetConfig, MPNetModel

from embserver import loading, precision
from embserver.catalogue import resolve
from embserver.failures import ModelRefused, StartFailed
from embserver.loading import LoadedModel
from embserver.settings import Settings
from fakes.jina_checkpoint import LINES, Shape, random_weights, write_checkpoint
from fakes.minilm_folder import minilm_folder


def load(folder: Path, wanted: str) -> LoadedModel:
    settings = Settings(threads=1, device="cpu", precision=wanted)
    return loading.load(folder, "", resolve(str(folder), ""), settings)


@pytest.fixture
def _any_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    """bfloat16 is computed on every processor; here it need not be fast."""
    monkeypatch.setattr(precision, "_has_bfloat16", lambda _: True)


@pytest.mark.usefixtures("_any_processor")
@pytest.mark.parametrize("wanted", ["bfloat16", "int8"])
def test_real_vectors_stay_near_those_of_float32(wanted: str) -> None:
    exact, lower = load(minilm_folder(), "float32"), load(minilm_folder(), wanted)
    ids = [tokens.ids for tokens in exact.tokenizer.encode([*LINES, "bread and butter", " ".join(LINES)])]

    vectors = lower.encoder.encode(ids)

    assert lower.encoder.dtype == wanted
    assert vectors.dtype == np.float32
    assert (vectors * exact.encoder.encode(ids)).sum(axis=1).min() > 0.99


@pytest.mark.usefixtures("_any_processor")
@pytest.mark.parametrize("wanted", ["bfloat16", "int8"])
def test_jinas_architecture_is_computed_in_it_too(tmp_path: Path, wanted: str) -> None:
    shape = Shape(width=96, layers=2, heads=3, inner=160)
    folder = write_checkpoint(tmp_path, shape, random_weights(shape))
    exact, lower = load(folder, "float32"), load(folder, wanted)
    ids = [tokens.ids for tokens in exact.tokenizer.encode(LINES)]

    assert (lower.encoder.encode(ids) * exact.encoder.encode(ids)).sum(axis=1).min() > 0.98


def test_in_int8_too_a_text_does_not_depend_on_its_company() -> None:
    model = load(minilm_folder(), "int8")
    ids = [tokens.ids for tokens in model.tokenizer.encode([*LINES, " ".join(LINES) * 3])]
    alone = np.concatenate([model.encoder.encode([text]) for text in ids])

    # Beside the last digits of float32, which may round another way, nothing differs.
    assert (model.encoder.encode(ids) * alone).sum(axis=1).min() > 0.9999


def test_bfloat16_is_refused_where_it_is_only_emulated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "_has_bfloat16", lambda _: False)

    with pytest.raises(StartFailed, match=r"EMBSERVER_PRECISION=bfloat16.*this cpu device"):
        load(minilm_folder(), "bfloat16")


def test_a_precision_that_cannot_be_had_is_told_without_the_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "_has_bfloat16", lambda _: False)
    settings = Settings(threads=1, device="cpu", precision="bfloat16")

    with pytest.raises(ModelRefused, match="EMBSERVER_PRECISION=bfloat16"):
        loading.check(minilm_folder(), resolve(str(minilm_folder()), ""), settings)


def test_int8_is_refused_for_a_padded_model_and_off_the_processor(tmp_path: Path) -> None:
    unwanted = shutil.ignore_patterns("*.safetensors", "sentence_bert_config.json")
    folder = shutil.copytree(minilm_folder(), tmp_path / "m", ignore=unwanted)
    sizes: dict[str, Any] = {
        "hidden_size": 12,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 16,
    }
    MPNetModel(MPNetConfig(vocab_size=30522, **sizes), add_pooling_layer=False).save_pretrained(folder)

    with pytest.raises(StartFailed, match=r"EMBSERVER_PRECISION=int8.*computed padded on cpu"):
        load(folder, "int8")
    with pytest.raises(StartFailed, match=r"EMBSERVER_PRECISION=int8.*computed packed on cuda"):
        precision.check("int8", device=torch.device("cuda"), packed=True)
