"""What the help hotkey shows: the table for this system, and both services as far as they can be seen."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from editor_files import told
from embctl.cli.app import run_command_line
from embctl.vscode.hotkeys import HOTKEYS, System
from fakes.fake_engine import FakeEngine
from fakes.http_services import HttpServices, http_services


@pytest.fixture
def services() -> Iterator[HttpServices]:
    with http_services() as running:
        yield running


@pytest.fixture
def engine(home: Path, services: HttpServices, monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
    """The engine of the machine, on which nothing was started."""
    assert home.is_dir()
    engine = FakeEngine()
    monkeypatch.setattr("embctl.engine.connect.connect", lambda **_: engine)
    monkeypatch.setenv("EMBCTL_QDRANT_PORT", str(services.qdrant_port))
    monkeypatch.setenv("EMBCTL_JINA_PORT", str(services.jina_port))
    return engine


@pytest.mark.usefixtures("engine")
def test_every_hotkey_is_listed_with_its_task_and_what_it_does(capsys: pytest.CaptureFixture[str]) -> None:
    exit_code, document = told(capsys, "help-hotkeys")
    assert (exit_code, document["command"], document["changed"]) == (0, "help-hotkeys", False)
    assert document["data"]["hotkeys"] == [
        {"chords": list(each.chords(System.LINUX)), "task": each.label, "does": each.does} for each in HOTKEYS
    ]


@pytest.mark.usefixtures("engine")
def test_the_services_that_run_are_shown_as_status_shows_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command_line(["start", "all", "-q"]) == 0
    _, document = told(capsys, "help-hotkeys")
    shown, status = (data["services"] for data in (document["data"], told(capsys, "status")[1]["data"]))
    for each in (*shown, *status):
        del each["uptime"]  # goes on between the two
    assert shown == status
    assert {each["stage"] for each in document["data"]["services"]} == {"warm"}
    assert document["data"]["trouble"] == ""


@pytest.mark.usefixtures("engine")
def test_people_see_keys_as_keyboards_name_them_and_each_service(capsys: pytest.CaptureFixture[str]) -> None:
    run_command_line(["start", "qdrant", "-q"])
    assert run_command_line(["help-hotkeys"]) == 0
    printed = capsys.readouterr().out
    lines = {line.split("  ")[0]: line for line in printed.splitlines()}
    for hotkey in HOTKEYS:
        line = lines[f"Ctrl+Shift+{hotkey.key}"]
        assert hotkey.does in line
        assert hotkey.label in line
    assert "warm" in lines["qdrant"]
    assert "absent" in lines["jina"]
    assert "[" not in printed


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize(
    ("system", "first", "help_too"),
    [
        (System.LINUX, "Ctrl+Shift+9", False),
        (System.MACOS, "Cmd+Shift+9", False),
        (System.WINDOWS, "Ctrl+Shift+9", True),
    ],
)
def test_the_keys_are_those_of_the_system(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    *,
    system: System,
    first: str,
    help_too: bool,
) -> None:
    monkeypatch.setattr("embctl.vscode.hotkeys.this_system", lambda: system)
    assert run_command_line(["help-hotkeys"]) == 0
    printed = capsys.readouterr().out
    assert first in printed
    assert ("Ctrl+Shift+Alt+0" in printed) is help_too


def test_without_an_engine_the_hotkeys_are_shown_all_the_same_and_why_no_service_is(
    engine: FakeEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    engine.unreachable = True
    exit_code, document = told(capsys, "help-hotkeys")
    assert (exit_code, document["error"], document["data"]["services"]) == (0, None, [])
    assert len(document["data"]["hotkeys"]) == 7
    assert document["data"]["trouble"] != ""
    assert run_command_line(["help-hotkeys"]) == 0
    printed = capsys.readouterr().out
    assert "Ctrl+Shift+9" in printed
    assert f"The services cannot be seen: {document['data']['trouble']}" in printed


def test_help_changes_nothing(engine: FakeEngine) -> None:
    assert run_command_line(["help-hotkeys", "-q"]) == 0
    assert engine.mutations == []
