"""When a process is started again, and after which pause: Docker's rules."""

import pytest

from embctl.engine.native.policy import Backoff, restarts


@pytest.mark.parametrize(
    ("policy", "exit_code", "again"),
    [
        ("no", 1, False),
        ("on-failure", 0, False),
        ("on-failure", 1, True),
        ("unless-stopped", 0, True),
        ("always", 0, True),
    ],
)
def test_a_policy_decides_by_the_exit_code(policy: str, exit_code: int, again: bool) -> None:
    assert restarts(policy, exit_code) is again


def test_the_pause_doubles_up_to_a_minute() -> None:
    backoff = Backoff()
    assert [backoff.after(0.5) for _ in range(12)] == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 51.2, 60.0, 60.0]


def test_a_run_that_lasted_begins_the_pauses_anew() -> None:
    backoff = Backoff()
    for _ in range(5):
        backoff.after(0.5)
    assert [backoff.after(10.0), backoff.after(0.5)] == [0.1, 0.2]
