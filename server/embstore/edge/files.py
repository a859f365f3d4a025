"""The files of a shard, as far as the adapter must know them: how they reach the disk, and how many rows they hold.

The engine's own flush orders its writes well: the log, then ids, vectors and payloads, then versions, then it cuts the
log. An update in between only reaches the log's memory map, which outlives the process and not the machine.
"""

import os
from pathlib import Path
from typing import Final

__all__ = ["rows_taken", "sync_log", "sync_tree"]

_LOG: Final = "wal"
_VERSION_BYTES: Final = 8


def _sync(path: str, flags: int) -> bool:
    """Whether there was such a file."""
    try:
        descriptor = os.open(path, flags)
    except FileNotFoundError:
        return False
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return True


def sync_tree(folder: Path) -> None:
    """Bring every file and folder below to the disk, one by one and with the interpreter lock released."""
    for parent, _, names in os.walk(folder):
        for name in names:
            _sync(os.path.join(parent, name), os.O_RDWR)  # noqa: PTH118 - hot over many files
        if os.name != "nt":
            _sync(parent, os.O_RDONLY)


def sync_log(folder: Path) -> None:
    """Bring the log's open segments to the disk: what they hold is replayed after a loss of power too.

    A segment that has filled up is renamed, which the folder's own entry has to follow; when that happens meanwhile, it
    is looked for under its new name.
    """
    log = folder / _LOG
    synced: set[str] = set()
    while found := {name for name in os.listdir(log) if name.startswith(("open-", "closed-"))} - synced:  # noqa: PTH208 - hot
        synced |= {name for name in found if _sync(str(log / name), os.O_RDWR)}
    if os.name != "nt":
        _sync(str(log), os.O_RDONLY)


def rows_taken(folder: Path) -> int:
    """How many rows the points took so far, as of the last flush; a deleted point's row is never taken again."""
    versions = folder.glob("segments/*/mutable_id_tracker.versions")
    return sum(path.stat().st_size // _VERSION_BYTES for path in versions)
