"""The JinaBERT code architecture: the same numbers as the formulas, and no file accepted that is not exactly it."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from embserver import alibi, loading
from embserver.catalogue import SelfTest, resolve
from embserver.failures import ModelRefused
from embserver.loading import LoadedModel
from embserver.settings import Settings
from fakes.jina_checkpoint import LINES, Shape, random_weights, write_checkpoint
from fakes.jina_reference import embed, embed_in_matrices, slope

SMALL = Shape()
TEXTS = ["x", *LINES, " ".join(LINES), "", "def f(x):\n    return x\n", "y"]


def load(folder: Path) -> LoadedModel:
    settings = Settings(model=str(folder), threads=1, device="cpu")
    return loading.load(folder, "", resolve(str(folder), ""), settings)


def test_every_vector_equals_the_formulas_alone_and_among_others(tmp_path: Path) -> None:
    weights = random_weights(SMALL)
    model = load(write_checkpoint(tmp_path, SMALL, weights))
    exact = {name: tensor.double().numpy() for name, tensor in weights.items()}
    ids = [tokens.ids for tokens in model.tokenizer.encode(TEXTS)]
    expected = np.stack([embed(text, exact, layers=SMALL.layers, heads=SMALL.heads) for text in ids])

    alone = np.concatenate([model.encoder.encode([text]) for text in ids])
    together = model.encoder.encode(ids)

    assert np.abs(alone - expected).max() < 1e-5
    assert np.abs(together - expected).max() < 1e-5
    # The reference must be able to tell texts apart, or agreeing with it would say nothing.
    similarities = expected @ expected.T - np.eye(len(TEXTS))
    assert similarities.max() < 0.999


def test_the_real_width_loads_through_the_same_path_and_serves_768_dimensions(tmp_path: Path) -> None:
    shape = Shape(width=768, layers=2, heads=12, inner=3072, vocabulary=400)
    weights = random_weights(shape)
    model = load(write_checkpoint(tmp_path, shape, weights))
    exact = {name: tensor.double().numpy() for name, tensor in weights.items()}
    ids = [tokens.ids for tokens in model.tokenizer.encode(["where is a taken port detected?", "fn main() {}"])]

    vectors = model.encoder.encode(ids)

    assert model.encoder.dimension == 768
    assert model.max_tokens == 8192
    assert vectors.shape == (2, 768)
    expected = np.stack([embed(text, exact, layers=2, heads=12) for text in ids])
    assert np.abs(vectors - expected).max() < 1e-5


def test_weights_stored_as_float16_are_computed_as_float32(tmp_path: Path) -> None:
    halves = {name: tensor.half() for name, tensor in random_weights(SMALL).items()}
    model = load(write_checkpoint(tmp_path, SMALL, halves))
    exact = {name: tensor.double().numpy() for name, tensor in halves.items()}
    ids = model.tokenizer.encode([LINES[0]])[0].ids

    assert model.encoder.dtype == "float32"
    assert np.abs(model.encoder.encode([ids])[0] - embed(ids, exact, layers=2, heads=3)).max() < 1e-5


def test_tensor_names_may_carry_the_prefix_of_the_pretraining_model(tmp_path: Path) -> None:
    weights = random_weights(SMALL)
    plain = load(write_checkpoint(tmp_path / "plain", SMALL, weights))
    prefixed = {f"bert.{name}": tensor for name, tensor in weights.items()}
    other = load(write_checkpoint(tmp_path / "prefixed", SMALL, prefixed))
    ids = plain.tokenizer.encode([LINES[0]])[0].ids

    assert np.array_equal(plain.encoder.encode([ids]), other.encoder.encode([ids]))


def test_the_same_checkpoint_gives_the_same_vectors_at_every_load(tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path, SMALL, random_weights(SMALL))
    first, second = load(folder), load(folder)
    ids = first.tokenizer.encode([LINES[0]])[0].ids

    assert np.array_equal(first.encoder.encode([ids]), second.encoder.encode([ids]))


def test_the_slopes_of_twelve_heads_are_the_published_ones() -> None:
    published = [2.0**-step for step in (1, 2, 3, 4, 5, 6, 7, 8, 0.5, 1.5, 2.5, 3.5)]

    assert alibi.slopes(12) == pytest.approx(published)
    for heads in (1, 2, 3, 5, 8, 12, 16):
        assert alibi.slopes(heads) == pytest.approx([slope(head, heads) for head in range(heads)])


def test_attention_over_the_longest_text_needs_no_matrix_of_biases() -> None:
    # In a process of its own, whose peak is nobody else's. One head's matrix at 8192 tokens has 256 MiB.
    program = """
