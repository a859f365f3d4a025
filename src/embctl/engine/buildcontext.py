"""A build context as a tar whose bytes depend on names, contents and executable bits alone: the engine's build cache
and our digests then agree on any machine. Which files belong is the caller's knowledge."""

import tarfile
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import IO

__all__ = ["pack"]

EXECUTABLE = 0o100


def pack(root: Path, files: Iterable[str], target: IO[bytes]) -> None:
    """Write `files` (links included; relative to `root`, with slashes) to `target`, and rewind it."""
    names = {PurePosixPath(file) for file in files}
    # An engine may make a folder that has no entry of its own unreadable for everybody but root.
    names |= {folder for name in names for folder in name.parents if folder.name}
    with tarfile.open(mode="w", fileobj=target, format=tarfile.PAX_FORMAT) as archive:
        for name in sorted(names):
            path = root / name
            entry = archive.gettarinfo(path, arcname=str(name))
            entry.uid = entry.gid = 0
            entry.uname = entry.gname = ""
            entry.mtime = 0
            entry.mode = 0o755 if entry.isdir() or entry.mode & EXECUTABLE else 0o644
            if entry.islnk():  # two names of one file: the context must not depend on how the disk holds them
                entry.type, entry.linkname, entry.size = tarfile.REGTYPE, "", path.stat().st_size
            if entry.isreg():
                with path.open("rb") as content:
                    archive.addfile(entry, content)
            else:
                archive.addfile(entry)
    target.seek(0)
