"""Things that tests let happen when a method of a fake is called: errors, delays, changes behind its back."""

from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Hooks"]


@dataclass(slots=True, kw_only=True)
class _Hook:
    method: str
    target: str | None
    action: Callable[[], None]
    left: int | None


class Hooks:
    """Actions by method and, unless None, target; each for a number of times, None for ever."""

    def __init__(self) -> None:
        self._hooks: list[_Hook] = []

    def add(self, method: str, target: str | None, action: Callable[[], None], times: int | None) -> None:
        """Let `action` be due at the next `times` calls."""
        self._hooks.append(_Hook(method=method, target=target, action=action, left=times))

    def due(self, method: str, target: str) -> list[Callable[[], None]]:
        """The actions of this call, in the order in which they were added."""
        fitting = [h for h in self._hooks if h.method == method and h.target in {None, target} and h.left != 0]
        for hook in fitting:
            if hook.left is not None:
                hook.left -= 1
        return [hook.action for hook in fitting]
