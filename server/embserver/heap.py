"""How the C library's allocator keeps memory: in few arenas, what is large apart, and given back when the server rests.

Only of glibc; elsewhere nothing happens.
"""

import ctypes
import sys
from collections.abc import Mapping
from functools import cache

__all__ = ["ARENAS", "KEPT", "LARGE", "bound_arenas", "keep_free", "map_large", "trim"]

ARENAS = 2
"""Separate heaps for threads. Each keeps what it once took, and usual are eight for every core."""

LARGE = 8 * 1024 * 1024
"""Bytes from which a block is mapped on its own: one of a batch is smaller, one of a long text is not."""

KEPT = 16 * 1024 * 1024
"""Free bytes at the end of a heap that stay there until `trim`: what a batch takes and frees from step to step, and the
next one again."""

_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3
_M_ARENA_MAX = -8


@cache
def _glibc() -> ctypes.CDLL | None:
    if not sys.platform.startswith("linux"):
        return None
    library = ctypes.CDLL(None)
    return library if hasattr(library, "gnu_get_libc_version") else None


def bound_arenas(environment: Mapping[str, str]) -> bool:
    """Bound the arenas, unless the environment has told the library already; whether it was done.

    To be called before there are threads.
    """
    library = _glibc()
    if library is None or "MALLOC_ARENA_MAX" in environment:
        return False
    return bool(library.mallopt(_M_ARENA_MAX, ARENAS))


def map_large(environment: Mapping[str, str]) -> bool:
    """Give large blocks back as soon as they are free, unless the environment has told the library already; whether
    it was done.

    By itself it raises the size with every such block that is freed, and keeps the next ones among the small ones,
    which hold the rest of them.
    """
    library = _glibc()
    if library is None or "MALLOC_MMAP_THRESHOLD_" in environment:
        return False
    return bool(library.mallopt(_M_MMAP_THRESHOLD, LARGE))


def keep_free(environment: Mapping[str, str]) -> bool:
    """Leave the free end of a heap where it is, unless the environment has told the library already; whether it was
    done.

    By itself it gives back 128 KiB and more at once, and a batch, which takes and frees as much at every step, would
    wait for the system to find and clear the same pages each time: 3 % of its processor time.
    """
    library = _glibc()
    if library is None or "MALLOC_TRIM_THRESHOLD_" in environment:
        return False
    return bool(library.mallopt(_M_TRIM_THRESHOLD, KEPT))


def trim() -> bool:
    """Give free memory back to the system; whether any was. It takes milliseconds, not the interpreter's lock."""
    library = _glibc()
    return library is not None and bool(library.malloc_trim(0))
