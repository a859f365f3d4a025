"""Reading from an engine that may stay silent for minutes, and yet stopping at once. Knows nothing of containers."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from queue import Empty, Full, Queue
from threading import Event, Thread
from typing import TypeVar

from embctl.engine.base import Cancel

__all__ = ["cancellable"]

T = TypeVar("T")
POLL = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class _End:
    """The source is exhausted, or broke with `error`."""

    error: BaseException | None


def cancellable(source: Callable[[], Iterator[T]], cancel: Cancel, hang_up: Callable[[], None]) -> Iterator[T]:
    """The items of `source`, until it ends, `cancel` is set or the caller leaves; then `hang_up` is called.

    `source` is called and read in a thread of its own, because no read of a socket wakes up for an event; its errors
    are raised here. A source that ignores `hang_up` is abandoned to that thread, which does not keep the process
    alive."""
    items: Queue[T | _End] = Queue(maxsize=256)
    left = Event()
    reader = Thread(target=_read, args=(source, items, left), name="engine-stream", daemon=True)
    reader.start()
    try:
        while not cancel.is_set():
            try:
                item = items.get(timeout=POLL)
            except Empty:
                continue
            if isinstance(item, _End):
                if item.error is not None:
                    raise item.error
                return
            yield item
    finally:
        left.set()
        hang_up()
        reader.join(timeout=POLL)


def _read(source: Callable[[], Iterator[T]], items: Queue[T | _End], left: Event) -> None:
    error: BaseException | None = None
    try:
        for item in source():
            if not _put(item, items, left):
                return
    except BaseException as raised:  # noqa: BLE001 - whatever it is, it belongs to the thread that asked
        error = raised
    _put(_End(error=error), items, left)


def _put(item: T | _End, items: Queue[T | _End], left: Event) -> bool:
    """Whether the item was taken before the reader's caller left."""
    while not left.is_set():
        try:
            items.put(item, timeout=POLL)
        except Full:
            continue
        return True
    return False
