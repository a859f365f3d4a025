"""What a command came to, as data: every flow returns one `Result`, every renderer starts from one."""

from dataclasses import dataclass
from typing import Generic, TypeVar

from embctl.errors import EmbctlError

__all__ = ["Result"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Result(Generic[T]):
    """The outcome of `command`: `data` is what it found or did, `changed` whether anything differs from before.

    `error` is None exactly when the command succeeded. `exit_code` overrides the error's only for documented verdicts
    (10: a plan has changes).
    """

    command: str
    data: T
    changed: bool = False
    warnings: tuple[str, ...] = ()
    error: EmbctlError | None = None
    verdict: int = 0

    @property
    def exit_code(self) -> int:
        """The process's exit code."""
        return self.error.exit_code if self.error else self.verdict
