"""One process a storage folder: an operating-system lock that dies with its owner, and says who that is."""

import os
import sys
from pathlib import Path
from typing import IO

from embstore.errors import StorageLocked

__all__ = ["StorageLock"]

_LONGEST_PID = 32

if sys.platform == "win32":
    import msvcrt

    # Locks are mandatory there: one byte far behind the owner's pid leaves the pid readable.
    _LOCKED_BYTE = 1024

    def _take(file: IO[str]) -> None:
        file.seek(_LOCKED_BYTE)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _take(file: IO[str]) -> None:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)


class StorageLock:
    """Held from construction to `release()`, or to the end of the process, however it ends."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / ".lock"
        path.touch()
        self._file = path.open("r+", encoding="ascii")
        try:
            _take(self._file)
        except OSError as error:
            self._file.seek(0)
            owner = self._file.read(_LONGEST_PID).strip() or "unknown"
            self._file.close()
            raise StorageLocked(
                f"The storage folder {folder} is in use by another process (pid {owner}). "
                "Stop that process, or choose another folder with QDRANT__STORAGE__STORAGE_PATH."
            ) from error
        self._file.seek(0)
        self._file.truncate()
        self._file.write(f"{os.getpid()}\n")
        self._file.flush()

    def release(self) -> None:
        """Let another process in; the file stays, since removing it would let two in."""
        self._file.close()
