"""Looks side by side, each for so long and no longer, and the checks of what each has seen."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from queue import Empty, Queue
from threading import Thread
from typing import Any, Generic, TypeVar

from embctl.clock import Clock
from embctl.doctor.check import Check, skipped
from embctl.doctor.scene import Scene
from embctl.errors import EmbctlError
from embctl.outcomes import Finding

__all__ = ["Examination", "Unseen", "examine", "within"]

F = TypeVar("F")
T = TypeVar("T")
# An untimed wait for a queue cannot be interrupted on Windows.
POLL = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination(Generic[F]):
    """One noun: `look` gathers its facts, without changing anything, and `checks` judge them."""

    noun: str
    look: Callable[[Scene], F]
    checks: tuple[Check[F], ...]

    def findings(self, seen: "F | Unseen") -> tuple[Finding, ...]:
        """What the facts come to, check by check; without facts every check is skipped."""
        if isinstance(seen, Unseen):
            return tuple(check.named(skipped(seen.reason)) for check in self.checks)
        return tuple(check.finding(seen) for check in self.checks)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unseen:
    """A look that came to nothing, and why."""

    reason: str


def examine(
    examinations: Iterable[Examination[Any]], scene: Scene, clock: Clock, seconds: float
) -> tuple[Finding, ...]:
    """All findings in the table's order. No look holds up another, or all of them longer than `seconds`."""
    chosen = tuple(examinations)
    seen = within({each.noun: partial(each.look, scene) for each in chosen}, clock, seconds)
    return tuple(finding for each in chosen for finding in each.findings(seen[each.noun]))


def within(tasks: Mapping[str, Callable[[], T]], clock: Clock, seconds: float) -> dict[str, "T | Unseen"]:
    """What each task returned, or why it did not. Threads are daemons: one that hangs never holds up the exit."""
    done: Queue[tuple[str, T | Unseen]] = Queue()

    def run(name: str, task: Callable[[], T]) -> None:
        try:
            done.put((name, task()))
        except EmbctlError as error:
            done.put((name, Unseen(reason=error.message)))
        except Exception as error:  # noqa: BLE001 - one that breaks must not hide the others
            done.put((name, Unseen(reason=f"the look itself broke: {type(error).__name__}: {error}")))

    for name, task in tasks.items():
        Thread(target=run, args=(name, task), name=name, daemon=True).start()
    deadline = clock.monotonic() + seconds
    came: dict[str, T | Unseen] = {}
    while len(came) < len(tasks) and (left := deadline - clock.monotonic()) > 0:
        try:
            name, outcome = done.get(timeout=min(POLL, left))
        except Empty:
            continue
        came[name] = outcome
    late = Unseen(reason=f"no answer within {seconds:g} s")
    return {name: came.get(name, late) for name in tasks}
