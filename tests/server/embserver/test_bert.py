"""The ordinary BERT: the same numbers as transformers' own classes, or a refusal that names the reason."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import (
    BertConfig,
    BertModel,
    RobertaConfig,
    RobertaModel,
    XLMRobertaConfig,
    XLMRobertaModel,
)

from embserver import hub, loading
from embserver.catalogue import resolve
from embserver.failures import ModelRefused
from embserver.loading import LoadedModel
from embserver.settings import Settings
from fakes.minilm_folder import minilm_folder

TEXTS = ["a taken port", "which process listens on the port?", "bread and butter", "", "long " * 400]


SETTINGS = Settings(threads=1, device="cpu")


def load(folder: Path) -> LoadedModel:
    return loading.load(folder, "", resolve(str(folder), ""), SETTINGS)


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
    "pooling", [{"pooling_mode_max_tokens": True}, {"pooling_mode": "weightedmean"}, {"pooling_mode_cls_token": True}]
)
def test_a_pooling_that_is_not_computed_here_is_refused(copy: Path, pooling: dict[str, object]) -> None:
    rewrite(copy / "1_Pooling" / "config.json", **pooling)

    with pytest.raises(ModelRefused, match="1_Pooling"):
        load(copy)


def test_a_module_that_is_not_computed_here_is_refused(copy: Path) -> None:
    modules = json.loads((copy / "modules.json").read_text(encoding="utf-8"))
    words = {"idx": 3, "name": "3", "path": "3_Words", "type": "sentence_transformers.models.WordWeights"}
    (copy / "modules.json").write_text(json.dumps([*modules, words]), encoding="utf-8")

    with pytest.raises(ModelRefused, match="asks for WordWeights"):
        load(copy)


def test_modules_in_another_order_are_refused(copy: Path) -> None:
    modules = json.loads((copy / "modules.json").read_text(encoding="utf-8"))
    (copy / "modules.json").write_text(json.dumps(modules[::-1]), encoding="utf-8")

    with pytest.raises(ModelRefused, match="asks for Normalize, Pooling, Transformer, in an order"):
        load(copy)


def test_an_activation_that_is_not_known_is_refused(copy: Path) -> None:
    rewrite(copy / "config.json", hidden_act="swish-of-mine")

    with pytest.raises(ModelRefused, match="hidden_act = 'swish-of-mine'"):
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

    with pytest.raises(ModelRefused, match=r"Tensors missing: encoder\.layer\.3\.output\.dense\.weight"):
        load(copy)


def test_a_folder_is_checked_by_names_and_shapes_without_its_weights(copy: Path) -> None:
    wanted = resolve(str(copy), "")
    loading.check(copy, wanted, SETTINGS)

    rewrite(copy / "config.json", intermediate_size=8)
    with pytest.raises(ModelRefused, match=r"of another shape: encoder\.layer\.0\.intermediate\.dense\.bias"):
        loading.check(copy, wanted, SETTINGS)
    rewrite(copy / "config.json", num_attention_heads=7)
    with pytest.raises(ModelRefused, match="cannot be split into 7 heads"):
        loading.check(copy, wanted, SETTINGS)


def test_the_names_that_older_checkpoints_have_are_understood(copy: Path) -> None:
    def old(name: str) -> str:
        return "bert." + name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta")

    weights = {old(name): tensor for name, tensor in load_file(minilm_folder() / "model.safetensors").items()}
    (copy / "model.safetensors").unlink()
    save_file(weights, copy / "model.safetensors", {"format": "pt"})
    loading.check(copy, resolve(str(copy), ""), SETTINGS)
    load(copy)


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


def random_model(folder: Path, kind: str, *, positions: int = 34, **changes: Any) -> torch.nn.Module:
    """A small model of transformers' own, with random weights, in a folder that has minilm's tokenizer."""
    sizes: dict[str, Any] = {"vocab_size": 30522, "hidden_size": 24, "num_hidden_layers": 2, "num_attention_heads": 3}
    sizes |= {"intermediate_size": 40, "max_position_embeddings": positions, "initializer_range": 0.4, **changes}
    for name in ("config.json", "model.safetensors", "sentence_bert_config.json"):
        (folder / name).unlink()
    torch.manual_seed(3)
    model: Any
    match kind:
        case "bert":
            model = BertModel(BertConfig(**sizes))
        case "roberta":
            model = RobertaModel(RobertaConfig(**sizes))
        case _:
            model = XLMRobertaModel(XLMRobertaConfig(**sizes))
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() == 1:  # biases and norms, which start as zeros and ones and so would show nothing
                parameter.add_(0.2 * torch.randn_like(parameter))
    model.eval().save_pretrained(folder)
    written: torch.nn.Module = model
    return written


def expected_vectors(model: torch.nn.Module, texts: list[list[int]]) -> torch.Tensor:
    with torch.inference_mode():
        means = [model(input_ids=torch.tensor([ids])).last_hidden_state[0].mean(0) for ids in texts]
    return torch.nn.functional.normalize(torch.stack(means), dim=-1)


@pytest.mark.parametrize("activation", ["gelu", "gelu_new", "relu"])
@pytest.mark.parametrize("family", ["bert", "roberta", "xlm-roberta"])
def test_every_vector_equals_that_of_transformers_alone_and_among_others(
    copy: Path, family: str, activation: str
) -> None:
    exact = random_model(copy, family, hidden_act=activation)
    encoder = load(copy).encoder
    texts = [list(range(5, 5 + length)) for length in (1, 7, 32, 7, 3, 32, 1)]

    expected = expected_vectors(exact, texts).numpy()

    assert np.abs(encoder.encode(texts) - expected).max() < 1e-5
    assert np.abs(np.concatenate([encoder.encode([ids]) for ids in texts]) - expected).max() < 1e-5
    assert (expected @ expected.T - np.eye(len(texts)))[1, 2] < 0.999


def test_a_text_of_8192_tokens_equals_that_of_transformers(copy: Path) -> None:
    exact = random_model(copy, "bert", positions=8192)
    long = [5 + number % 3000 for number in range(8192)]

    vectors = load(copy).encoder.encode([long, [5]])

    assert np.abs(vectors - expected_vectors(exact, [long, [5]]).numpy()).max() < 1e-5


@pytest.mark.parametrize("family", ["roberta", "xlm-roberta"])
def test_families_with_shifted_positions_take_texts_up_to_their_real_maximum(copy: Path, family: str) -> None:
    random_model(copy, family)

    loaded = load(copy)

    assert loaded.max_tokens == len(loaded.tokenizer.encode(["word " * 100])[0].ids) == 32


def test_a_company_of_any_kind_does_not_move_a_vector(minilm: LoadedModel) -> None:
    # Cosine > 0.999999 for a text alone, among its like, and in a batch that is worked on in several pieces.
    ids = [tokens.ids for tokens in minilm.tokenizer.encode([*TEXTS, *(f"number {n} " * (n % 70) for n in range(90))])]
    alone = np.concatenate([minilm.encoder.encode([text]) for text in ids])

    cosines = (minilm.encoder.encode(ids) * alone).sum(axis=1)

    assert cosines.min() > 0.999999


def test_a_packed_model_does_without_transformers_and_torchs_compiler() -> None:
    program = (
        "import sys; from pathlib import Path; from embserver import loading; from embserver.settings import Settings;"
        "from embserver.catalogue import resolve; folder = sys.argv[1];"
        "model = loading.load(Path(folder), '', resolve(folder, ''), Settings(threads=1, device='cpu'));"
        "unwanted = {'transformers', 'torch._dynamo', 'sympy'};"
        "print(model.batching.value, *sorted(unwanted & sys.modules.keys()))"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(loading.__file__).parent.parent)}
    command = [sys.executable, "-c", program, str(minilm_folder())]

    assert subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout == "packed\n"


def test_the_packages_files_are_the_ones_the_catalogue_pins() -> None:
    pins = resolve("minilm", "").sha256

    assert {name: hub.sha256_of(minilm_folder() / name) for name in pins} == dict(pins)
