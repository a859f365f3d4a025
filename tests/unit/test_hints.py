"""The commands that hints propose mean the stack that the command line before meant."""

from pathlib import Path

import pytest

from embctl.flows.hints import aimed
from settings_layers import from_layers


def hint(folder: Path, text: str, **flags: object) -> str:
    names = {"host": "engine.host", "context": "engine.context", "device": "jina.device"}
    return aimed(text, from_layers(folder, flags={names.get(key, key): value for key, value in flags.items()}))


def test_a_command_gets_what_the_command_line_said_of_the_stack(tmp_path: Path) -> None:
    assert (
        hint(tmp_path, "See what it does: embctl logs jina -f", project="two", port_offset=100, context="my engine")
        == "See what it does: embctl logs jina -f --project two --port-offset 100 --context 'my engine'"
    )


@pytest.mark.parametrize(("command", "has_it"), [("start", True), ("pull", True), ("stop", False), ("wait", False)])
def test_model_and_device_go_to_the_commands_that_take_them(tmp_path: Path, command: str, has_it: bool) -> None:
    completed = hint(tmp_path, f"embctl {command} jina", model="owner/name", device="cpu")
    assert (" --model owner/name" in completed) is has_it
    assert (" --device cpu" in completed) is has_it


def test_what_is_written_elsewhere_is_not_repeated(tmp_path: Path) -> None:
    settings = from_layers(tmp_path, env={"EMBCTL_PROJECT": "two"}, project="port_offset = 100")
    assert aimed("embctl start jina", settings) == "embctl start jina"


def test_an_option_that_the_command_has_stays(tmp_path: Path) -> None:
    proposed = "Stop it first: embctl stop qdrant --runtime native"
    assert hint(tmp_path, proposed, runtime="docker", host="tcp://127.0.0.1:1") == proposed


def test_options_before_the_command_count(tmp_path: Path) -> None:
    proposed = "Or run the services without containers: embctl --runtime native start all"
    assert hint(tmp_path, proposed, host="tcp://127.0.0.1:1", project="two") == f"{proposed} --project two"


def test_variables_before_the_command_stay_before_it(tmp_path: Path) -> None:
    proposed = "Give it more: EMBCTL_JINA_MEMORY=8g embctl start jina"
    assert hint(tmp_path, proposed, project="two") == f"{proposed} --project two"


@pytest.mark.parametrize(
    "text",
    [
        "Check that embctl's Python environment is whole: python -m embctl --version",
        "Run embctl on that machine.",
        "Use another engine: embctl --context NAME or --host ADDRESS, or unset DOCKER_HOST and DOCKER_CONTEXT",
        "Choose another name: embctl --project NAME",
    ],
)
def test_what_is_no_command_of_the_stack_stays_as_it_is(tmp_path: Path, text: str) -> None:
    assert hint(tmp_path, text, project="two") == text
