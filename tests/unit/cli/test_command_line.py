"""The command line as typed: what it does, prints and exits with. The engine is in memory, the sockets are real."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from embctl import __version__
from embctl.cli.app import run_command_line
from fakes.fake_engine import FakeEngine
from fakes.http_services import HttpServices, http_services


@pytest.fixture
def services() -> Iterator[HttpServices]:
    with http_services() as running:
        yield running


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, services: HttpServices) -> FakeEngine:
    """The engine that every command here is connected to; settings and state go to a folder of the test."""
    engine = FakeEngine()
    monkeypatch.setattr("embctl.engine.connect.connect", lambda **_: engine)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("EMBCTL_QDRANT_PORT", str(services.qdrant_port))
    monkeypatch.setenv("EMBCTL_JINA_PORT", str(services.jina_port))
    return engine


def run_json(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, Any]]:
    code = run_command_line([*arguments, "-o", "json"])
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert document["exit_code"] == code
    return code, document


def interrupt() -> None:
    raise KeyboardInterrupt


def test_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command_line(["--version"]) == 0
    assert capsys.readouterr().out == f"embctl {__version__}\n"


def test_no_arguments_are_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command_line([]) == 0
    assert "embctl start all" in capsys.readouterr().out


@pytest.mark.usefixtures("engine")
def test_start_then_start_again(capsys: pytest.CaptureFixture[str]) -> None:
    code, first = run_json(capsys, "start", "all")
    assert (code, first["changed"]) == (0, True)
    code, second = run_json(capsys, "start")
    assert (code, second["changed"], second["data"]["plan"]["operations"]) == (0, False, [])


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        ([], {"qdrant", "jina"}),
        (["all"], {"qdrant", "jina"}),
        (["jina"], {"jina"}),
        (["jina", "jina"], {"jina"}),
        (["jina", "qdrant"], {"qdrant", "jina"}),
    ],
)
@pytest.mark.usefixtures("engine")
def test_services_are_chosen_by_name(capsys: pytest.CaptureFixture[str], arguments: list[str], names: set[str]) -> None:
    document = run_json(capsys, "plan", *arguments)[1]
    assert {op["service"] for op in document["data"]["plan"]["operations"] if op["verb"] == "StartContainer"} == names


@pytest.mark.usefixtures("engine")
def test_common_options_may_stand_before_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command_line(["-o", "json", "--project", "first", "plan", "--project", "second"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert any(op["name"] == "second-jina" for op in document["data"]["plan"]["operations"])


@pytest.mark.usefixtures("engine")
def test_plan_with_exit_code_says_ten_when_there_is_something_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_json(capsys, "plan", "--exit-code")[0] == 10
    run_json(capsys, "start", "--no-wait")
    assert run_json(capsys, "plan", "--exit-code")[0] == 0


@pytest.mark.parametrize("command", ["start", "restart", "stop", "down", "pull"])
def test_a_dry_run_changes_nothing(capsys: pytest.CaptureFixture[str], engine: FakeEngine, command: str) -> None:
    code, document = run_json(capsys, command, "--dry-run")
    assert (code, document["changed"], engine.mutations) == (0, False, [])


@pytest.mark.usefixtures("engine")
def test_deleting_volumes_where_nobody_can_be_asked_needs_a_yes(capsys: pytest.CaptureFixture[str]) -> None:
    run_json(capsys, "start", "--no-wait")
    code, document = run_json(capsys, "down", "--volumes")
    assert (code, document["error"]["code"], document["changed"]) == (3, "not_confirmed", False)
    assert run_json(capsys, "down", "--volumes", "--yes")[0] == 0


def test_a_taken_port_is_exit_code_six(
    capsys: pytest.CaptureFixture[str], engine: FakeEngine, services: HttpServices
) -> None:
    engine.add_process(services.jina_port, "node", 4711)
    code, document = run_json(capsys, "start")
    assert (code, document["error"]["code"]) == (6, "port_taken")
    assert document["error"]["details"]["owner"] == {"kind": "process", "name": "node", "pid": 4711}
    assert engine.mutations == []


def test_an_engine_that_goes_away_is_exit_code_four(capsys: pytest.CaptureFixture[str], engine: FakeEngine) -> None:
    engine.unreachable = True
    code, document = run_json(capsys, "status")
    assert (code, document["error"]["category"]) == (4, "engine")


def test_ctrl_c_is_exit_code_130(capsys: pytest.CaptureFixture[str], engine: FakeEngine) -> None:
    engine.on("observe", interrupt)
    code, document = run_json(capsys, "start")
    assert (code, document["error"]["category"]) == (130, "interrupted")


@pytest.mark.parametrize("arguments", [["logs", "--follow"], ["status", "--watch"], ["top"]])
def test_ctrl_c_ends_what_has_no_other_end_without_a_word_to_people(
    capsys: pytest.CaptureFixture[str], engine: FakeEngine, arguments: list[str]
) -> None:
    engine.on("observe", interrupt)
    assert run_command_line(arguments) == 130
    assert capsys.readouterr() == ("", "")
    assert run_command_line([*arguments, "-o", "jsonl"]) == 130
    record = json.loads(capsys.readouterr().out)
    assert (record["type"], record["ok"], record["exit_code"]) == ("result", False, 130)
    assert record["error"]["category"] == "interrupted"


@pytest.mark.parametrize("arguments", [["logs"], ["status"]])
def test_ctrl_c_in_what_would_have_ended_is_told(
    capsys: pytest.CaptureFixture[str], engine: FakeEngine, arguments: list[str]
) -> None:
    engine.on("observe", interrupt)
    assert run_command_line(arguments) == 130
    assert capsys.readouterr().err.startswith("error: Interrupted")


def test_a_fault_of_our_own_is_still_one_envelope(capsys: pytest.CaptureFixture[str], engine: FakeEngine) -> None:
    engine.fail("observe", ZeroDivisionError("oops"))
    code, document = run_json(capsys, "start")
    assert (code, document["error"]["code"]) == (1, "internal_error")


@pytest.mark.parametrize(
    "arguments",
    [
        ["strat"],
        ["config"],
        ["start", "postgres"],
        ["start", "--nonsense"],
        ["logs", "--since", "yesterday"],
        ["logs", "-n", "-1"],
    ],
)
def test_a_command_line_that_cannot_be_understood_is_exit_code_two_in_json_too(
    capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    code, document = run_json(capsys, *arguments)
    assert (code, document["error"]["category"]) == (2, "usage")


@pytest.mark.usefixtures("engine")
def test_a_wrong_setting_is_exit_code_seven(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMBCTL_JINA_PORT", "70000")
    code, document = run_json(capsys, "plan")
    assert (code, document["error"]["category"]) == (7, "config")


@pytest.mark.parametrize("command", [("config", "show"), ("status",), ("start", "--no-wait")])
@pytest.mark.usefixtures("engine")
def test_an_unknown_variable_is_a_warning_of_every_command(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    monkeypatch.setenv("EMBCTL_JINA_PROT", "4001")
    (warning,) = run_json(capsys, *command)[1]["warnings"]
    assert "EMBCTL_JINA_PORT" in warning


@pytest.mark.usefixtures("engine")
def test_config_show_masks_secrets_and_names_origins(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMBCTL_QDRANT_API_KEY", "hunter2")
    document = run_json(capsys, "config", "show", "--origin")[1]
    row = next(row for row in document["data"]["settings"] if row["key"] == "qdrant.api_key")
    assert "hunter2" not in json.dumps(document)
    assert "EMBCTL_QDRANT_API_KEY" in row["origin"]


@pytest.mark.usefixtures("engine")
def test_config_path_and_validate_name_their_files(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / ".embctl.toml").write_text("port_offset = 0\n", encoding="utf-8")
    assert run_json(capsys, "config", "path")[1]["data"]["project_file"] == str(tmp_path / ".embctl.toml")
    files = run_json(capsys, "config", "validate")[1]["data"]["files"]
    assert [Path(file).name for file in files] == [".embctl.toml", "qdrant.yaml", "jina.yaml"]


@pytest.mark.usefixtures("engine")
def test_ps_is_status(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_json(capsys, "ps")[1]["command"] == "status"


@pytest.mark.parametrize("arguments", [("status", "--watch"), ("logs", "--follow"), ("top",)])
@pytest.mark.usefixtures("engine")
def test_what_has_no_end_is_refused_as_one_document(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    code, document = run_json(capsys, *arguments)
    assert (code, document["error"]["category"]) == (2, "usage")


def test_json_lines_end_in_the_result(capsys: pytest.CaptureFixture[str], engine: FakeEngine) -> None:
    assert run_command_line(["start", "-o", "jsonl"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["type"] for line in lines][-1] == "result"
    assert sum(line["type"] == "operation_finished" for line in lines) == len(engine.mutations)


def test_output_is_utf8_and_whole_on_a_console_that_is_not(tmp_path: Path) -> None:
    folder = tmp_path / "Łódź"
    folder.mkdir()
    (folder / ".embctl.toml").write_text("broken =", encoding="utf-8")
    run = subprocess.run(
        [sys.executable, "-m", "embctl", "config", "show", "-o", "json"],
        check=False,
        capture_output=True,
        cwd=folder,
        env={**os.environ, "PYTHONIOENCODING": "cp1252", "PYTHONUTF8": "0"},
    )
    assert run.returncode == 7
    assert "Łódź" in json.loads(run.stdout.decode("utf-8"))["error"]["message"]


def test_the_program_answers_for_its_version() -> None:
    run = subprocess.run([sys.executable, "-m", "embctl", "--version"], check=True, capture_output=True, text=True)
    assert run.stdout == f"embctl {__version__}\n"


def test_a_missing_standard_output_is_no_failure() -> None:
    program = [sys.executable, "-m", "embctl", "config", "path"]
    run = subprocess.run(["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", *program], check=False)
    assert run.returncode == 0
