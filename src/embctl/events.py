"""What happens while a command runs, as data: flows and apply emit events, report renders them. No printing here."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

__all__ = [
    "Event",
    "Note",
    "OperationFailed",
    "OperationFinished",
    "OperationProgress",
    "OperationStarted",
    "Progress",
    "Sink",
    "Stage",
    "StageProgress",
    "StageReached",
]


class Stage(StrEnum):
    """The four visible steps of readiness, in order."""

    CREATED = "created"
    LISTENING = "listening"
    LOADED = "loaded"
    WARM = "warm"


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a long operation is: `text` says what; `done` of `total` in `unit` ("B", "layers", "steps"), total 0 when
    unknown. A `text` alone is a line of build output."""

    text: str
    done: int = 0
    total: int = 0
    unit: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationStarted:
    """An operation of the plan begins: `id` in the plan, `verb` and `target` as the plan prints them."""

    id: int
    verb: str
    target: str
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationProgress:
    """A running operation moved on."""

    id: int
    verb: str
    target: str
    progress: Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationFinished:
    """An operation succeeded after `seconds`."""

    id: int
    verb: str
    target: str
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationFailed:
    """An operation failed; what depends on it is skipped, everything else goes on."""

    id: int
    verb: str
    target: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StageReached:
    """A service reached a step of readiness, `seconds` after the wait began."""

    service: str
    stage: Stage
    seconds: float
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StageProgress:
    """What a service is doing on the way to its next step, such as a model download."""

    service: str
    progress: Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A sentence for the user that is no error: waiting for the lock."""

    message: str
    warning: bool = False


Event = OperationStarted | OperationProgress | OperationFinished | OperationFailed | StageReached | StageProgress | Note
Sink = Callable[[Event], None]
