"""Sentence models of the BERT family, on real weights: the right vectors, or a refusal that names the reason."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import MPNetConfig, MPNetModel, RobertaConfig, RobertaModel

from embserver import hub, loading
from embserver.catalogue import resolve
from embserver.failures import ModelRefused
from embserver.loading import LoadedModel
from embserver.settings import Settings
from fakes.minilm_folder import minilm_folder

TEXTS = ["a taken port", "which process listens on the port?", "bread and butter", "", "long " * 400]


def load(folder: Path) -> LoadedModel:
    return loading.load(folder, "", resolve(str(folder), ""), Settings(threads=1, device="cpu"))


@pytest.fixture(scope="module")
def minilm() -> LoadedModel:
    return load(minilm_folder())


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The model's small files, to be changed; the weights by link."""
    shutil.copytree(minilm_folder(), tmp_path / "m", ignore=shutil.ignore_patterns("*.safetensors"))
    (tmp_path / "m" / "model.safetensors").symlink_to(minilm_folder() / "model.safetensors")
    return tmp_path / "m"


def rewrite(path: Path, **changes: object) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), **changes}), encoding="utf-8")


def test_the_real_model_gives_the_vectors_it_is_known_for(minilm: LoadedModel) -> None:
    from sentence_transformers import SentenceTransformer  # noqa: PLC0415 - seconds that only this test spends

    expected = SentenceTransformer(str(minilm_folder()), device="cpu").encode(TEXTS, normalize_embeddings=True)
    vectors = minilm.encoder.encode([tokens.ids for tokens in minilm.tokenizer.encode(TEXTS)])

    assert (minilm.encoder.dimension, minilm.max_tokens) == (384, 256)
    assert np.abs(vectors - np.asarray(expected)).max() < 1e-5


def test_padding_beside_longer_texts_does_not_move_a_vector(minilm: LoadedModel) -> None:
    ids = [tokens.ids for tokens in minilm.tokenizer.encode(TEXTS)]
    alone = np.concatenate([minilm.encoder.encode([text]) for text in ids])

    assert np.abs(minilm.encoder.encode(ids) - alone).max() < 1e-5


def test_the_cut_of_the_tokenizers_own_file_is_replaced_by_the_models(minilm: LoadedModel) -> None:
    # The file says 128 and pads to it, a leftover of the training.
    short, long = minilm.tokenizer.encode(["a", "long " * 400])

    assert len(short.ids) == 3
    assert (len(long.ids), long.truncated) == (256, True)


def test_a_model_that_takes_its_first_token_is_pooled_so(copy: Path, minilm: LoadedModel) -> None:
    rewrite(copy / "1_Pooling" / "config.json", pooling_mode_mean_tokens=False, pooling_mode_cls_token=True)
    ids = minilm.tokenizer.encode([TEXTS[0]])[0].ids

    vector = load(copy).encoder.encode([ids])[0]

    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)
    assert float(vector @ minilm.encoder.encode([ids])[0]) < 0.99


@pytest.mark.parametrize(
    "pooling", [{"pooling_mode_max_tokens": True}, {"pooling_mode": "lasttoken"}, {"pooling_mode_cls_token": True}]
)
def test_a_pooling_that_is_not_computed_here_is_refused(copy: Path, pooling: dict[str, object]) -> None:
    rewrite(copy / "1_Pooling" / "config.json", **pooling)

    with pytest.raises(ModelRefused, match="1_Pooling"):
        load(copy)


def test_a_module_that_is_not_computed_here_is_refused(copy: Path) -> None:
    modules = json.loads((copy / "modules.json").read_text(encoding="utf-8"))
    dense = {"idx": 3, "name": "3", "path": "3_Dense", "type": "sentence_transformers.models.Dense"}
    (copy / "modules.json").write_text(json.dumps([*modules, dense]), encoding="utf-8")

    with pytest.raises(ModelRefused, match="asks for Dense"):
        load(copy)


