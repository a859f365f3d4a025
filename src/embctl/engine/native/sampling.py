"""What a container's processes use now."""

import time

import psutil

from embctl.engine.native.identity import Identity, is_alive
from embctl.model import ResourceUse

__all__ = ["sample"]

# Long enough for a share in percent: processor time is counted in hundredths of a second.
SPAN = 0.5


def sample(process: Identity | None) -> ResourceUse:
    """The process with its children over half a second; all zero when it does not run. There is no memory limit."""
    family = _family(process)
    before = {each.pid: _seconds(each) for each in family}
    if not family:
        return ResourceUse(cpu_percent=0.0, memory_anonymous=0, memory_limit=0)
    began = time.monotonic()
    time.sleep(SPAN)
    used = sum(max(0.0, _seconds(each) - before[each.pid]) for each in family)
    return ResourceUse(
        cpu_percent=100 * used / (time.monotonic() - began),
        memory_anonymous=sum(map(_anonymous, family)),
        memory_limit=0,
    )


def _family(process: Identity | None) -> list[psutil.Process]:
    if process is None or not is_alive(process):
        return []
    try:
        leader = psutil.Process(process.pid)
        return [leader, *leader.children(recursive=True)]
    except psutil.Error:
        return []


def _seconds(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.Error:
        return 0.0
    return float(times.user + times.system)


def _anonymous(process: psutil.Process) -> int:
    """Without what is shared with files, where the system tells."""
    try:
        memory = process.memory_info()
    except psutil.Error:
        return 0
    return int(memory.rss - getattr(memory, "shared", 0))
