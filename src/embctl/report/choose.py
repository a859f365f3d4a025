"""Which renderer a command gets: by the output asked for and by what is attached to its streams."""

from collections.abc import Callable
from typing import Any, TextIO

from embctl.report.base import Progress, Reporter
from embctl.report.machine import JsonLinesReporter, JsonReporter
from embctl.result import Result

__all__ = ["choose_frames", "choose_reporter"]


def choose_reporter(output: str, *, quiet: bool, timestamps: bool, stdout: TextIO, stderr: TextIO) -> Reporter:
    """A reporter for `output` ("text", "json" or "jsonl")."""
    if output == "jsonl":
        return JsonLinesReporter(stdout)
    # Rich is slow to import: programs that ask for JSON lines never pay for it.
    from embctl.report.terminal import LiveProgress, PlainProgress, TextReporter  # noqa: PLC0415

    progress: Progress | None = None
    if not quiet:
        live = output == "text" and stderr.isatty()
        progress = LiveProgress(stderr) if live else PlainProgress(stderr)
    if output == "json":
        return JsonReporter(stdout, progress)
    return TextReporter(stdout, stderr, progress, timestamps=timestamps)


def choose_frames(output: str, stdout: TextIO) -> Callable[[Result[Any]], None]:
    """What shows a result that is renewed again and again: a screen that is redrawn, or one JSON line each."""
    if output == "jsonl":
        return JsonLinesReporter(stdout).finish
    from embctl.report.terminal import Screen  # noqa: PLC0415 - see above

    return Screen(stdout).show
