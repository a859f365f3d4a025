"""From a setting to a loaded model: the network is used to fetch a model that is not there, and for nothing else."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from huggingface_hub import HfApi, constants
from huggingface_hub.errors import OfflineModeIsEnabled
from transformers import BertConfig, BertModel

import embserver
from embserver import loading, memorylimit
from embserver.catalogue import HubSource, WantedModel, resolve
from embserver.service import Stage, Standing
from embserver.settings import Settings
from embserver.starting import fetch_and_load
from fakes.jina_checkpoint import Shape, random_weights, write_checkpoint, write_tokenizer
from fakes.model_hub import FakeHub, serving

WANTED = WantedModel(name="m", ids=("m",), source=HubSource(repo_id="owner/m", revision="main"))


def jina(folder: Path) -> Path:
    return write_checkpoint(folder, Shape(), random_weights(Shape()))


def bert(folder: Path) -> Path:
    config = BertConfig(
        vocab_size=400, hidden_size=24, num_hidden_layers=1, num_attention_heads=3, intermediate_size=40
    )
    BertModel(config, add_pooling_layer=False).save_pretrained(folder)
    write_tokenizer(folder, vocabulary=400)
    return folder


@pytest.fixture(autouse=True)
def _online(monkeypatch: pytest.MonkeyPatch) -> None:
    """The hub's library as an import before the start leaves it, and as other tests are to find it."""
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)


def settings_for(hub: FakeHub, models: Path) -> Settings:
    return Settings(models_dir=models, hub_mirror=hub.url, device="cpu", threads=1)


@pytest.mark.parametrize("write", [jina, bert])
def test_once_the_model_is_there_loading_opens_no_connection(write: Callable[[Path], Path], tmp_path: Path) -> None:
    files = {path.name: path.read_bytes() for path in write(tmp_path / "made").iterdir()}
    opened: list[object] = []

    with serving("owner/m", files) as hub, pytest.MonkeyPatch.context() as sockets:

        def watch(standing: Standing) -> None:
            if standing.stage is Stage.LOADING:
                # Noted, not only refused: libraries swallow what a refused connection raises.
                for name in ("connect", "connect_ex"):
                    sockets.setattr(socket.socket, name, lambda _, address: opened.append(address))
                sockets.setattr(socket, "getaddrinfo", lambda *address, **_: opened.append(address))

        loaded = fetch_and_load(settings_for(hub, tmp_path / "models"), WANTED, {})(watch)

    assert hub.requested, "the model came from the hub"
    assert loaded.encoder.dimension == 24
    assert opened == []


def test_after_a_download_the_hubs_library_is_offline_although_it_was_imported_before(tmp_path: Path) -> None:
    files = {path.name: path.read_bytes() for path in jina(tmp_path / "made").iterdir()}
    environment: dict[str, str] = {}

    with serving("owner/m", files) as hub:
        fetch_and_load(settings_for(hub, tmp_path / "models"), WANTED, environment)(lambda _: None)
        asked = len(hub.requested)
        with pytest.raises(OfflineModeIsEnabled):
            HfApi(endpoint=hub.url).model_info("owner/m")

        assert len(hub.requested) == asked
    assert environment == {"HF_HUB_OFFLINE": "1"}


@pytest.mark.parametrize(("granted", "said"), [(10_000_000, True), (10_000_000_000, False), (None, False)])
def test_a_memory_limit_too_small_for_the_model_is_told_before_it_is_loaded(
    granted: int | None,
    said: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(memorylimit, "granted_bytes", lambda: granted)
    monkeypatch.setattr(loading, "load", lambda *_: None)
    folder = jina(tmp_path / "made")

    fetch_and_load(Settings(), resolve(str(folder), ""), {})(lambda _: None)

    assert ("memory_limit_too_small" in caplog.messages) is said


def test_a_model_that_is_there_is_loaded_without_the_hubs_library(tmp_path: Path) -> None:
    script = (
        "import os, sys; from pathlib import Path\n"
        "from embserver.catalogue import resolve; from embserver.settings import from_env\n"
        "from embserver.starting import fetch_and_load\n"
        "settings = from_env(os.environ)\n"
        "fetch_and_load(settings, resolve(settings.model, ''), os.environ)(lambda _: None)\n"
        "import json; print(json.dumps(['huggingface_hub' in sys.modules, os.environ['HF_HUB_OFFLINE']]))\n"
    )
    variables = {"EMBSERVER_MODEL": str(jina(tmp_path / "made")), "EMBSERVER_DEVICE": "cpu", "EMBSERVER_THREADS": "1"}
    environment = {**os.environ, "PYTHONPATH": str(Path(embserver.__file__).parent.parent), **variables}

    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)

    assert json.loads(done.stdout) == [False, "1"]
