"""Processes are told apart by pid and beginning, and only the right one is signalled."""

import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace

import psutil
import pytest

from embctl.engine.native.identity import Identity, identify, is_alive, kill, terminate


@pytest.fixture
def process() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(("sleep", "600"), start_new_session=True) as process:
        yield process
        process.kill()


def identified(process: subprocess.Popen[bytes]) -> Identity:
    found = identify(process.pid)
    assert found
    return found


def test_a_process_is_recognised_as_long_as_it_runs(process: subprocess.Popen[bytes]) -> None:
    identity = identified(process)
    assert identify(process.pid) == identity
    assert is_alive(identity)
    process.kill()
    process.wait()
    assert not is_alive(identity)


def test_the_remains_of_a_process_do_not_count(process: subprocess.Popen[bytes]) -> None:
    identity = identified(process)
    process.kill()
    while psutil.Process(process.pid).status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.01)
    assert not is_alive(identity)
    assert identify(process.pid) is None


def test_nobody_is_not_alive() -> None:
    assert not is_alive(None)


def test_another_process_of_the_same_pid_is_left_alone(process: subprocess.Popen[bytes]) -> None:
    earlier = replace(identified(process), started="at another time")
    assert not is_alive(earlier)
    kill(earlier)
    terminate(earlier)
    process.send_signal(signal.SIGUSR1)
    assert process.wait() == -signal.SIGUSR1  # what had come before would have ended it


def test_a_process_is_asked_to_end(process: subprocess.Popen[bytes]) -> None:
    terminate(identified(process))
    assert process.wait() == -signal.SIGTERM


def test_a_killed_leader_takes_its_group_along() -> None:
    with subprocess.Popen(
        ("sh", "-c", "sleep 600 & echo $!; wait"), start_new_session=True, stdout=subprocess.PIPE
    ) as leader:
        assert leader.stdout
        child = identify(int(leader.stdout.readline()))
        kill(identified(leader))
        assert leader.wait() == -signal.SIGKILL
        # The pipe ends when its last writer, the child, is gone.
        assert leader.stdout.read() == b""
        assert not is_alive(child)


def test_a_process_that_leads_nobody_is_killed_alone() -> None:
    with subprocess.Popen(("sleep", "600")) as process:
        kill(identified(process))
        assert process.wait() == -signal.SIGKILL