import resource, torch
from embserver import alibi
def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
bias = alibi.distances(torch.tensor(alibi.slopes(4)), 8192)
short = torch.zeros(1, 4, 16, 8)
alibi.attention(short, short, short, alibi.distances(torch.tensor(alibi.slopes(4)), 16))
before = peak()
long = torch.zeros(1, 4, 8192, 8)
alibi.attention(long, long, long, bias)
print(peak() - before)
"""
    environment = {**os.environ, "PYTHONPATH": str(Path(alibi.__file__).parent.parent)}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)

    assert int(done.stdout) < 128


@pytest.mark.parametrize("length", [1, 2, 7, 1025])
def test_devices_that_need_real_bias_rows_compute_the_same_attention(
    length: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    query, key, value = torch.randn(3, 2, 3, length, 8, generator=torch.Generator().manual_seed(1))
    bias = alibi.distances(torch.tensor(alibi.slopes(3)), length)
    position = torch.arange(length)
    matrix = -torch.tensor(alibi.slopes(3))[:, None, None] * (position[:, None] - position).abs()
    expected = torch.softmax(query @ key.transpose(-1, -2) / 8**0.5 + matrix, -1) @ value

    viewed = alibi.attention(query, key.flip(2), value.flip(2), bias)
    monkeypatch.setattr(alibi, "_views", lambda _: False)
    in_rows = alibi.attention(query, key.flip(2), value.flip(2), bias)

    torch.testing.assert_close(viewed, expected, atol=2e-5, rtol=0)
    torch.testing.assert_close(in_rows, expected, atol=2e-5, rtol=0)


@pytest.mark.parametrize("name", ["encoder.layer.1.layer_norm_2.bias", "embeddings.word_embeddings.weight"])
def test_a_missing_tensor_is_named_and_refused(tmp_path: Path, name: str) -> None:
    weights = random_weights(SMALL)
    del weights[name]

    with pytest.raises(ModelRefused, match=f"missing: {re.escape(name)}"):
        load(write_checkpoint(tmp_path, SMALL, weights))


def test_a_tensor_left_over_is_named_and_refused(tmp_path: Path) -> None:
    weights = {**random_weights(SMALL), "encoder.layer.2.layer_norm_1.bias": torch.zeros(SMALL.width)}

    with pytest.raises(ModelRefused, match=r"left over: encoder\.layer\.2\.layer_norm_1\.bias"):
        load(write_checkpoint(tmp_path, SMALL, weights))


def test_a_tensor_of_another_shape_is_named_and_refused(tmp_path: Path) -> None:
    name = "encoder.layer.0.mlp.up_gated_layer.weight"
    weights = {**random_weights(SMALL), name: torch.zeros(SMALL.inner, SMALL.width)}

    with pytest.raises(ModelRefused, match=f"of another shape: {re.escape(name)}"):
        load(write_checkpoint(tmp_path, SMALL, weights))


def test_a_tensor_that_occurs_with_and_without_the_prefix_is_refused(tmp_path: Path) -> None:
    weights = random_weights(SMALL)
    weights["bert.encoder.layer.0.layer_norm_1.bias"] = weights["encoder.layer.0.layer_norm_1.bias"] + 1

    with pytest.raises(ModelRefused, match=r"with and without the prefix bert\.: bert\.encoder"):
        load(write_checkpoint(tmp_path, SMALL, weights))


def test_the_family_of_base_en_is_refused_by_its_tensor_names_and_told_what_works(tmp_path: Path) -> None:
    weights = {
        name.replace("up_gated_layer", "gated_layers").replace("down_layer", "wo"): tensor
        for name, tensor in random_weights(SMALL).items()
        if "layer_norm_q" not in name and "layer_norm_k" not in name
    }

    with pytest.raises(ModelRefused, match=r"jina-embeddings-v2-base-en.*EMBSERVER_MODEL=jina-code-v2"):
        load(write_checkpoint(tmp_path, SMALL, weights))


@pytest.mark.parametrize(
    ("key", "value"),
    [("position_embedding_type", "absolute"), ("feed_forward_type", "reglu"), ("hidden_act", "gelu_new")],
)
def test_a_config_that_asks_for_other_formulas_is_refused(tmp_path: Path, key: str, value: str) -> None:
    with pytest.raises(ModelRefused, match=f"{key} = '{value}'"):
        load(write_checkpoint(tmp_path, SMALL, random_weights(SMALL), {key: value}))


def test_more_tokens_than_word_vectors_are_refused(tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path, SMALL, random_weights(SMALL))
    small = Shape(vocabulary=50)
    write_checkpoint(tmp_path / "other", small, random_weights(small))
    (folder / "config.json").write_bytes((tmp_path / "other" / "config.json").read_bytes())
    (folder / "model.safetensors").write_bytes((tmp_path / "other" / "model.safetensors").read_bytes())

    with pytest.raises(ModelRefused, match="has vectors for 50"):
        load(folder)


def test_a_long_text_is_cut_to_the_models_maximum_and_marked(tmp_path: Path) -> None:
    shape = Shape(max_tokens=16)
    model = load(write_checkpoint(tmp_path, shape, random_weights(shape)))

    short, long = model.tokenizer.encode(["x", " ".join(LINES)])

    assert not short.truncated
    assert long.truncated
    assert len(long.ids) == 16
    assert (long.ids[0], long.ids[-1]) == (0, 2)


def test_the_self_test_knows_the_model_it_was_written_for(tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path, SMALL, random_weights(SMALL))
    plain = load(folder)
    vector = plain.encoder.encode([plain.tokenizer.encode(["What is it?"])[0].ids])[0]
    wanted = resolve(str(folder), "")

    def verdict(begins: tuple[float, ...]) -> str | None:
        known = SelfTest(text="What is it?", begins=begins)
        row = type(wanted)(name="m", ids=("m",), source=wanted.source, self_test=known)
        return loading.load(folder, "", row, Settings(threads=1, device="cpu")).self_test

    assert plain.self_test is None
    assert verdict(tuple(3.7 * float(value) for value in vector[:5])) == "passed"
    assert verdict(tuple(-float(value) for value in vector[:5])) == "differs"
    assert verdict((*map(float, vector[:4]), float(vector[4]) + 0.2)) == "differs"


def test_a_pause_within_a_batch_may_compute_another_or_abandon_the_first(tmp_path: Path) -> None:
    model = load(write_checkpoint(tmp_path, SMALL, random_weights(SMALL)))
    batch = [tokens.ids for tokens in model.tokenizer.encode(TEXTS)]
    undisturbed, overtaking = model.encoder.encode(batch), []

    vectors = model.encoder.encode(batch, lambda: overtaking.append(model.encoder.encode(batch[:1])))

    assert len(overtaking) >= SMALL.layers
    assert np.array_equal(vectors, undisturbed)
    assert all(np.abs(vector - undisturbed[0]).max() < 1e-5 for vector in overtaking)

    def abandon() -> None:
        raise InterruptedError("nobody waits for it")

    with pytest.raises(InterruptedError, match="nobody waits"):
        model.encoder.encode(batch, abandon)


def test_a_text_of_8192_tokens_equals_the_formulas(tmp_path: Path) -> None:
    # The reference of the other tests would take an hour here, so this one is written with whole matrices.
    shape = Shape(width=12, layers=2, heads=3, inner=16)
    weights = random_weights(shape)
    ids = [5 + number * number % 300 for number in range(8192)]

    vectors = load(write_checkpoint(tmp_path, shape, weights)).encoder.encode([ids, ids[:1]])

    exact = {name: tensor.double().numpy() for name, tensor in weights.items()}
    assert np.abs(vectors[0] - embed_in_matrices(ids, exact, layers=2, heads=3)).max() < 1e-5
    assert np.abs(vectors[1] - embed(ids[:1], exact, layers=2, heads=3)).max() < 1e-5


def test_the_two_references_agree() -> None:
    exact = {name: tensor.double().numpy() for name, tensor in random_weights(SMALL).items()}
    ids = list(range(5, 40))

    difference = embed_in_matrices(ids, exact, layers=2, heads=3) - embed(ids, exact, layers=2, heads=3)

    assert np.abs(difference).max() < 1e-12
