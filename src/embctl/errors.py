"""Everything that can go wrong, as one tree; each class is one documented exit code.

    EmbctlError
    ├── Failed               1    something went wrong that no other class names
    ├── UsageError           2    the command line cannot be understood
    ├── ConfirmationNeeded   3    a destructive step was not confirmed
    ├── EngineUnreachable    4    no container engine answers
    ├── NotReady             5    a service did not become ready
    ├── Conflict             6    a port, a name or a lock belongs to somebody else
    ├── ConfigInvalid        7    settings or compose files are wrong
    └── Interrupted        130    the user pressed Ctrl-C

Exit code 10 (`plan --exit-code` found changes) is a verdict, not an error. This module knows nothing of printing.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar

__all__ = [
    "ConfigInvalid",
    "ConfirmationNeeded",
    "Conflict",
    "EmbctlError",
    "EngineUnreachable",
    "Failed",
    "Interrupted",
    "NotReady",
    "UsageError",
]


class EmbctlError(Exception):
    """A failure told to the user: what happened and why (`message`), and what to do next (`actions`).

    `code` is a stable snake_case name for scripts; `retryable` says that the same command may succeed later unchanged;
    `details` are JSON-serialisable facts (never secrets).
    """

    exit_code: ClassVar[int] = 1
    category: ClassVar[str] = "failed"

    def __init__(
        self,
        message: str,
        *,
        code: str,
        actions: tuple[str, ...] = (),
        details: Mapping[str, Any] | None = None,
        retryable: bool = False,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.actions = actions
        self.details: Mapping[str, Any] = MappingProxyType(dict(details or {}))
        self.retryable = retryable


class Failed(EmbctlError):
    """An operation failed for a reason of its own: an image would not build, a container would not start."""


class UsageError(EmbctlError):
    """The arguments contradict each other or name something unknown."""

    exit_code = 2
    category = "usage"


class ConfirmationNeeded(EmbctlError):
    """A destructive step was asked for without `--yes`, and nobody could be asked or the answer was no."""

    exit_code = 3
    category = "confirmation"


class EngineUnreachable(EmbctlError):
    """No container engine answered at any address tried."""

    exit_code = 4
    category = "engine"


class NotReady(EmbctlError):
    """A service exited or did not become ready in time."""

    exit_code = 5
    category = "readiness"


class Conflict(EmbctlError):
    """A port, a container name or the project lock belongs to somebody else; what they run was left as it is."""

    exit_code = 6
    category = "conflict"


class ConfigInvalid(EmbctlError):
    """A setting, a settings file or a compose file is wrong."""

    exit_code = 7
    category = "config"


class Interrupted(EmbctlError):
    """The user stopped the command; what was healthy is still running."""

    exit_code = 130
    category = "interrupted"
