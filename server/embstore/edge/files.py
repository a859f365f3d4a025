"""The files of a shard, as far as the adapter must know them: how they reach the disk, and how many rows they hold.

The engine's own flush orders its writes well: the log, then ids, vectors and payloads, then versions, then it cuts the
log. An update in between only reaches the log's memory map, which outlives the process and not the machine.
"""

import contextlib
import os
from pathlib import Path
from typing import Final

__all__ = ["rows_taken", "sync_log", "sync_tree"]

_LOG: Final = "wal"
_VERSION_BYTES: Final = 8


def _sync(path: str, flags: int) -> None:
    with contextlib.suppress(FileNotFoundError):
        descriptor = os.open(path, flags)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def sync_tree(folder: Path) -> None:
    """Bring every file and folder below to the disk, one by one and with the interpreter lock released."""
    for parent, _, names in os.walk(folder):
        for name in names:
            _sync(os.path.join(parent, name), os.O_RDWR)  # noqa: PTH118 - hot over many files
        if os.name != "nt":
            _sync(parent, os.O_RDONLY)


def sync_log(folder: Path) -> None:
    """Bring the log's open segments to the disk: what they hold is replayed after a loss of power too.

    A segment that has filled up is renamed, which the folder's own entry has to follow.
    """
    log = folder / _LOG
    segments = [entry for entry in os.scandir(log) if entry.name.startswith(("open-", "closed-"))]
    for entry in segments:
        _sync(entry.path, os.O_RDWR)
    if os.name != "nt":
        _sync(str(log), os.O_RDONLY)


def rows_taken(folder: Path) -> int:
    """How many rows the points took so far, as of the last flush; a deleted point's row is never taken again."""
    versions = folder.glob("segments/*/mutable_id_tracker.versions")
    return sum(path.stat().st_size // _VERSION_BYTES for path in versions)
