"""Output for people: live progress on a terminal, plain lines elsewhere. Results go to standard output, all else to
standard error."""

from typing import Any, TextIO

import rich.progress
from rich.console import Console
from rich.progress import BarColumn, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

from embctl.events import (
    Event,
    Note,
    OperationFailed,
    OperationFinished,
    OperationProgress,
    OperationStarted,
    Stage,
    StageProgress,
    StageReached,
)
from embctl.model import LogLine
from embctl.report.base import Progress
from embctl.report.views import error_view, view
from embctl.report.wording import event_line, timestamp
from embctl.result import Result

__all__ = ["LiveProgress", "PlainProgress", "Screen", "TextReporter"]

# Wide enough that no table wraps where nobody sees a screen: lines are for grep there.
PIPE_WIDTH = 240
# Progress is for glancing at; what a failing step printed is in its error, whole.
LINE = 160
_COLOURS = ("cyan", "magenta", "green", "yellow", "blue")


def console(stream: TextIO) -> Console:
    """A console that wraps on a terminal and never in a pipe."""
    return Console(file=stream, highlight=False, soft_wrap=False, width=None if stream.isatty() else PIPE_WIDTH)


class PlainProgress:
    """One line an event; of progress only each new step and each tenth of a download."""

    def __init__(self, stderr: TextIO) -> None:
        self._stderr = stderr
        self._last: dict[str, tuple[str, int]] = {}

    def emit(self, event: Event) -> None:
        """Write the event's line."""
        if isinstance(event, OperationProgress | StageProgress):
            key = event.target if isinstance(event, OperationProgress) else event.service
            progress = event.progress
            if not progress.total:
                return
            tenths = progress.done * 10 // progress.total if progress.unit == "B" else 0
            if self._last.get(key) == (progress.text, tenths):
                return
            self._last[key] = progress.text, tenths
        line = event_line(event)
        self._stderr.write(line if len(line) <= LINE else f"{line[: LINE - 1]}…")
        self._stderr.write("\n")
        self._stderr.flush()

    def close(self) -> None:
        """Nothing is open."""


class LiveProgress:
    """What runs now with a spinner and a bar, what is done as lines above it."""

    def __init__(self, stderr: TextIO) -> None:
        self._console = console(stderr)
        self._progress = rich.progress.Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            TimeElapsedColumn(),
            console=self._console,
            transient=True,
        )
        self._tasks: dict[str, TaskID] = {}

    def emit(self, event: Event) -> None:
        """Show the event."""
        self._progress.start()
        match event:
            case OperationStarted():
                self._show(f"#{event.id}", event_line(event))
            case OperationProgress(progress=progress):
                self._show(f"#{event.id}", event_line(event), progress.done, progress.total)
            case OperationFinished():
                self._done(f"#{event.id}", "✔", "green", event)
            case OperationFailed():
                self._done(f"#{event.id}", "✘", "red", event)
            case StageReached():
                self._done(event.service, "✔", "green", event)
                if event.stage is not Stage.WARM:
                    self._show(event.service, f"{event.service}: waiting for its next step")
            case StageProgress(progress=progress):
                self._show(event.service, event_line(event), progress.done, progress.total)
            case Note():
                self._console.print(event_line(event), style="yellow" if event.warning else "dim", markup=False)

    def _show(self, key: str, text: str, done: int = 0, total: int = 0) -> None:
        if key not in self._tasks:
            self._tasks[key] = self._progress.add_task("", total=None)
        # What the spinner, the bar and the clock leave of a line.
        room = max(20, self._console.width - 42)
        self._progress.update(self._tasks[key], description=text[:room], completed=done, total=total or None)

    def _done(self, key: str, mark: str, colour: str, event: Event) -> None:
        if key in self._tasks:
            self._progress.remove_task(self._tasks.pop(key))
        self._console.print(Text.assemble((mark, colour), " ", event_line(event)))

    def close(self) -> None:
        """Take the live part off the screen."""
        self._progress.stop()


class TextReporter:
    """Events through `progress` (None when quiet), the result's view on `stdout`, errors and warnings on `stderr`."""

    def __init__(self, stdout: TextIO, stderr: TextIO, progress: Progress | None, *, timestamps: bool = False) -> None:
        self._stdout = stdout
        self._stderr = stderr
        self._out = console(stdout)
        self._errors = console(stderr)
        self._progress = progress
        self._quiet = progress is None
        self._timestamps = timestamps
        self._colours: dict[str, str] = {}

    def emit(self, event: Event) -> None:
        """Pass the event on."""
        if self._progress:
            self._progress.emit(event)

    def log(self, line: LogLine) -> None:
        """Write the line behind its service's name."""
        colour = self._colours.setdefault(line.service, _COLOURS[len(self._colours) % len(_COLOURS)])
        moment = f"{timestamp(line.timestamp)} " if self._timestamps and line.timestamp else ""
        self._out.print(Text(f"{line.service:<6} | ", style=colour), end="")
        # Written past the console: a log line is never wrapped, highlighted or read as markup.
        self._stdout.write(f"{moment}{line.text}\n")
        self._stdout.flush()

    def finish(self, result: Result[Any]) -> None:
        """Write the view of the data, then warnings and the error."""
        if self._progress:
            self._progress.close()
        shown = view(result.data)
        if shown is not None and not self._quiet:
            self._out.print(shown, crop=False)  # views wrap what may be wrapped
        for warning in result.warnings:
            self._errors.print(f"warning: {warning}", style="yellow", markup=False)
        if result.error and result.verdict:
            # An end that was asked for: a terminal shows ^C, and the prompt belongs on the next line.
            self._stderr.write("\n" if self._stderr.isatty() else "")
        elif result.error:
            self._errors.print(error_view(result.error), soft_wrap=True)


class Screen:
    """A view that replaces the one before it on a terminal, and follows it elsewhere."""

    def __init__(self, stdout: TextIO) -> None:
        self._out = console(stdout)

    def show(self, result: Result[Any]) -> None:
        """Draw the view of the result's data."""
        self._out.clear()
        self._out.print(view(result.data))
