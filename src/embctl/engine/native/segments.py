"""A container's log on disk: numbered files of limited size, of which the newest are kept.

Each record is one line as Kubernetes' runtimes write it: time, stream, F(ull) or P(artial: the same line goes on in the
stream's next record), text. Nothing is ever renamed, so a reader cannot be confused by a rotation, nor hinder one.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

__all__ = ["LogReader", "LogWriter", "log_size"]

PORTION = 1 << 16
BINARY = getattr(os, "O_BINARY", 0)  # Windows would change line ends
FACTORS = {"b": 1, "k": 10**3, "m": 10**6, "g": 10**9}


def log_size(text: str) -> int:
    """Bytes of "10m", as Docker reads it. Raises ValueError."""
    number, factor = (text[:-1], FACTORS[text[-1].lower()]) if text[-1:].lower() in FACTORS else (text, 1)
    return int(float(number) * factor)


class LogWriter:
    """Appends to the newest file of `folder`; begins a new one before it would have more than `size` bytes, and keeps
    `files` of them. Records that are more than that by themselves get a file of their own."""

    def __init__(self, folder: Path, *, size: int, files: int) -> None:
        self._folder = folder
        self._size = size
        self._files = files

    def append(self, records: bytes) -> None:
        """Write whole records, or raise OSError and write nothing of them."""
        numbers = _numbers(self._folder)
        number = numbers[-1] if numbers else 1
        path = _path(self._folder, number)
        if numbers and path.stat().st_size + len(records) > self._size:
            number += 1
            path = _path(self._folder, number)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | BINARY, 0o600)
        try:
            _append(descriptor, records)
        finally:
            os.close(descriptor)
        for old in numbers:
            if old <= number - self._files:
                # On Windows it cannot go while somebody reads it; then it goes at the next turn.
                try:
                    _path(self._folder, old).unlink(missing_ok=True)
                except PermissionError:
                    continue


class LogReader:
    """Hands over each record of `folder` once, in order, also those that are written later."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._number = 0
        self._descriptor: int | None = None
        self._rest = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def read(self) -> Iterator[bytes]:
        """The records that have come since."""
        while True:
            # Asked before the file is read to its end: nothing more comes to it once there is a newer one.
            newer = [number for number in _numbers(self._folder) if number > self._number]
            if self._descriptor is not None:
                yield from self._rest_of_file()
            if not newer:
                return
            if self._rest:  # a writer was killed in the midst of it
                yield self._rest
            self._open(newer[0])

    def _rest_of_file(self) -> Iterator[bytes]:
        while self._descriptor is not None and (portion := os.read(self._descriptor, PORTION)):
            *records, self._rest = (self._rest + portion).split(b"\n")
            yield from records

    def _open(self, number: int) -> None:
        self._close()
        self._number, self._rest = number, b""
        try:
            self._descriptor = os.open(_path(self._folder, number), os.O_RDONLY | BINARY)
        except FileNotFoundError:
            self._descriptor = None  # dropped since it was listed

    def _close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _append(descriptor: int, records: bytes) -> None:
    size = os.fstat(descriptor).st_size
    if size:
        os.lseek(descriptor, size - 1, os.SEEK_SET)
        if os.read(descriptor, 1) != b"\n":
            records = b"\n" + records  # an earlier writer was killed in the midst of a record
    written = 0
    try:
        while written < len(records):
            written += os.write(descriptor, records[written:])
    except OSError:
        os.ftruncate(descriptor, size)
        raise


def _path(folder: Path, number: int) -> Path:
    return folder / f"{number:09}"


def _numbers(folder: Path) -> list[int]:
    try:
        return sorted(int(entry.name) for entry in folder.iterdir() if entry.name.isdigit())
    except FileNotFoundError:
        return []
