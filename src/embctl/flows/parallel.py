"""Does several things side by side and hands over each result as it comes; Ctrl-C is heard at any moment."""

from collections.abc import Callable, Iterator, Mapping
from queue import Empty, Queue
from threading import Thread
from typing import TypeVar

__all__ = ["as_they_come", "received"]

T = TypeVar("T")
# An untimed wait for a queue cannot be interrupted on Windows.
POLL = 0.2


def received(queue: "Queue[T]") -> T:
    """The queue's next item, waited for in a way that Ctrl-C can interrupt."""
    while True:
        try:
            return queue.get(timeout=POLL)
        except Empty:
            continue


def as_they_come(tasks: Mapping[str, Callable[[], T]]) -> Iterator[tuple[str, T]]:
    """Each task's name and result, first come first served; a task's exception is raised when its turn comes.

    Threads are daemons: leaving the loop early leaves them to end by themselves, and never holds up the exit.
    """
    done: Queue[tuple[str, T | BaseException]] = Queue()

    def run(name: str, task: Callable[[], T]) -> None:
        try:
            done.put((name, task()))
        except BaseException as error:  # noqa: BLE001 - carried over to the thread that asked
            done.put((name, error))

    for name, task in tasks.items():
        Thread(target=run, args=(name, task), name=name, daemon=True).start()
    for _ in tasks:
        name, outcome = received(done)
        if isinstance(outcome, BaseException):
            raise outcome
        yield name, outcome
