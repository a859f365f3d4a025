"""The folders that the editors of this machine have opened, as they remember them. Reads only."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from embctl.vscode.editors import Editor
from embctl.workspaces import path_of

__all__ = ["opened_folders"]


def opened_folders(known: Iterable[Editor]) -> tuple[str, ...]:
    """The absolute paths, sorted; whether they still exist is another question."""
    uris = (uri for editor in known for uri in _uris(editor.folder))
    return tuple(sorted({path for uri in uris if (path := path_of(uri))}))


def _uris(user: Path) -> Iterator[str]:
    for file in user.glob("workspaceStorage/*/workspace.json"):
        folder = _read(file).get("folder")
        if isinstance(folder, str):
            yield folder
    associations = _read(user / "globalStorage" / "storage.json").get("profileAssociations")
    if isinstance(associations, dict) and isinstance(associations.get("workspaces"), dict):
        yield from associations["workspaces"]


def _read(file: Path) -> dict[str, Any]:
    """What the editor has not written, or writes in another way, says nothing."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
