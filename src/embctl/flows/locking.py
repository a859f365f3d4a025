"""One embctl at a time changes a project, or the editors' files: a lock file in the state folder that names its
holder."""

import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress

from embctl.errors import Conflict
from embctl.events import Note
from embctl.flows.context import Context

__all__ = ["editors_lock", "project_lock"]

POLL = 0.2


def project_lock(context: Context, doing: str = "") -> AbstractContextManager[None]:
    """Hold the project's lock, or its other one for `doing` something long; wait for it with a message, or raise
    Conflict(code="locked") with `--no-wait-lock`.

    The operating system releases the lock of a process that dies, so a leftover file blocks nobody.
    """
    project = context.spec.project
    return _lock(context, f"{project}{doing}", f"the project {project}", {"project": project})


def editors_lock(context: Context) -> AbstractContextManager[None]:
    """The same for the editors' files, which belong to no project."""
    # No project's name begins so.
    return _lock(context, "_editors", "the editors' files", {})


@contextmanager
def _lock(context: Context, name: str, subject: str, details: Mapping[str, str]) -> Iterator[None]:
    from filelock import FileLock, Timeout  # noqa: PLC0415 - slow to import; reading commands never lock

    folder = context.state_dir / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.lock"
    owner_file = path.with_suffix(".owner")
    lock = FileLock(path)
    deadline = context.clock.monotonic() + context.settings.timeout
    told = False
    while True:
        try:
            lock.acquire(timeout=0)
            break
        except Timeout:
            owner = owner_file.read_text() if owner_file.exists() else "unknown"
            waited_out = context.wait_for_lock and context.clock.monotonic() > deadline
            if waited_out or not context.wait_for_lock:
                way_out = "wait longer with --timeout" if waited_out else "run without --no-wait-lock to wait here"
                raise Conflict(
                    f"Another embctl (pid {owner}) is changing {subject}.",
                    code="locked",
                    details={**details, "pid": int(owner) if owner.isdigit() else None},
                    actions=(f"Let it finish, or {way_out}.",),
                    retryable=True,
                ) from None
            if not told:
                told = True
                context.emit(Note(message=f"waiting: another embctl (pid {owner}) is changing {subject}"))
            context.clock.sleep(POLL)
    try:
        with suppress(OSError):  # on a full disk a service must still be stopped
            owner_file.write_text(str(os.getpid()))
        yield
    finally:
        lock.release()
