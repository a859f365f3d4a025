"""`--embedded` chooses runtime and model together, and the project's later commands keep to that."""

import json
from pathlib import Path
from typing import Any

import pytest

from embctl.cli.app import run_command_line
from embctl.errors import Failed
from embctl.model import Runtime
from fakes.fake_engine import FakeEngine


@pytest.fixture
def docker() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def native(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, docker: FakeEngine) -> FakeEngine:
    """The native engine in memory; a container engine answers too."""
    engine = FakeEngine()
    engine.runtime = Runtime.NATIVE
    monkeypatch.setattr("embctl.engine.native.engine.NativeEngine", lambda **_: engine)
    monkeypatch.setattr("embctl.engine.connect.connect", lambda **_: docker)
    monkeypatch.chdir(tmp_path)
    for name in ("CONFIG", "STATE", "DATA"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name.lower()))
    return engine


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


def test_a_later_restart_keeps_runtime_and_model(
    native: FakeEngine, docker: FakeEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    start("--embedded")
    made = len([call for call in native.mutations if call[0] == "create_container"])
    assert run_command_line(["restart", "all", "--no-wait", "-q"]) == 0
    assert len([call for call in native.mutations if call[0] == "create_container"]) == made
    assert setting(capsys, "model") == ("minilm", "last start")
    assert docker.mutations == []


def test_a_start_keeps_its_runtime_though_another_one_becomes_possible(
    native: FakeEngine, docker: FakeEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    start()
    assert docker.named("embctl-jina").alive
    docker.unreachable = True
    assert start() == 4
    assert native.mutations == []
    assert setting(capsys, "runtime") == ("docker", "last start")


def test_a_setting_of_the_users_own_wins_over_what_is_remembered(
    native: FakeEngine, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    start("--embedded")
    monkeypatch.setenv("EMBCTL_MODEL", "jina-code-v2")
    assert native.mutations
    assert setting(capsys, "model") == ("jina-code-v2", "environment EMBCTL_MODEL")


def test_a_model_that_only_an_option_named_is_kept(native: FakeEngine, capsys: pytest.CaptureFixture[str]) -> None:
    assert start("--runtime", "native", "--model", "owner/name") == 0
    assert start() == 0
    spec = native.named("embctl-jina").spec
    assert spec is not None
    assert spec.environment["EMBSERVER_MODEL"] == "owner/name"
    assert setting(capsys, "model") == ("owner/name", "last start")


def test_a_device_that_only_an_option_named_is_kept(native: FakeEngine, capsys: pytest.CaptureFixture[str]) -> None:
    assert start("--runtime", "native", "--device", "cpu") == 0
    assert start() == 0
    spec = native.named("embctl-jina").spec
    assert spec is not None
    assert spec.environment["EMBSERVER_DEVICE"] == "cpu"
    assert setting(capsys, "jina.device") == ("cpu", "last start")


@pytest.mark.usefixtures("native")
def test_a_folder_is_kept_whatever_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    folder = '/models/\N{ROCKET} "quoted" \\ü'
    start("--runtime", "native", "--model", folder)
    assert setting(capsys, "model") == (folder, "last start")


@pytest.mark.usefixtures("native")
def test_another_model_takes_its_place(capsys: pytest.CaptureFixture[str]) -> None:
    start("--embedded")
    assert start("--model", "jina-code-v2") == 0
    assert setting(capsys, "model") == ("jina-code-v2", "last start")


def test_taking_the_project_down_forgets_nothing_while_its_data_is_there(
    native: FakeEngine, docker: FakeEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    start("--embedded")
    assert run_command_line(["down", "-q"]) == 0
    assert setting(capsys, "runtime") == ("native", "last start")
    assert setting(capsys, "model") == ("minilm", "last start")
    assert run_command_line(["down", "--volumes", "--yes", "-q"]) == 0
    assert native.volumes == {}
    assert docker.mutations == []
    assert setting(capsys, "runtime") == ("auto", "default")
    assert setting(capsys, "model") == ("jina-code-v2", "default")


@pytest.mark.usefixtures("native")
@pytest.mark.parametrize(
    "command",
    [["down", "--volumes", "--yes", "--runtime", "docker"], ["start", "qdrant", "--runtime", "native", "--no-wait"]],
)
def test_what_leaves_the_native_stack_as_it_is_forgets_nothing(
    capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    start("--embedded")
    assert run_command_line([*command, "-q"]) == 0
    assert setting(capsys, "model") == ("minilm", "last start")


@pytest.mark.parametrize("option", ["--host", "--context"])
def test_an_engine_named_on_the_command_line_wins_over_the_runtime_of_the_last_start(
    native: FakeEngine, docker: FakeEngine, option: str
) -> None:
    start("--embedded")
    before = list(native.mutations)
    assert start(option, "tcp://127.0.0.1:2375") == 0
    assert docker.named("embctl-jina").alive
    assert native.mutations == before


@pytest.mark.parametrize("option", ["--host", "--context"])
@pytest.mark.parametrize("runtime", [["--embedded"], ["--runtime", "native"]])
def test_an_engine_named_beside_the_native_runtime_is_a_contradiction(
    native: FakeEngine, docker: FakeEngine, capsys: pytest.CaptureFixture[str], option: str, runtime: list[str]
) -> None:
    assert start(option, "colima", *runtime) == 2
    told = capsys.readouterr().err
    assert option in told
    assert runtime[0] in told
    assert native.mutations == docker.mutations == []


@pytest.mark.usefixtures("native")
def test_a_start_that_was_refused_is_not_remembered(native: FakeEngine, capsys: pytest.CaptureFixture[str]) -> None:
    native.add_process(4000, "node", 4711)
    assert start("--embedded") == 6
    assert setting(capsys, "runtime") == ("auto", "default")


@pytest.mark.usefixtures("native")
def test_a_revision_in_a_file_does_not_hinder_a_remembered_model(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "config" / "embctl").mkdir(parents=True)
    (tmp_path / "config" / "embctl" / "config.toml").write_text('model_revision = "v2"\n')
    assert start("--embedded") == 0
    assert run_command_line(["status", "-q"]) == 0
    assert setting(capsys, "model_revision") == ("", "default")


def test_a_start_that_failed_forgets_nothing(native: FakeEngine, capsys: pytest.CaptureFixture[str]) -> None:
    start("--embedded")
    native.fail("run_once", Failed("hub unreachable", code="model_fetch_failed"))
    assert start("--model", "jina-code-v2") == 1
    assert setting(capsys, "model") == ("minilm", "last start")


def test_a_dry_run_is_not_remembered(native: FakeEngine, capsys: pytest.CaptureFixture[str]) -> None:
    assert start("--embedded", "--dry-run") == 0
    assert native.mutations == []
    assert setting(capsys, "runtime") == ("auto", "default")


@pytest.mark.usefixtures("native")
def test_a_hint_means_the_stack_of_the_command_that_failed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command_line(["wait", "jina", "--project", "two", "--runtime", "native", "-o", "json"]) == 5
    hints = json.loads(capsys.readouterr().out)["error"]["actions"]
    assert hints == ["embctl start jina --project two --runtime native"]
