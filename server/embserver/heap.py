"""How the C library's allocator keeps memory: in few arenas, and given back when the server rests.

Only of glibc; elsewhere nothing happens.
"""

import ctypes
import sys
from collections.abc import Mapping
from functools import cache

__all__ = ["ARENAS", "bound_arenas", "trim"]

ARENAS = 2
"""Separate heaps for threads. Each keeps what it once took, and usual are eight for every core."""

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


def trim() -> bool:
    """Give free memory back to the system; whether any was. It takes milliseconds, not the interpreter's lock."""
    library = _glibc()
    return library is not None and bool(library.malloc_trim(0))
