"""What the control groups above this process say: the limits of a container or a service manager, version 1 and 2."""

from pathlib import Path

__all__ = ["folders", "read"]


def folders(root: Path, *, controller: str) -> tuple[list[Path], list[Path]]:
    """The folders of version 2, and those of version 1 for `controller`, of our group and of all those above it.

    `root` is the file system that holds proc and sys. Inside a container the group's own path is often not mounted; its
    root always is. Folders need not exist.
    """
    second, first = list[Path](), list[Path]()
    mounts = root / "sys/fs/cgroup"
    for line in read(root / "proc/self/cgroup").splitlines():
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if not controllers:
            second += _upwards(mounts, path)
        elif controller in controllers.split(","):
            first += _upwards(mounts / controller, path)
            if controllers != controller:
                first += _upwards(mounts / controllers, path)
    return second, first


def read(path: Path) -> str:
    """The text of a file in proc or sys, stripped; empty where there is none."""
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def _upwards(mount: Path, path: str) -> list[Path]:
    parts = [part for part in path.split("/") if part not in ("", "..")]
    return [mount.joinpath(*parts[:depth]) for depth in range(len(parts), -1, -1)]
