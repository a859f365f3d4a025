"""How many threads computing may use: the cores that this machine, or the container on it, really grants."""

import math
import os
from pathlib import Path

from embserver import cgroup

__all__ = ["granted_cores"]


def granted_cores(root: Path = Path("/"), affinity: int | None = None) -> int:
    """Whole cores, at least 1: the smallest of the affinity mask and every CPU quota (cgroup v1 or v2) above us.

    `root` is the file system that holds proc and sys; `affinity` the number of processors this process may run on,
    asked from the system when None. A quota of a part of a core is rounded up, as the JVM and Go do.
    """
    limits = [_affinity() if affinity is None else affinity]
    second, first = cgroup.folders(root, controller="cpu")
    limits += [_v2(folder) for folder in second]
    limits += [_v1(folder) for folder in first]
    return max(1, min(limit for limit in limits if limit))


def _affinity() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _v2(folder: Path) -> int:
    quota, _, period = cgroup.read(folder / "cpu.max").partition(" ")
    return _cores(quota, period)


def _v1(folder: Path) -> int:
    return _cores(cgroup.read(folder / "cpu.cfs_quota_us"), cgroup.read(folder / "cpu.cfs_period_us"))


def _cores(quota: str, period: str) -> int:
    """0 where there is no quota ("max" in v2, -1 in v1, or no file)."""
    if not quota.isdigit() or not period.isdigit() or int(period) == 0:
        return 0
    return max(1, math.ceil(int(quota) / int(period)))
