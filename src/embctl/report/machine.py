"""Output for programs: one JSON envelope, or JSON lines that end in it. Standard output carries nothing else."""

import json
from typing import Any, TextIO

from embctl.events import Event
from embctl.model import LogLine
from embctl.outcomes import Streamed
from embctl.report.base import Progress
from embctl.report.jsonable import envelope, event_object
from embctl.result import Result

__all__ = ["JsonLinesReporter", "JsonReporter"]


def _write(stream: TextIO, value: Any, *, indent: int | None = None) -> None:
    stream.write(json.dumps(value, ensure_ascii=False, indent=indent) + "\n")
    stream.flush()


class JsonReporter:
    """Exactly one envelope on `stdout`; events go to `progress` (standard error), which may be None."""

    def __init__(self, stdout: TextIO, progress: Progress | None) -> None:
        self._stdout = stdout
        self._progress = progress
        self._lines: list[dict[str, Any]] = []

    def emit(self, event: Event) -> None:
        """Pass the event on: it is not part of the envelope."""
        if self._progress:
            self._progress.emit(event)

    def log(self, line: LogLine) -> None:
        """Collect the line: it becomes part of `data`."""
        self._lines.append(event_object(line))

    def finish(self, result: Result[Any]) -> None:
        """Write the envelope."""
        document = envelope(result)
        if isinstance(result.data, Streamed):
            document["data"]["log"] = self._lines
        _write(self._stdout, document, indent=2)


class JsonLinesReporter:
    """One line of JSON an event as it happens, the envelope (with type "result") as the last line."""

    def __init__(self, stdout: TextIO) -> None:
        self._stdout = stdout

    def emit(self, event: Event) -> None:
        """Write the event."""
        _write(self._stdout, event_object(event))

    def log(self, line: LogLine) -> None:
        """Write the line."""
        _write(self._stdout, event_object(line))

    def finish(self, result: Result[Any]) -> None:
        """Write the envelope."""
        _write(self._stdout, {"type": "result", **envelope(result)})
