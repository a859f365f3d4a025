"""Ctrl-C, and two commands at once: what is healthy stays, and nobody gets in anybody's way."""

import json
import signal
from collections.abc import Iterator
from datetime import datetime
from subprocess import Popen
from typing import Any

import pytest
from filelock import FileLock

from e2e.stack import Stack, parse

pytestmark = pytest.mark.engine


@pytest.fixture(autouse=True)
def heard_interrupts() -> Iterator[None]:
    """Whoever starts the tests in the background has Ctrl-C ignored, and what is ignored is inherited."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def read_until(process: "Popen[str]", kind: str, **fields: Any) -> None:
    """Read events until one of that type with those fields has come."""
    assert process.stdout
    for line in process.stdout:
        event = json.loads(line)
        if event["type"] == kind and fields.items() <= event.items():
            return
    pytest.fail(f"ended without {kind} {fields}")


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_interrupting_a_start_leaves_what_runs_and_the_next_start_finishes(stack: Stack, stop: signal.Signals) -> None:
    process = stack.open("start", "all")
    read_until(process, "stage_reached", service="qdrant", stage="warm")
    process.send_signal(stop)
    stdout, stderr = process.communicate()

    reply = parse(process.returncode, stdout.splitlines()[-1], stderr)
    assert reply.exit_code == 130
    assert reply.error["category"] == "interrupted"
    assert stack.container("qdrant")["State"]["Running"]
    assert {each["stage"] for each in stack.succeed("start", "all").data["services"]} == {"warm"}


@pytest.mark.parametrize("arguments", [("logs", "qdrant", "--follow"), ("status", "--watch"), ("top",)])
def test_interrupting_what_has_no_other_end_says_nothing(stack: Stack, arguments: tuple[str, ...]) -> None:
    stack.succeed("start", "qdrant", "--no-wait")
    process = stack.open(*arguments, output="text")
    assert process.stdout
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate()
    assert (process.returncode, stderr) == (130, "")


def test_followed_logs_go_on_through_a_restart_until_they_are_interrupted(stack: Stack) -> None:
    stack.succeed("start", "qdrant")
    process = stack.open("logs", "qdrant", "--follow")
    read_until(process, "log_line", service="qdrant")
    stack.succeed("restart", "qdrant")
    stopped = datetime.fromisoformat(stack.container("qdrant")["State"]["FinishedAt"])
    assert process.stdout
    assert any(datetime.fromisoformat(json.loads(line)["timestamp"]) > stopped for line in process.stdout)
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate()

    reply = parse(process.returncode, stdout.splitlines()[-1], stderr)
    assert (reply.exit_code, reply.error["category"]) == (130, "interrupted")


def test_a_second_command_waits_for_the_first_and_then_finds_nothing_to_do(stack: Stack) -> None:
    both = [stack.open("start", "qdrant") for _ in range(2)]
    replies = [
        parse(process.returncode, stdout.splitlines()[-1], stderr)
        for process, (stdout, stderr) in [(process, process.communicate()) for process in both]
    ]
    assert [reply.exit_code for reply in replies] == [0, 0]
    assert sorted(reply.envelope["changed"] for reply in replies) == [False, True]


def test_a_second_command_that_must_not_wait_is_a_conflict(stack: Stack) -> None:
    locks = stack.folder / "state" / "embctl" / "locks"
    locks.mkdir(parents=True)
    with FileLock(locks / f"{stack.name}.lock"):
        refused = stack.run("start", "qdrant", "--no-wait-lock")
    assert (refused.exit_code, refused.error["code"]) == (6, "locked")
    assert not any(stack.things().values())
