"""What a shard's files held at its last flush, so that a loss is noticed: the engine opens a shortened list of ids
without a word, with fewer points.

The list of ids only grows, so its sealed part must still be there, byte for byte; the mapped files never shrink, and
reading beyond the end of one would kill the process. What came after the last flush is in the log and is not sealed.
"""

import os
import zlib
from pathlib import Path
from typing import Any, Final

import orjson

from embstore.errors import Internal

__all__ = ["Seal"]

_FILE: Final = "seal.json"
_FORMAT: Final = 1
_IDS: Final = "segments/*/mutable_id_tracker.mappings"
_GROWING: Final = (
    "segments/*/mutable_id_tracker.versions",
    "segments/*/vector_storage/vectors/chunk_*.mmap",
    "segments/*/payload_storage/page_*.dat",
    "segments/*/payload_storage/tracker.dat",
)
_BLOCK: Final = 1024 * 1024


class Seal:
    """The sizes of one shard's files, and the checksums of its lists of ids, as of the last flush."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ids: dict[str, tuple[int, int]] = {}

    def check(self) -> None:
        """Compare the files with the seal; Internal names what is missing. A shard never flushed has no seal."""
        path = self._folder / _FILE
        try:
            content = orjson.loads(path.read_bytes())
            if content["format"] != _FORMAT:
                raise Internal(f"{path} is of format {content['format']}, this version reads {_FORMAT}")
            self._ids = {name: (size, checksum) for name, (size, checksum) in content["ids"].items()}
            sizes: dict[str, int] = content["sizes"] | {name: size for name, (size, _) in self._ids.items()}
        except FileNotFoundError:
            return
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise Internal(f"{path} cannot be read: {error}") from error
        for name, size in sizes.items():
            self._expect(name, size)
        for name, (size, checksum) in self._ids.items():
            if _checksum(self._folder / name, 0, size, 0) != checksum:
                raise Internal(f"{self._folder / name} is damaged: its first {size} bytes have changed since the flush")

    def _expect(self, name: str, size: int) -> None:
        path = self._folder / name
        found = path.stat().st_size if path.is_file() else 0
        if found < size:
            raise Internal(f"{path} has lost data: it holds {found} bytes, and {size} were flushed to the disk")

    def renew(self) -> None:
        """Seal the files as they are, right after a flush; OSError leaves the seal before, which stays true."""
        for path in self._folder.glob(_IDS):
            name, size = self._name(path), path.stat().st_size
            known, checksum = self._ids.get(name, (0, 0))
            self._ids[name] = (size, _checksum(path, known, size, checksum))
        sizes = {self._name(path): path.stat().st_size for pattern in _GROWING for path in self._folder.glob(pattern)}
        self._write({"format": _FORMAT, "ids": self._ids, "sizes": sizes})

    def _name(self, path: Path) -> str:
        return path.relative_to(self._folder).as_posix()

    def _write(self, content: dict[str, Any]) -> None:
        draft = self._folder / f"{_FILE}.new"
        with draft.open("wb") as file:
            file.write(orjson.dumps(content))
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._folder / _FILE)


def _checksum(path: Path, start: int, end: int, before: int) -> int:
    checksum = before
    with path.open("rb") as file:
        file.seek(start)
        while start < end and (block := file.read(min(_BLOCK, end - start))):
            checksum = zlib.crc32(block, checksum)
            start += len(block)
    return checksum
