"""What a process wrote to one of its streams and is not in the log yet.

The process writes to a file, not to a pipe: if its supervisor is killed, it neither blocks on a full pipe nor dies of a
broken one, and what it says meanwhile is kept for the next supervisor. The price is that the file must be cut from time
to time: what is written in the microseconds between the last look and the cut is lost, at most once in a megabyte.
"""

import os
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

__all__ = ["MOST_LINES", "PORTION", "TOO_MUCH", "Piece", "Spool"]

PORTION = 1 << 16
BINARY = getattr(os, "O_BINARY", 0)  # Windows would change line ends
# A stamp is longer than many a line: what is taken at once must stay small beside a file of the log.
MOST_LINES = 1000
CUT_AT = 1 << 20
TOO_MUCH = 16 << 20
# On Windows an inherited descriptor does not append: after a cut it would write far behind the new end.
CUTS_WHILE_WRITTEN = sys.platform != "win32"


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A line without its newline, or, when not `full`, a part of a line that is longer than one look."""

    text: bytes
    full: bool


class Spool:
    """The file at `path`; the place up to which it was read is in `taken`, the file beside it. Who only reads gives no
    `taken`, a place to begin at, and advances on its own."""

    def __init__(self, path: Path, taken: Path | None, place: int) -> None:
        self._path = path
        self._taken = taken
        self._place = place
        self._looked_at = -1
        self._in_line = False
        self._leaves_line = False

    @classmethod
    def of_supervisor(cls, path: Path) -> "Spool":
        """For the one who brings it into the log, and goes on where the last one was."""
        return cls(path, _taken(path), _placed(path))

    @classmethod
    def of_reader(cls, path: Path) -> "Spool":
        """For somebody who reads what is not in the log."""
        return cls(path, None, _placed(path))

    def open(self) -> int:
        """A descriptor for the process to write to."""
        return os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def look(self, *, ended: bool) -> tuple[list[Piece], int]:
        """The next pieces, and the number of bytes to advance by once they are safe. When the process `ended`, the last
        line counts without a newline."""
        size = self._size()
        if size < self._place:
            self._move(0)  # somebody cut it
        if size == self._looked_at and not ended:
            return [], 0
        chunk = self._read()
        *lines, rest = chunk.split(b"\n", MOST_LINES)
        pieces = [Piece(text=line, full=True) for line in lines]
        length = len(chunk) - len(rest)
        at_end = len(chunk) < PORTION and b"\n" not in rest
        over = ended and at_end and bool(rest or (self._in_line and not lines))
        if over or (not lines and not at_end):
            pieces.append(Piece(text=rest, full=over))
            length = len(chunk)
        self._leaves_line = bool(pieces) and not pieces[-1].full
        self._looked_at = -1 if pieces else size
        return pieces, length

    def advance(self, length: int) -> None:
        """The pieces are safe; make room when there is much that nobody needs."""
        self._in_line = self._leaves_line
        self._move(self._place + length)
        if CUTS_WHILE_WRITTEN and self._taken and self._place >= CUT_AT:
            # In this order: killed in between, the next supervisor repeats lines, but loses none.
            _note(self._taken, 0)
            if self._size() == self._place:
                self.clear()
            else:
                _note(self._taken, self._place)

    def skip(self) -> int:
        """Give up what is waiting if it is so much that it must not grow further; how many bytes that were."""
        size = self._size()
        waiting = size - self._place
        if waiting <= TOO_MUCH:
            return 0
        if CUTS_WHILE_WRITTEN:
            self.clear()
        else:
            self._move(size)
        return waiting

    def clear(self) -> None:
        """Nothing of it is needed any more: begin anew."""
        with suppress(FileNotFoundError):
            os.truncate(self._path, 0)
        self._move(0)

    def _move(self, place: int) -> None:
        self._place = place
        self._looked_at = -1
        if self._taken:
            _note(self._taken, place)

    def _read(self) -> bytes:
        try:
            descriptor = os.open(self._path, os.O_RDONLY | BINARY)
        except FileNotFoundError:
            return b""
        try:
            os.lseek(descriptor, self._place, os.SEEK_SET)
            return os.read(descriptor, PORTION)
        finally:
            os.close(descriptor)

    def _size(self) -> int:
        try:
            return self._path.stat().st_size
        except FileNotFoundError:
            return 0


def _taken(path: Path) -> Path:
    return path.with_name(f"{path.name}.taken")


def _placed(path: Path) -> int:
    try:
        return int(_taken(path).read_bytes())
    except (FileNotFoundError, ValueError):
        return 0


def _note(taken: Path, place: int) -> None:
    """In place and of one length: it costs no room on a full disk, and whoever reads it finds the old or the new."""
    descriptor = os.open(taken, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        os.write(descriptor, b"%020d" % place)
    finally:
        os.close(descriptor)
