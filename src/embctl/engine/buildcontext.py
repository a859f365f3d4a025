"""A build context as a tar whose bytes depend on names, contents and executable bits alone: the engine's build cache
and our digests then agree on any machine. Which files belong is the caller's knowledge."""

import tarfile
from collections.abc import Iterable
from pathlib import Path
from typing import IO

__all__ = ["pack"]

EXECUTABLE = 0o100


def pack(root: Path, names: Iterable[str], target: IO[bytes]) -> None:
    """Write the files, links and folders `names` (relative to `root`) to `target`, and rewind it."""
    with tarfile.open(mode="w", fileobj=target, format=tarfile.PAX_FORMAT) as archive:
        for name in sorted(names):
            path = root / name
            entry = archive.gettarinfo(path, arcname=Path(name).as_posix())
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
