"""Locks that the operating system gives back when their holder dies. Smaller than the library for it, whose import
would cost every supervisor 30 ms and 6 MB."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["hold"]

POLL = 0.02


@contextmanager
def hold(path: Path, *, patience: float) -> Iterator[bool]:
    """Whether the lock on the existing file `path` was had within `patience` seconds; it is held meanwhile.

    A descriptor of its own each time: threads of one process exclude each other too.
    """
    descriptor = os.open(path, os.O_RDWR)
    try:
        # Closing gives it back.
        yield _acquired(descriptor, time.monotonic() + patience)
    finally:
        os.close(descriptor)


def _acquired(descriptor: int, deadline: float) -> bool:
    while not _try(descriptor):
        if time.monotonic() >= deadline:
            return False
        time.sleep(POLL)
    return True


def _try(descriptor: int) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt  # noqa: PLC0415 - exists there alone

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl  # noqa: PLC0415 - exists elsewhere alone

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True
