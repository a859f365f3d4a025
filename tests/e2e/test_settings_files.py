"""Settings that cannot be read: told with file and line, before any engine is asked."""

from pathlib import Path

import pytest

from e2e.stack import Stack, dead_socket, stack_without_engine


@pytest.fixture
def alone(tmp_path: Path) -> Stack:
    """A project whose engine does not answer."""
    return stack_without_engine(tmp_path)


def test_a_corrupt_settings_file_is_named_with_its_line(alone: Stack) -> None:
    file = alone.folder / "config" / "embctl" / "config.toml"
    file.parent.mkdir(parents=True)
    file.write_text("[jina]\nport = = 4001\n", encoding="utf-8")
    reply = alone.run("start", "all")
    assert reply.exit_code == 7
    assert reply.error["code"] == "config_invalid"
    assert f"{file}:2" in reply.error["message"]


def test_a_misspelt_setting_is_answered_with_the_right_one(alone: Stack) -> None:
    (alone.folder / ".embctl.toml").write_text("[jina]\nmemroy = '2g'\n", encoding="utf-8")
    reply = alone.run("config", "validate")
    assert reply.exit_code == 7
    assert "jina.memory" in f"{reply.error['message']} {reply.error['actions']}"


@pytest.mark.parametrize("command", ["status", "start", "stop", "wait", "logs", "plan"])
def test_an_engine_that_does_not_answer_is_exit_code_4(alone: Stack, command: str) -> None:
    reply = alone.run(command, "all", "--host", dead_socket(alone.folder))
    assert reply.exit_code == 4
    assert reply.error["category"] == "engine"
    assert "nobody.sock" in reply.error["message"]
    assert reply.error["actions"]
