"""Several things at once."""

import threading

import pytest

from embctl.flows.parallel import as_they_come


def test_results_come_in_the_order_in_which_they_are_ready() -> None:
    first_is_taken = threading.Event()

    def slow() -> int:
        first_is_taken.wait(timeout=30)
        return 2

    results = []
    for name, value in as_they_come({"slow": slow, "fast": lambda: 1}):
        results.append((name, value))
        first_is_taken.set()
    assert results == [("fast", 1), ("slow", 2)]


def test_an_exception_is_raised_where_the_result_was_asked_for() -> None:
    def fail() -> int:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        list(as_they_come({"bad": fail}))


def test_leaving_early_does_not_wait_for_the_rest() -> None:
    never = threading.Event()

    def stuck() -> int:
        never.wait()
        return 0

    for name, _ in as_they_come({"stuck": stuck, "fast": lambda: 1}):
        assert name == "fast"
        break
    never.set()
