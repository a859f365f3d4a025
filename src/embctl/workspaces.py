"""Which collection belongs to which folder: the editors' indexers name it by a hash of the folder's path, so it is
found again by hashing the folders that are known. Pure."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from urllib.parse import unquote, urlsplit

__all__ = ["PREFIX", "collection_of", "is_index", "owners", "path_of"]

PREFIX = "ws-"
_DIGITS = 16
_NAME = re.compile(rf"{PREFIX}[0-9a-f]{{{_DIGITS}}}")
_URI_DRIVE = re.compile(r"/([A-Za-z]):(/.*)?")
_DRIVE = re.compile(r"([A-Za-z]):(?=[\\/])")


def collection_of(folder: str) -> str:
    """The collection of an absolute folder, spelt as the editor spells it."""
    return PREFIX + hashlib.sha256(folder.encode()).hexdigest()[:_DIGITS]


def is_index(name: str) -> bool:
    """Whether a client could have named a collection so."""
    return _NAME.fullmatch(name) is not None


def owners(names: Iterable[str], folders: Iterable[str]) -> Mapping[str, str]:
    """By the name of a collection, the first of the folders that it indexes; collections of none are left out."""
    wanted, found = set(names), dict[str, str]()
    for folder in folders:
        for spelling in _spellings(folder):
            if (name := collection_of(spelling)) in wanted:
                found.setdefault(name, folder)
    return found


def _spellings(folder: str) -> Iterable[str]:
    """As editors hand it over: without a final slash, and on Windows with the drive in small or capital letters."""
    path = folder.rstrip("/\\") or folder
    yield path
    if drive := _DRIVE.match(path):
        yield drive[1].lower() + path[1:]
        yield drive[1].upper() + path[1:]


def path_of(uri: str) -> str | None:
    """The path that an editor makes of a folder's URI; None when it is not on this machine. A Windows drive is spelt
    small, as there."""
    parts = urlsplit(uri)
    if parts.scheme != "file" or parts.netloc:
        return None
    path = unquote(parts.path)
    if drive := _URI_DRIVE.fullmatch(path):
        return f"{drive[1].lower()}:{(drive[2] or '/').replace('/', chr(92))}"
    return path or None
