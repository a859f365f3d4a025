"""Space taken, and space free, which is checked before each write: the engine writes through memory maps, and a full
disk under a memory map kills the process with SIGBUS instead of failing the call."""

import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from embstore.errors import Internal

__all__ = ["FLUSH_RESERVE", "LOAD_RESERVE", "WRITE_RESERVE", "DiskGuard", "taken_bytes"]

_MIB = 1024 * 1024
# A write may fill the rest of one preallocated (sparse) 32 MB log segment and open the next.
WRITE_RESERVE = 2 * 32 * _MIB
# Opening a collection replays its log over pages that mostly exist already.
LOAD_RESERVE = 16 * _MIB
# A flush writes the first pages of what was mapped and not yet touched: a few for each file.
FLUSH_RESERVE = 4 * _MIB
# Log, vectors, payload and indexes together took 2.04 times the raw size of a batch when measured.
_GROWTH = 4


class DiskGuard:
    """Admits writes to one file system while what all of them may still need is free."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._promised = 0

    @contextmanager
    def room_for(self, size: int, *, reserve: int = WRITE_RESERVE) -> Iterator[None]:
        """Hold room for `size` raw bytes beside `reserve`; Internal ("No space left…") when there is none."""
        need = size * _GROWTH
        with self._lock:
            free = shutil.disk_usage(self._folder).free
            if free < self._promised + need + reserve:
                raise Internal(
                    f"No space left on device: this write needs {(need + reserve) // _MIB} MiB free in "
                    f"{self._folder}, and {(free - self._promised) // _MIB} MiB are. Nothing was changed; free some "
                    "space and repeat the request."
                )
            self._promised += need
        try:
            yield
        finally:
            with self._lock:
                self._promised -= need


def taken_bytes(folder: Path) -> int:
    """What all files below take on the disk; one may vanish meanwhile."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                found = os.stat(os.path.join(parent, name))  # noqa: PTH116, PTH118 - hot over many files
            except FileNotFoundError:
                continue
            # Blocks of 512 bytes, where the system counts them: sparse files take less than their size.
            total += found.st_blocks * 512 if hasattr(found, "st_blocks") else found.st_size
    return total
