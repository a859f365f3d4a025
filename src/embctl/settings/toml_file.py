"""Reading one settings file: TOML text to leaves, each with its line. Knows nothing of what the keys mean."""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from embctl.errors import ConfigInvalid

__all__ = ["Leaf", "leaves", "read"]

_POSITION = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")
_BARE = re.compile(r"[A-Za-z0-9_-]+")
KeyPath = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """A key that holds no further keys: its path, its value, the line (from 1) on which it is written. A table's header
    is a leaf too, with an empty table as its value."""

    path: KeyPath
    value: Any
    line: int

    @property
    def key(self) -> str:
        """The path as TOML writes it: dots between the parts, quotes around a part that needs them."""
        return ".".join(part if _BARE.fullmatch(part) else f'"{part}"' for part in self.path)


def read(path: Path) -> tuple[Leaf, ...]:
    """The leaves of the file; none when there is no such file. ConfigInvalid when it cannot be read or is no TOML."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise ConfigInvalid(
            f"{path} cannot be read: {error.strerror}.",
            code="config_invalid",
            actions=(f"Make {path} readable, or remove it.",),
            details={"file": str(path), "reason": error.strerror},
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigInvalid(
            f"{path} is not UTF-8 text.",
            code="config_invalid",
            actions=(f"Save {path} as UTF-8.",),
            details={"file": str(path), "reason": "not UTF-8"},
        ) from error
    return leaves(text, path)


def leaves(text: str, path: Path) -> tuple[Leaf, ...]:
    """The leaves of a TOML text, in its order; `path` names it in errors."""
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _syntax(str(error), text, path) from error
    return tuple(_statements(text))


def _statements(text: str) -> Iterator[Leaf]:
    """Each statement of a valid TOML text is valid alone, and none is once cut short: so lines are gathered until they
    parse, which finds the line of every key, however it is written."""
    table: KeyPath = ()
    gathered = ""
    first = 1
    for number, line in enumerate(text.split("\n"), start=1):
        gathered += line + "\n"
        try:
            content = tomllib.loads(gathered)
        except tomllib.TOMLDecodeError:
            continue
        header = gathered.lstrip().startswith("[")
        for path, value in _flatten(content):
            if header:
                table = path
            yield Leaf(path=path if header else (*table, *path), value=value, line=first)
        gathered = ""
        first = number + 1


def _flatten(content: dict[str, Any], above: KeyPath = ()) -> Iterator[tuple[KeyPath, Any]]:
    for key, value in content.items():
        if isinstance(value, dict) and value:
            yield from _flatten(value, (*above, key))
        else:
            yield (*above, key), value


def _syntax(message: str, text: str, path: Path) -> ConfigInvalid:
    match = _POSITION.search(message)
    last = text.count("\n") + 1
    line = int(match[1]) if match and match[1] else last
    column = int(match[2]) if match and match[2] else 1
    reason = _POSITION.sub("", message)
    return ConfigInvalid(
        f"{path}:{line}:{column}: this is not valid TOML: {reason}.",
        code="config_invalid",
        actions=(f"Correct line {line} of {path}.",),
        details={"file": str(path), "line": line, "column": column, "reason": reason},
    )
