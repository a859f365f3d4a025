"""What is kept on disk of a container: how it is defined, and how it stands. Data and its form as JSON.

Supervisors import this: it stays with the standard library.
"""

import json
import os
import secrets
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

from embctl.engine.native.identity import Identity

__all__ = ["Definition", "Phase", "RecordBroken", "Status", "private_folder", "read", "stamp", "write"]

FORMAT = 1
REPLACE_ATTEMPTS = 50
T = TypeVar("T")


class RecordBroken(Exception):
    """A record is there, but the file at `path` is not what embctl writes."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path


class Phase(StrEnum):
    """How far a container's supervisor has come; the truth only together with whether its processes live."""

    CREATED = "created"
    STARTING = "starting"
    RUNNING = "running"
    RESTARTING = "restarting"
    EXITED = "exited"


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """Everything that a container's process depends on. `search_path` goes before the starter's PYTHONPATH,
    `ports` are (address, published, target), `log_size` bytes are in each of `log_files`, `open_files` is 0 for what
    the starter's limit is."""

    id: str
    name: str
    labels: Mapping[str, str]
    image: str
    image_id: str
    argv: tuple[str, ...]
    environment: Mapping[str, str]
    search_path: str
    volumes: tuple[str, ...]
    networks: tuple[str, ...]
    ports: tuple[tuple[str, int, int], ...]
    restart: str
    grace: float
    log_size: int
    log_files: int
    open_files: int

    def to_json(self) -> Mapping[str, Any]:
        """For `write`."""
        return asdict(self)

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> "Definition":
        """For `read`."""
        tuples = {name: tuple(found[name]) for name in ("argv", "volumes", "networks")}
        ports = tuple((str(address), int(published), int(target)) for address, published, target in found["ports"])
        return cls(**{**found, **tuples, "ports": ports, "labels": dict(found["labels"])})


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """What a container's supervisor, or who acted in its place, told last. `token` names the start that may go on: a
    supervisor of an earlier one that comes late has nothing to say any more."""

    phase: Phase = Phase.CREATED
    token: str = ""
    supervisor: Identity | None = None
    process: Identity | None = None
    exit_code: int | None = None
    restarts: int = 0
    started_at: str = ""
    error: str = ""

    def to_json(self) -> Mapping[str, Any]:
        """For `write`."""
        return asdict(self)

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> "Status":
        """For `read`."""
        if found["started_at"]:
            datetime.fromisoformat(found["started_at"])
        processes = {name: found[name] and Identity(**found[name]) for name in ("supervisor", "process")}
        return cls(**{**found, **processes, "phase": Phase(found["phase"])})


def stamp(moment: datetime | None = None) -> str:
    """A moment, the present one if not given, as it stands in records and logs: later ones sort behind."""
    return (moment or datetime.now(tz=UTC)).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def read(path: Path, make: Callable[[Mapping[str, Any]], T]) -> T | None:
    """What `make` makes of that which `write` left at `path`; None when there is nothing. Raises RecordBroken."""
    try:
        content = _read_bytes(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        found = json.loads(content)
        if found.pop("format") == FORMAT:
            return make(found)
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise RecordBroken(path, f"{type(error).__name__}: {error}") from error
    raise RecordBroken(path, "another version of embctl wrote it")


def write(path: Path, record: Mapping[str, Any]) -> None:
    """Put `record` at `path` in one step, readable by its owner alone: at any moment the file is the old or the new
    one, whole."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(json.dumps({"format": FORMAT, **record}, indent=1).encode())
            file.flush()
            os.fsync(file.fileno())
        _replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise


def private_folder(path: Path) -> Path:
    """The folder, made for its owner alone where it is missing."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


if sys.platform == "win32":

    def _read_bytes(path: Path) -> bytes:
        return _patiently(path.read_bytes)

    def _replace(temporary: Path, path: Path) -> None:
        _patiently(lambda: temporary.replace(path))

    def _patiently(step: Callable[[], T]) -> T:
        """There, a file that is being replaced cannot be opened, and one that is open cannot be replaced."""
        for _ in range(REPLACE_ATTEMPTS):
            try:
                return step()
            except PermissionError:
                time.sleep(0.01)
        return step()

else:

    def _read_bytes(path: Path) -> bytes:
        return path.read_bytes()

    def _replace(temporary: Path, path: Path) -> None:
        temporary.replace(path)
