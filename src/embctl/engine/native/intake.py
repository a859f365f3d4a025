"""Brings what a process writes into its container's log: stamps it, and bears a log that cannot be written."""

import os

from embctl.engine.native.container import STREAMS, Container
from embctl.engine.native.records import Definition, stamp
from embctl.engine.native.segments import LogWriter
from embctl.engine.native.spool import PORTION, TOO_MUCH, Piece, Spool

__all__ = ["Intake"]

# Looks in one turn: a process that writes without end must not keep its supervisor from anything else.
LOOKS = 32
# More than a stream's file may hold; what escaped its container and writes on must not hold up the end.
LAST_LOOKS = 2 * TOO_MUCH // PORTION


class Intake:
    """The supervisor's way from both streams to the log. Never raises OSError: what cannot be written now waits on the
    stream's file, and is given up, with a note, when it has become too much."""

    def __init__(self, container: Container, definition: Definition) -> None:
        self._log = LogWriter(container.log, size=definition.log_size, files=definition.log_files)
        self._spools = {stream: Spool.of_supervisor(container.output(stream)) for stream in STREAMS}
        self._given_up = dict.fromkeys(STREAMS, 0)

    def open(self) -> tuple[int, int]:
        """Descriptors of stdout and stderr for a process."""
        out, err = (self._spools[stream] for stream in STREAMS)
        first = out.open()
        try:
            return first, err.open()
        except OSError:
            os.close(first)
            raise

    def transfer(self) -> bool:
        """What has come since, as far as one turn allows; whether that was anything."""
        came = False
        for stream in STREAMS:
            for _ in range(LOOKS):
                if not self._take(stream, ended=False):
                    break
                came = True
        return came

    def finish(self) -> None:
        """All that an ended process has left."""
        for stream in STREAMS:
            for _ in range(LAST_LOOKS):
                if not self._take(stream, ended=True):
                    break

    def _take(self, stream: str, *, ended: bool) -> bool:
        """Whether there may be more."""
        spool = self._spools[stream]
        try:
            self._given_up[stream] += spool.skip()
            pieces, length = spool.look(ended=ended)
            if pieces or self._given_up[stream]:
                self._log.append(self._records(stream, pieces))
                self._given_up[stream] = 0
                spool.advance(length)
            elif ended:
                spool.clear()
        except OSError:
            return False
        return bool(pieces)

    def _records(self, stream: str, pieces: list[Piece]) -> bytes:
        now, lost = stamp().encode(), self._given_up[stream]
        if lost:
            note = b"embctl: %d bytes of output were given up, they came faster than they could be kept" % lost
            pieces = [Piece(text=note, full=True), *pieces]
        return b"".join(
            b"%s %s %s %s\n" % (now, stream.encode(), b"F" if piece.full else b"P", piece.text) for piece in pieces
        )
