"""A container's log as lines: what its supervisor wrote down and, where that was killed, what has come since."""

import re
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from embctl.engine.base import Cancel
from embctl.engine.native import faults
from embctl.engine.native.container import STREAMS, Container
from embctl.engine.native.identity import is_alive
from embctl.engine.native.observing import look
from embctl.engine.native.records import stamp
from embctl.engine.native.segments import LogReader
from embctl.engine.native.spool import Spool
from embctl.model import LogLine

__all__ = ["read_log"]

POLL = 0.05
RECORD = re.compile(rb"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z) (stdout|stderr) ([FP]) (.*)", re.DOTALL)

# Time, stream and text, all as they stand in the log: most lines of a long log are only counted.
Line = tuple[bytes, bytes, bytes]


def read_log(
    container: Container, service: str, *, follow: bool, tail: int | None, since: datetime | None, cancel: Cancel
) -> Iterator[LogLine]:
    """The lines, oldest first; with `follow` until the container stops or is gone, or `cancel`."""
    if look(container) is None:
        raise faults.container_gone(container.id)
    earliest = stamp(since).encode() if since else b""
    with ExitStack() as stack:
        log = _Log(container, stack.enter_context(LogReader(container.log)))

        def fresh() -> Iterator[Line]:
            for line in log.read():
                if cancel.is_set():
                    return
                if line[0] >= earliest:
                    yield line

        yield from _told(service, fresh() if tail is None else deque(fresh(), maxlen=tail))
        while follow and not log.ended and not cancel.is_set():
            come = False
            for line in _told(service, fresh()):
                come = True
                yield line
            if not come:
                cancel.wait(POLL)


class _Log:
    """What can be read of a container's log, again and again; `ended` once there will not be more."""

    def __init__(self, container: Container, records: LogReader) -> None:
        self.ended = False
        self._container = container
        self._records = records
        self._spools: dict[bytes, Spool] = {}
        self._parts: dict[bytes, Line] = {}

    def read(self) -> Iterator[Line]:
        """The lines that have come since."""
        # Asked before reading: what was written before the end is read, then, too.
        sight = look(self._container)
        self.ended = sight is None or not sight.alive
        supervised = sight is not None and is_alive(sight.status.supervisor)
        for record in self._records.read():
            if match := RECORD.fullmatch(record):
                when, stream, extent, text = match.groups()
                yield from self._joined(when, stream, text, full=extent == b"F")
        if sight is not None and not supervised:
            for stream in STREAMS:
                yield from self._unwritten(stream)
        if self.ended:
            yield from self._parts.values()
            self._parts = {}

    def _unwritten(self, name: str) -> Iterator[Line]:
        path, stream = self._container.output(name), name.encode()
        spool = self._spools.setdefault(stream, Spool.of_reader(path))
        while True:
            pieces, length = spool.look(ended=self.ended)
            if not pieces:
                return
            when = _last_written(path)
            for piece in pieces:
                yield from self._joined(when, stream, piece.text, full=piece.full)
            spool.advance(length)

    def _joined(self, when: bytes, stream: bytes, text: bytes, *, full: bool) -> Iterator[Line]:
        begun = self._parts.pop(stream, None)
        line = (begun[0], stream, begun[2] + text) if begun else (when, stream, text)
        if full:
            yield line
        else:
            self._parts[stream] = line


def _told(service: str, lines: Iterable[Line]) -> Iterator[LogLine]:
    for when, stream, text in lines:
        yield LogLine(
            service=service,
            text=text.decode(errors="replace").rstrip("\r\n"),
            stream=stream.decode(),
            timestamp=datetime.fromisoformat(when.decode()),
        )


def _last_written(path: Path) -> bytes:
    try:
        moment = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except FileNotFoundError:
        moment = datetime.now(UTC)
    return stamp(moment).encode()
