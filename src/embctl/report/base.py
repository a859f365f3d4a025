"""The seam between commands and their readers: something that takes events while a command runs and its result at the
end."""

from typing import Any, Protocol

from embctl.events import Event
from embctl.model import LogLine
from embctl.result import Result

__all__ = ["Progress", "Reporter"]


class Progress(Protocol):
    """Something that shows events while they happen."""

    def emit(self, event: Event) -> None:
        """Show one event."""

    def close(self) -> None:
        """Take what is still moving off the screen."""


class Reporter(Protocol):
    """A renderer of one command's run."""

    def emit(self, event: Event) -> None:
        """Take one event."""

    def log(self, line: LogLine) -> None:
        """Take one line of a service's log."""

    def finish(self, result: Result[Any]) -> None:
        """Take the result and close whatever is open."""