@pytest.mark.parametrize("family", ["qwen2", "t5", "distilbert", None])
def test_another_family_is_refused_by_name(copy: Path, family: str | None) -> None:
    rewrite(copy / "config.json", model_type=family)

    with pytest.raises(ModelRefused, match=f"model_type = {family!r}.*bert, roberta, xlm-roberta, mpnet"):
        load(copy)


def test_a_bert_with_relative_positions_is_refused(copy: Path) -> None:
    rewrite(copy / "config.json", position_embedding_type="relative_key")

    with pytest.raises(ModelRefused, match="'relative_key'"):
        load(copy)


def test_weights_with_a_tensor_missing_are_refused_and_not_filled_up_at_random(copy: Path) -> None:
    weights = load_file(minilm_folder() / "model.safetensors")
    del weights["encoder.layer.3.output.dense.weight"]
    (copy / "model.safetensors").unlink()
    save_file(weights, copy / "model.safetensors", {"format": "pt"})

    with pytest.raises(ModelRefused, match=r"Tensors missing: encoder\.layer\.3\.output\.dense\.weight\."):
        load(copy)


def test_a_folder_is_checked_by_names_and_shapes_without_its_weights(copy: Path) -> None:
    wanted = resolve(str(copy), "")
    old_names = {"LayerNorm.weight": "LayerNorm.gamma", "LayerNorm.bias": "LayerNorm.beta"}

    def named(name: str) -> str:
        for new, old in old_names.items():
            name = name.replace(new, old)
        return f"bert.{name}"

    weights = {named(name): tensor for name, tensor in load_file(minilm_folder() / "model.safetensors").items()}
    (copy / "model.safetensors").unlink()
    save_file(weights, copy / "model.safetensors", {"format": "pt"})
    loading.check(copy, wanted)
    load(copy)

    rewrite(copy / "config.json", intermediate_size=8)
    with pytest.raises(ModelRefused, match=r"of another shape: encoder\.layer\.0\.intermediate\.dense\.bias"):
        loading.check(copy, wanted)
    rewrite(copy / "config.json", num_attention_heads=7)
    with pytest.raises(ModelRefused, match="does not describe a model"):
        loading.check(copy, wanted)


def test_weights_of_another_dimension_than_the_catalogues_are_refused(copy: Path) -> None:
    with pytest.raises(ModelRefused, match="384 dimensions; jina-code-v2 has 768"):
        loading.load(copy, "", resolve("jina-code-v2", ""), Settings(threads=1, device="cpu"))


@pytest.mark.parametrize("file", ["config.json", "tokenizer.json", "model.safetensors"])
def test_a_missing_or_broken_file_is_named(copy: Path, file: str) -> None:
    (copy / file).unlink()
    with pytest.raises(ModelRefused, match=f"has no {file}"):
        load(copy)
    (copy / file).write_bytes(b"\x00\x01 not what it says")
    with pytest.raises(ModelRefused, match=f"{file} cannot be read"):
        load(copy)


@pytest.mark.parametrize("family", ["roberta", "mpnet"])
def test_families_with_shifted_positions_take_texts_up_to_their_real_maximum(copy: Path, family: str) -> None:
    sizes: dict[str, Any] = {"vocab_size": 30522, "hidden_size": 12, "num_hidden_layers": 1, "num_attention_heads": 2}
    sizes |= {"intermediate_size": 16, "max_position_embeddings": 34}
    torch.manual_seed(3)
    model = (
        RobertaModel(RobertaConfig(**sizes), add_pooling_layer=False)
        if family == "roberta"
        else MPNetModel(MPNetConfig(**sizes), add_pooling_layer=False)
    )
    for name in ("config.json", "model.safetensors", "sentence_bert_config.json"):
        (copy / name).unlink()
    model.save_pretrained(copy)

    loaded = load(copy)
    ids = loaded.tokenizer.encode(["word " * 100])[0].ids

    assert loaded.max_tokens == len(ids) == 32
    assert np.linalg.norm(loaded.encoder.encode([ids])[0]) == pytest.approx(1, abs=1e-5)


def test_the_packages_files_are_the_ones_the_catalogue_pins() -> None:
    pins = resolve("minilm", "").sha256

    assert {name: hub.sha256_of(minilm_folder() / name) for name in pins} == dict(pins)
