"""The folder of one container: where its records and its log lie. Decides nothing.

Supervisors import this: it stays with the standard library.
"""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from embctl.engine.native.records import Definition, RecordBroken, Status, read, write

__all__ = ["STREAMS", "Container"]

STREAMS = ("stdout", "stderr")


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """The container `id` of the state folder `state`; it may be gone at any moment."""

    state: Path
    id: str

    @property
    def folder(self) -> Path:
        """All of it but the lock."""
        return self.state / "containers" / self.id

    @property
    def lock(self) -> Path:
        """Held by the supervisor for life. Whoever else writes the status or removes the folder holds it meanwhile."""
        return self.state / "locks" / self.id

    @property
    def log(self) -> Path:
        """The folder of the log."""
        return self.folder / "log"

    @property
    def work(self) -> Path:
        """Where the process runs; nothing of ours is in it."""
        return self.folder / "work"

    @property
    def supervisor_log(self) -> Path:
        """What the supervisor itself said, which is nothing as long as it is well."""
        return self.folder / "supervisor.log"

    def output(self, stream: str) -> Path:
        """What the process wrote to `stream` lately."""
        return self.folder / stream

    def project(self) -> str | None:
        """Whose it is, told apart from the definition, which may be broken; None when that cannot be read either."""
        try:
            return read(self.folder / "project.json", lambda found: str(found["project"]))
        except (RecordBroken, OSError):
            return None

    def belongs_to(self, project: str) -> None:
        """Write whose it is."""
        write(self.folder / "project.json", {"project": project})

    def definition(self) -> Definition | None:
        """None when the container is gone. Raises RecordBroken."""
        return read(self.folder / "definition.json", Definition.from_json)

    def define(self, definition: Definition) -> None:
        """Write the definition."""
        write(self.folder / "definition.json", definition.to_json())

    def status(self) -> Status | None:
        """None when the container is gone. Raises RecordBroken."""
        return read(self.folder / "status.json", Status.from_json)

    def tell(self, status: Status) -> None:
        """Write the status; only for who holds the lock."""
        write(self.folder / "status.json", status.to_json())

    def ask_to_stop(self, grace: float) -> None:
        """Leave word for the supervisor, which looks several times a second.

        A file, not a signal: it cannot hit anybody else, waits for a supervisor that is just beginning, and carries
        the grace period."""
        with suppress(FileNotFoundError):
            write(self.folder / "stop.json", {"grace": grace})

    def asked_to_stop(self) -> float | None:
        """The grace period, when there is word."""
        return read(self.folder / "stop.json", lambda found: float(found["grace"]))

    def forget_stop(self) -> None:
        """Whoever starts the container again takes the word back."""
        (self.folder / "stop.json").unlink(missing_ok=True)
