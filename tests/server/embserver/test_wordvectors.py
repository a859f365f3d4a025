"""Word vectors read from the file: those of the table, none resident, nothing beyond it."""

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from embserver import checkpoint, jinabert, modelfiles
from embserver.wordvectors import WordVectors, readable
from fakes.jina_checkpoint import Shape, random_weights, write_checkpoint

pytestmark = pytest.mark.skipif(not readable(), reason="no positional reads there, so tables are loaded")

WORDS, WIDTH = 4000, 768
NAME = "bert.embeddings.word_embeddings.weight"


def table_in(folder: Path, dtype: torch.dtype = torch.float32) -> tuple[Path, Tensor]:
    """A weights' file with the table between two others, and the table."""
    table = torch.randn(WORDS, WIDTH, generator=torch.Generator().manual_seed(3)).to(dtype)
    file = folder / "model.safetensors"
    save_file({"a": torch.zeros(5), NAME: table, "z": torch.ones(7, 3)}, file)
    return file, table


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_rows_are_those_of_the_table_in_its_own_type(tmp_path: Path, dtype: torch.dtype) -> None:
    file, table = table_in(tmp_path, dtype)
    ids = torch.tensor([0, WORDS - 1, 17, 17, 3])

    rows = WordVectors(file, NAME, table)(ids)

    assert rows.dtype == dtype
    assert torch.equal(rows, table[ids])


def test_threads_that_read_at_once_get_each_its_own_rows(tmp_path: Path) -> None:
    file, table = table_in(tmp_path)
    vectors = WordVectors(file, NAME, table)
    batches = torch.randint(WORDS, (64, 300), generator=torch.Generator().manual_seed(4))

    with ThreadPoolExecutor(4) as pool:
        read = list(pool.map(vectors, batches))

    assert all(torch.equal(rows, table[ids]) for rows, ids in zip(read, batches, strict=True))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells what is mapped")
def test_nothing_of_the_file_is_resident_after_the_whole_table_was_read(tmp_path: Path) -> None:
    file, table = table_in(tmp_path)
    vectors = WordVectors(file, NAME, table)

    vectors(torch.arange(WORDS))

    assert str(file) not in Path("/proc/self/maps").read_text(encoding="utf-8")


@pytest.mark.parametrize(("device", "kept"), [("cpu", None), ("meta", torch.float16)])
def test_on_other_devices_than_the_processor_the_table_is_loaded_in_its_own_type(
    tmp_path: Path, device: str, kept: torch.dtype | None
) -> None:
    shape = Shape()
    weights = {name: tensor.half() for name, tensor in random_weights(shape).items()}
    files = modelfiles.read(write_checkpoint(tmp_path, shape, weights))

    model = checkpoint.filled(files, jinabert.architecture(files), torch.device(device))

    held = {name: tensor.dtype for name, tensor in model.state_dict().items()}
    assert held.pop("embeddings.word_embeddings.weight", None) == kept
    assert set(held.values()) == {torch.float32}


@pytest.mark.parametrize("word", [-1, WORDS])
def test_a_word_beyond_the_table_is_refused_and_not_read_from_the_next_tensor(tmp_path: Path, word: int) -> None:
    file, table = table_in(tmp_path)

    with pytest.raises(IndexError, match=rf"{NAME} in .* has {WORDS} words, none of number {word}"):
        WordVectors(file, NAME, table)(torch.tensor([1, word]))


def test_a_file_that_was_cut_is_an_error_and_not_a_wrong_vector(tmp_path: Path) -> None:
    file, table = table_in(tmp_path)
    vectors = WordVectors(file, NAME, table)
    os.truncate(file, file.stat().st_size // 2)

    with pytest.raises(OSError, match="word 3999 cannot be read whole"):
        vectors(torch.tensor([1, WORDS - 1]))


def test_the_file_is_closed_with_the_module(tmp_path: Path) -> None:
    file, table = table_in(tmp_path)
    vectors = WordVectors(file, NAME, table)
    descriptor = vectors._descriptor
    os.fstat(descriptor)

    del vectors

    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)
