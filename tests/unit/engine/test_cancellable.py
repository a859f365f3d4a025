"""Reading what may stay silent, and stopping at once."""

from collections.abc import Iterator
from itertools import count
from threading import Event

import pytest

from embctl.engine.cancellable import cancellable


class Source:
    """Yields what it was given, then stays silent until somebody hangs up."""

    def __init__(self, *items: int) -> None:
        self.items = items
        self.hung_up = Event()

    def read(self) -> Iterator[int]:
        yield from self.items
        self.hung_up.wait()


def test_items_come_through_in_order_until_the_source_ends() -> None:
    hung_up = Event()
    assert list(cancellable(lambda: iter(range(1000)), Event(), hung_up.set)) == list(range(1000))
    assert hung_up.is_set()


def test_a_silent_source_is_left_when_cancelled() -> None:
    source, cancel, seen = Source(1, 2), Event(), list[int]()
    for item in cancellable(source.read, cancel, source.hung_up.set):
        seen.append(item)
        if item == 2:
            cancel.set()
    assert seen == [1, 2]
    assert source.hung_up.is_set()


def test_an_endless_source_is_left_when_the_reader_leaves() -> None:
    hung_up = Event()
    items = cancellable(lambda: iter(count()), Event(), hung_up.set)
    assert next(items) == 0
    items.close()  # type: ignore[attr-defined]  # a generator's
    assert hung_up.is_set()


def test_an_error_of_the_source_is_the_readers() -> None:
    def broken() -> Iterator[int]:
        yield 1
        raise ConnectionResetError

    items = cancellable(broken, Event(), lambda: None)
    assert next(items) == 1
    with pytest.raises(ConnectionResetError):
        next(items)
