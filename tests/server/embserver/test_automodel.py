"""Other architectures, by transformers' own classes: pooled as their files say, refused where anything is missing."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import (
    ModernBertConfig,
    ModernBertModel,
    MPNetConfig,
    MPNetModel,
    Qwen3Config,
    Qwen3Model,
)

from embserver import loading
from embserver.catalogue import resolve
from embserver.failures import ModelRefused
from embserver.loading import LoadedModel
from embserver.settings import Settings
from fakes.minilm_folder import minilm_folder

SIZES: dict[str, Any] = {"vocab_size": 30522, "hidden_size": 24, "num_hidden_layers": 2, "num_attention_heads": 2}
SIZES |= {"intermediate_size": 40, "max_position_embeddings": 66, "initializer_range": 0.4, "pad_token_id": 0}
TEXTS = [list(range(5, 5 + length)) for length in (1, 7, 64, 7, 30)]
DENSE = {"type": "sentence_transformers.models.Dense", "path": "2_Dense"}


def load(folder: Path) -> LoadedModel:
    return loading.load(folder, "", resolve(str(folder), ""), Settings(threads=1, device="cpu"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A sentence model's small files, without the model."""
    unwanted = shutil.ignore_patterns("*.safetensors", "sentence_bert_config.json")
    return shutil.copytree(minilm_folder(), tmp_path / "m", ignore=unwanted)


def write(folder: Path, kind: str) -> torch.nn.Module:
    torch.manual_seed(5)
    model: Any
    match kind:
        case "mpnet":
            model = MPNetModel(MPNetConfig(**SIZES), add_pooling_layer=False)
        case "modernbert":
            model = ModernBertModel(ModernBertConfig(**SIZES, local_attention=8))
        case _:
            model = Qwen3Model(Qwen3Config(**SIZES, num_key_value_heads=1, head_dim=12))
    model.eval().save_pretrained(folder)
    written: torch.nn.Module = model
    return written


def states(model: torch.nn.Module, ids: list[int]) -> torch.Tensor:
    with torch.inference_mode():
        rows: torch.Tensor = model(input_ids=torch.tensor([ids])).last_hidden_state[0]
    return rows


@pytest.mark.parametrize("kind", ["mpnet", "modernbert", "qwen3"])
@pytest.mark.parametrize("pooling", ["cls", "mean", "lasttoken"])
def test_every_vector_is_pooled_as_the_files_say_alone_and_among_others(folder: Path, kind: str, pooling: str) -> None:
    exact = write(folder, kind)
    (folder / "1_Pooling" / "config.json").write_text(json.dumps({"pooling_mode": pooling}), encoding="utf-8")
    model = load(folder)
    pools: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
        "cls": lambda rows: rows[0],
        "mean": lambda rows: rows.mean(0),
        "lasttoken": lambda rows: rows[-1],
    }
    expected = torch.nn.functional.normalize(
        torch.stack([pools[pooling](states(exact, ids)) for ids in TEXTS]), dim=-1
    ).numpy()

    alone = np.concatenate([model.encoder.encode([ids]) for ids in TEXTS])

    assert model.batching is loading.Batching.PADDED
    assert "transformers" in model.libraries
    assert np.abs(model.encoder.encode(TEXTS) - expected).max() < 1e-5
    assert np.abs(alone - expected).max() < 1e-5


def test_dense_layers_after_the_pooling_are_computed(folder: Path) -> None:
    exact = write(folder, "modernbert")
    modules = json.loads((folder / "modules.json").read_text(encoding="utf-8"))
    (folder / "modules.json").write_text(json.dumps([*modules[:2], DENSE, *modules[2:]]), encoding="utf-8")
    (folder / "2_Dense").mkdir()
    weight, bias = torch.randn(10, 24), torch.randn(10)
    save_file({"linear.weight": weight, "linear.bias": bias}, folder / "2_Dense" / "model.safetensors")
    said = {"in_features": 24, "out_features": 10, "activation_function": "torch.nn.modules.activation.Tanh"}
    (folder / "2_Dense" / "config.json").write_text(json.dumps(said), encoding="utf-8")

    encoder = load(folder).encoder

    expected = torch.nn.functional.normalize(torch.tanh(weight @ states(exact, TEXTS[2]).mean(0) + bias), dim=0)
    assert encoder.dimension == 10
    assert np.abs(encoder.encode(TEXTS)[2] - expected.numpy()).max() < 1e-5
    (folder / "2_Dense" / "config.json").write_text('{"activation_function": "torch.nn.Softsign"}', encoding="utf-8")
    with pytest.raises(ModelRefused, match=r"2_Dense.*Softsign"):
        load(folder)


def test_a_pause_within_a_padded_batch_may_compute_another_or_abandon_the_first(folder: Path) -> None:
    write(folder, "modernbert")
    encoder = load(folder).encoder
    undisturbed = encoder.encode(TEXTS)
    overtaking: list[Any] = []

    vectors = encoder.encode(TEXTS, lambda: overtaking.append(encoder.encode(TEXTS[:1])))

    assert len(overtaking) == SIZES["num_hidden_layers"]
    assert np.array_equal(vectors, undisturbed)

    def abandon() -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        encoder.encode(TEXTS, abandon)
    assert np.array_equal(encoder.encode(TEXTS), undisturbed)


@pytest.mark.parametrize("family", ["of-mine", None])
def test_a_family_that_transformers_does_not_know_is_refused_by_name(folder: Path, family: str | None) -> None:
    write(folder, "modernbert")
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    (folder / "config.json").write_text(json.dumps({**config, "model_type": family}), encoding="utf-8")

    with pytest.raises(ModelRefused, match=f"model_type = {family!r}, for which transformers"):
        load(folder)


def test_weights_with_a_tensor_missing_are_refused_and_not_filled_up_at_random(folder: Path) -> None:
    write(folder, "modernbert")
    weights = load_file(folder / "model.safetensors")
    del weights["layers.1.mlp.Wo.weight"]
    save_file(weights, folder / "model.safetensors", {"format": "pt"})

    with pytest.raises(ModelRefused, match=r"Tensors missing: layers\.1\.mlp\.Wo\.weight"):
        load(folder)


def test_positions_that_are_shifted_shorten_the_longest_text(folder: Path) -> None:
    write(folder, "mpnet")

    loaded = load(folder)

    assert loaded.max_tokens == len(loaded.tokenizer.encode(["word " * 100])[0].ids) == 64
