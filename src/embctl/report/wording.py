"""The sentences in which people read events and figures; no styles, no streams."""

from datetime import datetime

from embctl.events import (
    Event,
    Note,
    OperationFailed,
    OperationFinished,
    OperationProgress,
    OperationStarted,
    Progress,
    StageProgress,
    StageReached,
)

__all__ = ["duration", "event_line", "keys", "progress_text", "size", "timestamp"]

_DOING = {
    "CreateNetwork": ("creating", "created"),
    "CreateVolume": ("creating", "created"),
    "PullImage": ("pulling", "pulled"),
    "BuildImage": ("building", "built"),
    "FetchModel": ("fetching", "fetched"),
    "CreateContainer": ("creating", "created"),
    "RenameContainer": ("renaming", "renamed"),
    "StartContainer": ("starting", "started"),
    "StopContainer": ("stopping", "stopped"),
    "RemoveContainer": ("removing", "removed"),
    "RemoveNetwork": ("removing", "removed"),
    "RemoveVolume": ("removing", "removed"),
}
_KIB = 1024.0
_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def size(count: float) -> str:
    """Bytes as people read them: 512 B, 1.5 GiB."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < _KIB:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= _KIB
    return f"{count:.1f} TiB"


def duration(seconds: float) -> str:
    """Seconds as people read them: 0.4 s, 2 min 5 s, 3 h 10 min, 4 d 2 h."""
    if seconds < _MINUTE:
        return f"{seconds:.1f} s"
    whole = int(seconds)
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE} s"
    if whole < _DAY:
        return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE} min"
    return f"{whole // _DAY} d {whole % _DAY // _HOUR} h"


def keys(chord: str) -> str:
    """A chord as keyboards are labelled: Ctrl+Shift+9."""
    return "+".join(part.capitalize() for part in chord.split("+"))


def timestamp(moment: datetime) -> str:
    """A log line's time, UTC, to the millisecond."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def progress_text(progress: Progress) -> str:
    """What, and how much of how much."""
    if not progress.total:
        return progress.text
    if progress.unit == "B":
        return f"{progress.text} {size(progress.done)} of {size(progress.total)}"
    return f"{progress.text} ({progress.done}/{progress.total} {progress.unit})"


def event_line(event: Event) -> str:
    """One line for one event, in words; subject first."""
    match event:
        case OperationStarted():
            return f"{_subject(event.target)}: {_DOING[event.verb][0]} ({event.cause})"
        case OperationProgress():
            return f"{_subject(event.target)}: {progress_text(event.progress)}"
        case OperationFinished():
            return f"{_subject(event.target)}: {_DOING[event.verb][1]} in {duration(event.seconds)}"
        case OperationFailed():
            return f"{_subject(event.target)}: {_DOING[event.verb][0]} failed"
        case StageReached():
            detail = f" · {event.detail}" if event.detail else ""
            return f"{event.service}: {event.stage} after {duration(event.seconds)}{detail}"
        case StageProgress():
            return f"{event.service}: {progress_text(event.progress)}"
        case Note():
            return event.message


def _subject(target: str) -> str:
    """Services go by their names; everything else says what it is."""
    return target.removeprefix("service:").replace(":", " ", 1)
