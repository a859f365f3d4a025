"""`--model` as typed: a wrong model is refused before any engine is dialled, a right one reaches the container."""

import json
from pathlib import Path
from typing import Any

import pytest

from embctl.cli.app import run_command_line
from fakes.fake_engine import FakeEngine

WITH_MODEL = ["start", "restart", "pull", "plan"]


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeEngine:
    """The engine that every command here is connected to; settings and state go to a folder of the test."""
    engine = FakeEngine()
    monkeypatch.setattr("embctl.engine.connect.connect", lambda **_: engine)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return engine


@pytest.fixture
def dialled(engine: FakeEngine, monkeypatch: pytest.MonkeyPatch) -> list[FakeEngine]:
    """The engine, noted each time that it is dialled."""
    dialled: list[FakeEngine] = []

    def connect(**_: object) -> FakeEngine:
        dialled.append(engine)
        return engine

    monkeypatch.setattr("embctl.engine.connect.connect", connect)
    return dialled


def run_json(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, Any]]:
    code = run_command_line([*arguments, "-o", "json"])
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert document["exit_code"] == code
    return code, document


@pytest.mark.parametrize("command", WITH_MODEL)
def test_an_unknown_model_is_exit_code_seven_and_nothing_is_dialled(
    capsys: pytest.CaptureFixture[str], dialled: list[FakeEngine], command: str
) -> None:
    code, document = run_json(capsys, command, "--model", "jina-code", "--timeout", "1")
    error = document["error"]
    assert (code, document["changed"], document["data"], dialled) == (7, False, None, [])
    assert (error["code"], error["category"], error["retryable"]) == ("config_invalid", "config", False)
    assert error["details"] == {
        "key": "model",
        "source": "flag",
        "place": "--model",
        "reason": "must be a known name (jina-code-v2, minilm), an id on the model hub (owner/name) "
        "or an absolute folder",
        "value": "jina-code",
        "allowed": ["jina-code-v2", "minilm"],
        "close_match": "jina-code-v2",
    }
    assert error["actions"]


def test_a_revision_of_a_model_without_revisions_is_exit_code_seven_and_nothing_is_dialled(
    capsys: pytest.CaptureFixture[str], dialled: list[FakeEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMBCTL_MODEL", "minilm")
    monkeypatch.setenv("EMBCTL_MODEL_REVISION", "v2")
    code, document = run_json(capsys, "start", "--no-wait")
    assert (code, document["error"]["details"]["place"], dialled) == (7, "EMBCTL_MODEL_REVISION", [])


@pytest.mark.parametrize("command", WITH_MODEL)
def test_a_right_model_dials_the_engine(
    capsys: pytest.CaptureFixture[str], dialled: list[FakeEngine], command: str
) -> None:
    code, _ = run_json(capsys, command, "--model", "minilm", *([] if command == "plan" else ["--dry-run"]))
    assert (code, len(dialled)) == (0, 1)


def test_what_runs_is_left_alone_by_a_restart_with_a_wrong_model(
    capsys: pytest.CaptureFixture[str], engine: FakeEngine
) -> None:
    run_json(capsys, "start", "--no-wait", "--model", "minilm")
    before = list(engine.mutations)
    assert before
    assert run_json(capsys, "restart", "--no-wait", "--model", "mini")[0] == 7
    assert engine.mutations == before


@pytest.mark.parametrize("model", ["minilm", "owner/name", "/models/mine"])
def test_a_known_name_a_hub_id_and_a_folder_reach_the_container(
    capsys: pytest.CaptureFixture[str], engine: FakeEngine, model: str
) -> None:
    assert run_json(capsys, "start", "--no-wait", "--model", model)[0] == 0
    spec = engine.named("embctl-jina").spec
    assert spec is not None
    assert spec.environment["EMBSERVER_MODEL"] == model


@pytest.mark.parametrize("command", ["stop", "down", "status", "logs", "wait", "warmup"])
def test_a_command_that_creates_no_container_knows_no_model(
    capsys: pytest.CaptureFixture[str], dialled: list[FakeEngine], command: str
) -> None:
    code, document = run_json(capsys, command, "--model", "minilm")
    assert (code, document["error"]["category"], dialled) == (2, "usage", [])


@pytest.mark.parametrize(("command", "example"), [("start", "start all"), ("restart", "restart qdrant")])
def test_start_and_restart_share_their_options_but_not_their_help(
    capsys: pytest.CaptureFixture[str], command: str, example: str
) -> None:
    assert run_command_line([command, "--help"]) == 0
    shown = capsys.readouterr().out
    assert f"Example: embctl {example}" in shown
    assert all(option in shown for option in ("--no-wait ", "--no-warmup", "--dry-run", "--model"))
