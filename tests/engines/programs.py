"""What a container of the contract suite does: as a command for a real engine, as a behaviour for the fake one."""

from dataclasses import dataclass, field

from fakes.fake_engine import Behaviour

__all__ = ["FAILS", "SLEEPS", "SPEAKS", "Program"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """The same conduct twice."""

    script: str
    behaviour: Behaviour = field(default_factory=Behaviour)

    @property
    def command(self) -> tuple[str, ...]:
        """For a container's command line."""
        return ("/bin/sh", "-c", self.script)


SLEEPS = Program(script="exec sleep 600", behaviour=Behaviour(once_lines=(), once_exit_code=0))
SPEAKS = Program(
    script="echo one; echo two; echo three; exec sleep 600",
    behaviour=Behaviour(lines=("one", "two", "three"), once_lines=("one", "two", "three")),
)
FAILS = Program(
    script="echo broken; exit 3",
    behaviour=Behaviour(lines=("broken",), exit_code=3, once_lines=("broken",), once_exit_code=3),
)
