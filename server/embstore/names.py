"""Collection names: which are allowed, and which folder each one gets. A name never becomes a path unchecked."""

import hashlib
import re

from embstore.errors import InvalidValue

__all__ = ["check_name", "folder_of"]

_LONGEST = 255
_FORBIDDEN = frozenset('<>:"/\\|?*\0\x1f')
_PLAIN = re.compile(r"[a-z0-9][a-z0-9_-]{0,99}")


def check_name(name: str) -> str:
    """The name, when Qdrant would accept it too; InvalidValue otherwise."""
    if not 1 <= len(name) <= _LONGEST:
        raise InvalidValue("name", f"length must be from 1 to {_LONGEST}, got {len(name)}", where="path parameters")
    found = sorted(_FORBIDDEN.intersection(name))
    if found:
        raise InvalidValue("name", f"collection name cannot contain {found[0]!r}", where="path parameters")
    return name


def folder_of(name: str) -> str:
    """The name of the collection's folder: itself where every file system keeps it apart from others, else a digest.

    `~` starts no plain name, so the two kinds cannot collide; dots, capitals and reserved words fall to the digest.
    """
    if _PLAIN.fullmatch(name) and name not in _RESERVED:
        return name
    return "~" + hashlib.sha256(name.encode()).hexdigest()[:32]


_RESERVED = frozenset({"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))})
