"""`--embedded` chooses runtime and model together, and the project's later commands keep to that."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from embctl.cli.app import run_command_line
from fakes.fake_engine import FakeEngine


@pytest.fixture
def native(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeEngine]:
    """The native engine in memory; a container engine answers too, and is not asked for anything."""
    engine, docker = FakeEngine(), FakeEngine()
    monkeypatch.setattr("embctl.engine.native.engine.NativeEngine", lambda **_: engine)
    monkeypatch.setattr("embctl.engine.connect.connect", lambda **_: docker)
    monkeypatch.chdir(tmp_path)
    for name in ("CONFIG", "STATE", "DATA"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name.lower()))
    yield engine
    assert docker.mutations == []


def setting(capsys: pytest.CaptureFixture[str], key: str) -> tuple[str, str]:
    """A setting's value in force, and the layer that it is from."""
    run_command_line(["config", "show", "--origin", "-o", "json"])
    rows: list[dict[str, Any]] = json.loads(capsys.readouterr().out)["data"]["settings"]
    row = next(row for row in rows if row["key"] == key)
    return row["value"], row["origin"].split(" /")[0]


def start(*options: str) -> int:
    return run_command_line(["start", "all", "--no-wait", "-q", *options])


def test_it_means_the_native_runtime_and_the_model_that_needs_no_hub(native: FakeEngine) -> None:
    assert start("--embedded") == 0
    assert native.named("embctl-jina").alive
    spec = native.named("embctl-jina").spec
    assert spec is not None
    assert spec.environment["EMBSERVER_MODEL"] == "minilm"


def test_another_model_may_be_named_beside_it(native: FakeEngine) -> None:
    assert start("--embedded", "--model", "owner/name") == 0
    spec = native.named("embctl-jina").spec
    assert spec is not None
    assert spec.environment["EMBSERVER_MODEL"] == "owner/name"


def test_it_contradicts_another_runtime(native: FakeEngine, capsys: pytest.CaptureFixture[str]) -> None:
    assert start("--embedded", "--runtime", "docker") == 2
    assert "--embedded" in capsys.readouterr().err
    assert native.mutations == []


def test_a_later_restart_keeps_runtime_and_model(native: FakeEngine, capsys: pytest.CaptureFixture[str]) -> None:
    start("--embedded")
    made = len([call for call in native.mutations if call[0] == "create_container"])
    assert run_command_line(["restart", "all", "--no-wait", "-q"]) == 0
    assert len([call for call in native.mutations if call[0] == "create_container"]) == made
    assert setting(capsys, "model") == ("minilm", "start --embedded")


def test_a_setting_of_the_users_own_wins_over_what_is_remembered(
    native: FakeEngine, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    start("--embedded")
    monkeypatch.setenv("EMBCTL_MODEL", "jina-code-v2")
    assert native.mutations
    assert setting(capsys, "model") == ("jina-code-v2", "environment EMBCTL_MODEL")


@pytest.mark.parametrize("command", [["down"], ["start", "qdrant", "--no-wait", "--runtime", "native"]])
def test_it_is_forgotten_when_the_project_is_taken_down_or_started_otherwise(
    native: FakeEngine, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    start("--embedded")
    assert run_command_line([*command, "-q"]) == 0
    assert native.mutations
    assert setting(capsys, "model") == ("jina-code-v2", "default")


def test_a_dry_run_is_not_remembered(native: FakeEngine, capsys: pytest.CaptureFixture[str]) -> None:
    assert start("--embedded", "--dry-run") == 0
    assert native.mutations == []
    assert setting(capsys, "runtime") == ("auto", "default")
