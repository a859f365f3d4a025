"""How far a long step is, told to whoever asked: counts of bytes, measured where they arrive (the disk)."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["Progress", "folder_size", "measured"]

Progress = Callable[[int, int | None], None]
"""Called with the bytes done and, where known, the bytes to do."""

_POLL_SECONDS = 0.5


def folder_size(folder: Path) -> int:
    """Bytes in the files below `folder`; files that vanish meanwhile count nothing."""
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size if path.is_file() else 0
        except OSError:
            continue
    return total


@contextmanager
def measured(folder: Path, total: int | None, report: Progress) -> Iterator[None]:
    """Report the growth of `folder` while the block runs, and once more after it succeeded.

    Measuring the folder works the same for every downloader and counts what an earlier, interrupted run left there.
    """
    done = threading.Event()

    def watch() -> None:
        while not done.wait(_POLL_SECONDS):
            size = folder_size(folder)
            report(size if total is None else min(size, total), total)

    report(0, total)
    watcher = threading.Thread(target=watch, name="progress", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()
    size = folder_size(folder)
    report(size if total is None else total, total)
