"""The engine's errors, given Qdrant's status codes and words."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

import qdrant_edge as q

from embstore.errors import FormatError, Internal, NotFound, StoreError, WrongInput

__all__ = ["building", "calling", "look_up_symbols"]

_FAILURES: Final = ("Service runtime error", "Inconsistent storage", "Out of memory", "Operation cancelled", "Timeout")


def _told(error: BaseException) -> StoreError:
    message = str(error)
    if message.startswith("No point with id"):
        return NotFound(f"{message} found")
    if type(error) is not Exception or message.startswith(_FAILURES):
        return Internal(message.removeprefix("Service runtime error: ") or type(error).__name__)
    return WrongInput(message)


@contextmanager
def calling() -> Iterator[None]:
    """Around a call of the engine: everything it raises becomes a StoreError."""
    try:
        yield
    except Exception as error:
        raise _told(error) from error
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        raise _told(error) from error


@contextmanager
def building() -> Iterator[None]:
    """Around the engine's constructors: what they cannot read (a JSON path, a date, a polygon) is a FormatError."""
    try:
        yield
    except (TypeError, ValueError, OverflowError) as error:
        raise FormatError(str(error).splitlines()[0]) from error


def look_up_symbols() -> None:
    """Have the engine make an error now, while nobody waits.

    The first one in a process looks up where it came from, which reads the whole library: 60-150 ms of work under the
    interpreter lock, and later ones take one.
    """
    with suppress(Exception):
        q.EdgeShard.load(os.devnull)
