"""Writes a file of the user's so that at every moment it is the old one or the new one, whole; the old one stays beside
it as a dated backup. For who holds the editors' lock."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from embctl.errors import Conflict, Failed

__all__ = ["HOTKEYS_BY_HAND", "Original", "load", "refuse_read_only", "save"]


HOTKEYS_BY_HAND = "embctl vscode print"


@dataclass(frozen=True, slots=True, kw_only=True)
class Original:
    """A file as it was read: `path` is where its content really is, behind any links; `content` None where there is no
    file; `by_hand` the command that prints what would be written."""

    path: Path
    content: bytes | None
    by_hand: str
    mode: int = 0o644


def load(path: Path, by_hand: str = HOTKEYS_BY_HAND) -> Original:
    """The file behind `path`; errors about it propose `by_hand` as the other way.

    Failed(code="editor_file_unreadable") when there is something else than a file, or it cannot be read.
    """
    try:
        real = path.resolve(strict=False)
        info = real.stat()
    except FileNotFoundError:
        return Original(path=real, content=None, by_hand=by_hand)
    except (OSError, RuntimeError) as error:  # a circle of links is one of the two
        raise _unreadable(path, _reason(error), "Repair the link or the folder's permissions", by_hand) from error
    if not stat.S_ISREG(info.st_mode):
        raise _unreadable(real, "it is a folder or a device, not a file", "Move it away", by_hand)
    try:
        return Original(path=real, content=real.read_bytes(), by_hand=by_hand, mode=stat.S_IMODE(info.st_mode))
    except OSError as error:
        raise _unreadable(real, _reason(error), "Make it readable", by_hand) from error


def save(original: Original, content: bytes | None, moment: datetime) -> Path | None:
    """Put `content` in the file's place, None to remove it; returns the backup, None where there was no file.

    Raises Failed(code="editor_file_unwritable") or, when somebody else changed the file since it was loaded,
    Conflict(code="editor_file_changed"); the file is as it was then, and nothing of ours is left beside it.
    """
    path = original.path
    refuse_read_only(original)
    temporary = path.with_name(f".{path.name}.embctl-new")
    backup: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)  # a first profile's or workspace's
        temporary.unlink(missing_ok=True)  # left by somebody who was killed
        if original.content is not None:
            backup = _backup(original, moment)
        if content is not None:
            _write(temporary, content, original)
        _refuse_changed(original)
        if content is None:
            path.unlink()
        else:
            temporary.replace(path)
    except BaseException as error:
        _tidy(original, temporary, backup, refused=isinstance(error, Conflict))
        if isinstance(error, OSError):
            raise _unwritable(
                original, _reason(error), "Free space or permissions in that folder are missing"
            ) from error
        raise
    _sync_folder(path.parent)
    return backup


def refuse_read_only(original: Original) -> None:
    """Failed(code="editor_file_unwritable") where the user has taken the right to write away."""
    if original.content is not None and not original.mode & 0o222:
        raise _unwritable(original, "it is read-only", "Make it writable if embctl may change it")


def _tidy(original: Original, temporary: Path, backup: Path | None, *, refused: bool) -> None:
    """Leave nothing of ours, but for a backup that may be the only copy: an interrupt may come just after the file was
    replaced. Whoever was `refused` has replaced nothing."""
    with suppress(OSError):
        temporary.unlink(missing_ok=True)
    with suppress(OSError, Failed):
        if backup is not None and (refused or load(original.path).content == original.content):
            backup.unlink(missing_ok=True)


def _refuse_changed(original: Original) -> None:
    if load(original.path).content != original.content:
        raise Conflict(
            f"{original.path} was changed by somebody else just now. It was not touched.",
            code="editor_file_changed",
            details={"file": str(original.path)},
            actions=("Run the same command again.",),
            retryable=True,
        )


def _backup(original: Original, moment: datetime) -> Path:
    """Whole under its name, or not there."""
    unfinished = original.path.with_name(f".{original.path.name}.embctl-old")
    unfinished.unlink(missing_ok=True)  # left by somebody who was killed
    _write(unfinished, original.content or b"", original)
    backup = next(name for name in _names(original.path, moment) if not name.exists())
    unfinished.rename(backup)
    return backup


def _names(path: Path, moment: datetime) -> Iterator[Path]:
    stamp = moment.strftime("%Y%m%d-%H%M%S")
    yield path.with_name(f"{path.name}.{stamp}.bak")
    number = 2
    while True:
        yield path.with_name(f"{path.name}.{stamp}-{number}.bak")
        number += 1


def _write(path: Path, content: bytes, like: Original) -> None:
    with _removed_on_failure(path, os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, like.mode)) as descriptor:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        path.chmod(like.mode)  # creation heeds the umask
        if like.content is not None and hasattr(os, "chown"):
            owner = like.path.stat()
            with suppress(OSError):  # who may not give files away owns them
                os.chown(path, owner.st_uid, owner.st_gid)


@contextmanager
def _removed_on_failure(path: Path, descriptor: int) -> Iterator[int]:
    try:
        yield descriptor
    except BaseException:
        with suppress(OSError):
            path.unlink()
        raise


def _sync_folder(folder: Path) -> None:
    """Bring the new name to the disk, where the system can."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def _unreadable(path: Path, reason: str, action: str, by_hand: str) -> Failed:
    return Failed(
        f"{path} cannot be read: {reason}. It was not touched.",
        code="editor_file_unreadable",
        details={"file": str(path), "reason": reason},
        actions=(f"{action}: {path}", f"Or paste by hand what this prints: {by_hand}"),
    )


def _unwritable(original: Original, reason: str, action: str) -> Failed:
    return Failed(
        f"{original.path} cannot be written: {reason}. It is as it was.",
        code="editor_file_unwritable",
        details={"file": str(original.path), "reason": reason},
        actions=(f"{action}: {original.path}", f"Or paste by hand what this prints: {original.by_hand}"),
    )
