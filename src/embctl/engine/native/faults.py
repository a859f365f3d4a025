"""What the native runtime refuses: the codes of every engine, in words that fit processes."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from embctl.engine.native.records import RecordBroken
from embctl.errors import Conflict, Failed

__all__ = [
    "asked",
    "busy",
    "container_gone",
    "container_running",
    "image_missing",
    "immortal",
    "name_taken",
    "name_unusable",
    "network_in_use",
    "network_missing",
    "network_taken",
    "not_started",
    "server_missing",
    "volume_in_use",
]

INSTALL = (
    "pip install 'embctl[server]'",
    "Where embctl came from a checkout: pip install '.[server]' in it",
)


@contextmanager
def asked(doing: str, subject: str) -> Iterator[None]:
    """Raise what this machine refuses while `doing` something to `subject` as an EmbctlError."""
    try:
        yield
    except RecordBroken as error:
        raise Failed(
            f"Could not {doing} {subject}: a record of the native runtime cannot be read: {error}",
            code="engine_refused",
            details={"subject": subject, "reason": str(error), "file": str(error.path)},
            actions=_way_past(error.path),
        ) from error
    except OSError as error:
        details = {"subject": subject, "reason": str(error), "status": None}
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise Failed(
                f"Could not {doing} {subject}: the disk is full.",
                code="no_space",
                details=details,
                actions=("Free space on the disk of embctl's state and data.",),
                retryable=True,
            ) from error
        raise Failed(
            f"Could not {doing} {subject}: {error}",
            code="engine_refused",
            details=details,
            actions=("Check who owns the files of embctl's state and data: another user may have started it before.",),
        ) from error


def _way_past(record: Path) -> tuple[str, ...]:
    """What to do about a broken record. A supervisor whose folder is gone stops its process; no data lies there."""
    if record.parent.parent.name != "containers":
        return (f"Remove the file, embctl makes it anew where it is needed: rm {record}",)
    return (
        f"Remove its folder; there is no data in it but the log, and what still runs is stopped: rm -r {record.parent}",
        "Then start the service anew: embctl start",
    )


def busy(subject: str) -> Conflict:
    """Another embctl holds the lock that `subject` needs."""
    return Conflict(
        f"Another embctl is working on {subject}.",
        code="locked",
        details={"subject": subject},
        actions=("Let it finish, then repeat the command.",),
        retryable=True,
    )


def container_gone(container_id: str) -> Failed:
    """The service was removed by somebody else."""
    return Failed(
        f"The service with the id {container_id[:12]} no longer exists: it was removed while embctl worked on it.",
        code="container_gone",
        details={"container_id": container_id},
        actions=("Look again: embctl status", "Create it again: embctl start all"),
        retryable=True,
    )


def container_running(name: str) -> Failed:
    """It was to be removed."""
    return Failed(
        f"Could not remove {name}: it is running.",
        code="container_running",
        details={"subject": name},
        actions=("Stop it first: embctl stop all",),
    )


def image_missing(image: str, packages: tuple[str, ...]) -> Failed:
    """A service of it was to be created."""
    return Failed(
        f"The native runtime cannot stand in for {image}: {_lacking(packages)}.",
        code="image_missing",
        details={"subject": image, "missing": list(packages)},
        actions=_install(),
    )


def immortal(name: str, pid: int) -> Failed:
    """Its process outlived being killed."""
    return Failed(
        f"Could not stop {name}: its process (pid {pid}) does not end, not even when it is killed.",
        code="engine_refused",
        details={"subject": name, "pid": pid},
        actions=(f"See what it waits for; a disk that does not answer, for one: ps -o stat,wchan -p {pid}",),
    )


def server_missing(image: str, packages: tuple[str, ...]) -> Failed:
    """It was to be pulled or built: natively, that is the user's package manager's business."""
    return Failed(
        f"The native runtime cannot stand in for {image}: {_lacking(packages)}.",
        code="server_missing",
        details={"image": image, "missing": list(packages)},
        actions=_install(),
    )


def name_taken(doing: str, name: str) -> Conflict:
    """A service has the name."""
    return Conflict(
        f"Could not {doing} {name}: another service has that name.",
        code="name_taken",
        details={"subject": name},
        actions=("Take that one down, or choose another name: embctl --project NAME",),
    )


def name_unusable(name: str) -> Failed:
    """It would not do as a file's name."""
    return Failed(
        f"The name {name!r} cannot be used: it takes letters, digits, and then also . _ and -.",
        code="engine_refused",
        details={"subject": name},
        actions=("Choose another name: embctl --project NAME",),
    )


def network_in_use(name: str, containers: tuple[str, ...]) -> Failed:
    """It was to be removed."""
    return Failed(
        f"Could not remove network {name}: {', '.join(containers)} runs in it.",
        code="network_in_use",
        details={"subject": name, "containers": list(containers)},
        actions=("Stop them first: embctl stop all",),
    )


def network_missing(container: str, name: str) -> Failed:
    """A container in it was to be started."""
    return Failed(
        f"Could not start {container}: network {name} not found.",
        code="network_missing",
        details={"subject": container, "network": name},
        actions=("Let embctl create what is missing: embctl start all",),
    )


def network_taken(name: str) -> Conflict:
    """It was to be created."""
    return Conflict(
        f"Could not create network {name}: it exists already.",
        code="network_taken",
        details={"subject": name},
        actions=("Remove that network, or choose another name: embctl --project NAME",),
    )


def not_started(name: str, reason: str) -> Failed:
    """Its process, or the one that was to look after it, could not begin."""
    return Failed(
        f"Could not start {name}: {reason}",
        code="engine_refused",
        details={"subject": name, "reason": reason},
        actions=("Check that embctl's Python environment is whole: python -m embctl --version",),
    )


def volume_in_use(name: str, containers: tuple[str, ...]) -> Failed:
    """It was to be removed."""
    return Failed(
        f"Could not remove volume {name}: {', '.join(containers)} uses it.",
        code="volume_in_use",
        details={"subject": name, "containers": list(containers)},
        actions=("Take them down first: embctl down",),
    )


def _lacking(packages: tuple[str, ...]) -> str:
    what = ", ".join(packages) if packages else "the server's packages"
    return f"it needs {what}, which the Python environment of embctl lacks"


def _install() -> tuple[str, ...]:
    return tuple(f"Install the server beside embctl: {command}" for command in INSTALL)
