"""Reads what the embedding server prints: how far a model's download is, and why it gave up."""

import json
from collections.abc import Sequence
from typing import Any

from embctl.events import Progress

__all__ = ["errors_in", "failure_of", "progress_of"]


_LEVELS = ("error", "critical")


def progress_of(line: str) -> Progress | None:
    """The progress that a line of the log tells; None for any other line."""
    record = _record(line)
    if record.get("event") != "progress":
        return None
    done, total = record.get("done") or 0, record.get("total") or 0
    return Progress(text="downloading", done=int(done), total=int(total), unit="B")


def failure_of(lines: Sequence[str]) -> str:
    """Why it failed, in the server's own words; the last line where it left none (any other program's log)."""
    for line in reversed(lines):
        if detail := _record(line).get("detail"):
            return str(detail)
    return lines[-1] if lines else "it printed nothing"


def errors_in(lines: Sequence[str]) -> list[str]:
    """What went wrong, of the lines of either service: those whose level says so, as a sentence where they have one."""
    found = []
    for line in lines:
        record = _record(line)
        if str(record.get("level", "")).lower() in _LEVELS:
            found.append(str(record.get("detail") or record.get("event") or line))
        elif not record and any(f" {level.upper()} " in line for level in _LEVELS):
            found.append(line)
    return found


def _record(line: str) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except ValueError:
        return {}
    return record if isinstance(record, dict) else {}
