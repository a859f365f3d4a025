"""How much memory this process may use, and whether a model fits: beyond a limit the kernel kills without a word."""

from pathlib import Path

from embserver import cgroup

__all__ = ["WORKING_BYTES", "granted_bytes", "shortage"]

WORKING_BYTES = 350 * 1024 * 1024
"""What the server needs beside the weights under a full load of ordinary texts: libraries, queue, a batch in work."""

# Version 1 says "no limit" as the largest number of whole pages.
_UNLIMITED = 1 << 62
_MIB = 1024 * 1024


def granted_bytes(root: Path = Path("/")) -> int | None:
    """The smallest memory limit (cgroup v1 or v2) of our group and those above it; None where there is none.

    `root` is the file system that holds proc and sys.
    """
    second, first = cgroup.folders(root, controller="memory")
    said = [cgroup.read(folder / "memory.max") for folder in second]
    said += [cgroup.read(folder / "memory.limit_in_bytes") for folder in first]
    limits = [int(text) for text in said if text.isdigit()]
    return min((limit for limit in limits if 0 < limit < _UNLIMITED), default=None)


def shortage(granted: int | None, weights: int) -> str | None:
    """What to say where `granted` bytes are too few for a model with so many bytes of weights; None where they do."""
    needed = weights + WORKING_BYTES
    if granted is None or granted >= needed:
        return None
    return (
        f"This container, or service, may use {granted // _MIB} MiB of memory. The model needs about "
        f"{-(-needed // _MIB)} MiB ({weights // _MIB} for its weights), so it is likely to be killed while it loads "
        "or under load. Raise the memory limit, or choose a smaller model."
    )
