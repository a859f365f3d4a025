"""`python -m embserver check` on a real model's folder, whole and tampered with."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import embserver
from fakes.minilm_folder import minilm_folder


def check(model: str, models_dir: Path) -> tuple[int, str]:
    """Its exit code, and what it said last."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(Path(embserver.__file__).parent.parent),
        "EMBSERVER_MODEL": model,
        "EMBSERVER_MODELS_DIR": str(models_dir),
    }
    done = subprocess.run(
        [sys.executable, "-m", "embserver", "check"], env=environment, capture_output=True, text=True, check=False
    )
    last = json.loads(done.stdout.splitlines()[-1])
    return done.returncode, str(last.get("detail", last["event"]))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The model's small files, copied, and a link to its weights."""
    made = tmp_path / "model"
    shutil.copytree(minilm_folder(), made, ignore=shutil.ignore_patterns("*.safetensors", "*.bin", "*.onnx"))
    (made / "model.safetensors").symlink_to(minilm_folder() / "model.safetensors")
    return made


def test_a_whole_model_is_said_to_be(folder: Path, tmp_path: Path) -> None:
    assert check(str(folder), tmp_path) == (0, "model_whole")


def test_weights_that_are_cut_off_are_refused(folder: Path, tmp_path: Path) -> None:
    whole = minilm_folder() / "model.safetensors"
    (folder / "model.safetensors").unlink()
    with whole.open("rb") as weights:
        (folder / "model.safetensors").write_bytes(weights.read(100_000))
    code, said = check(str(folder), tmp_path)
    assert (code, "model.safetensors" in said) == (3, True)


def test_a_tokenizer_that_is_missing_is_refused(folder: Path, tmp_path: Path) -> None:
    (folder / "tokenizer.json").unlink()
    code, said = check(str(folder), tmp_path)
    assert (code, "tokenizer.json" in said) == (3, True)


def test_a_model_that_was_never_fetched_is_not_here_and_is_not_fetched_now(tmp_path: Path) -> None:
    models = tmp_path / "models"
    code, said = check("minilm", models)
    assert (code, "minilm" in said) == (1, True)
    assert not models.exists()
