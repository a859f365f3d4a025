"""When a process that ended is started again: as Docker does it. Pure."""

from dataclasses import dataclass

__all__ = ["Backoff", "restarts"]

FIRST = 0.1
LONGEST = 60.0
LASTED = 10.0


def restarts(policy: str, exit_code: int) -> bool:
    """Whether `policy` asks for another run after one that ended with `exit_code` unasked."""
    return policy in {"always", "unless-stopped"} or (policy == "on-failure" and exit_code != 0)


@dataclass(slots=True)
class Backoff:
    """The pause before the next run: twice the last one, from the beginning again after a run that lasted."""

    _next: float = FIRST

    def after(self, lasted: float) -> float:
        """The pause after a run of `lasted` seconds."""
        pause = FIRST if lasted >= LASTED else self._next
        self._next = min(2 * pause, LONGEST)
        return pause
