"""Where the editors of this machine keep their users' tasks and keybindings. Looks only; writes nothing.

The folders are those of VS Code's own sources (`environmentService`, `userDataProfile`), under each product's name.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from embctl.errors import Failed, UsageError
from embctl.vscode.hotkeys import System

__all__ = ["DEFAULT_PROFILE", "PRODUCTS", "SERVER", "Editor", "Target", "editors", "named", "targets"]

DEFAULT_PROFILE: Final = ""
PRODUCTS: Final = {
    "code": "Code",
    "code-insiders": "Code - Insiders",
    "code-oss": "Code - OSS",
    "codium": "VSCodium",
    "cursor": "Cursor",
    "windsurf": "Windsurf",
    "kiro": "Kiro",
    "antigravity": "Antigravity",
    "positron": "Positron",
    "code-server": "code-server",
}
"""What `--editor` takes, and the folder's name."""
SERVER: Final = "code-server"
"""The one whose files are on the machine that it runs on, wherever its window is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Editor:
    """An editor's folder for one user; it need not exist."""

    name: str
    folder: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The two files of one profile; `keybindings` is None where there can be none."""

    editor: str
    profile: str
    tasks: Path
    keybindings: Path | None


def editors(env: Mapping[str, str], home: Path, system: System) -> tuple[Editor, ...]:
    """Every editor that is known, whether it is there or not."""
    return tuple(
        Editor(name=name, folder=_data(product, env, home, system) / "User") for name, product in PRODUCTS.items()
    )


def _data(product: str, env: Mapping[str, str], home: Path, system: System) -> Path:
    if product == SERVER:
        return _absolute(env, "XDG_DATA_HOME", home / ".local" / "share") / product
    if env.get("VSCODE_PORTABLE"):
        return Path(env["VSCODE_PORTABLE"]) / "user-data"
    if env.get("VSCODE_APPDATA"):
        return Path(env["VSCODE_APPDATA"]) / product
    match system:
        case System.WINDOWS:
            return Path(env.get("APPDATA") or home / "AppData" / "Roaming") / product
        case System.MACOS:
            return home / "Library" / "Application Support" / product
        case System.LINUX:
            return _absolute(env, "XDG_CONFIG_HOME", home / ".config") / product


def _absolute(env: Mapping[str, str], variable: str, usual: Path) -> Path:
    chosen = Path(env.get(variable, ""))
    return chosen if chosen.is_absolute() else usual


def named(known: Iterable[Editor], names: Iterable[str]) -> tuple[Editor, ...]:
    """The editors of those names, as `--editor` or as the product calls itself. UsageError for a name that nobody
    knows, Failed(code="editor_missing") for an editor that is not on this machine."""
    by_name = {editor.name: editor for editor in known}
    spellings = {product.casefold(): name for name, product in PRODUCTS.items()} | {name: name for name in PRODUCTS}
    chosen = []
    for given in names:
        name = spellings.get(given.casefold())
        if name is None:
            raise UsageError(
                f'There is no editor "{given}".',
                code="usage",
                actions=(f"Name one of {', '.join(PRODUCTS)}, or give its folder: --user-dir PATH",),
            )
        if not by_name[name].folder.is_dir():
            raise Failed(
                f"{PRODUCTS[name]} has no folder {by_name[name].folder} on this machine.",
                code="editor_missing",
                details={"editor": name, "looked_in": [str(by_name[name].folder)]},
                actions=("Start the editor once, or give its folder: --user-dir PATH",),
            )
        chosen.append(by_name[name])
    return tuple(dict.fromkeys(chosen))


def targets(editor: Editor, profile: str, *, every: bool = False) -> tuple[Target, ...]:
    """The files of that profile, of the default one and all others with `every`.
    Failed(code="profile_missing") when the editor has none of that name."""
    stored = tuple(_profiles(editor.folder))
    default = _target(editor, DEFAULT_PROFILE, editor.folder, {})
    others = tuple(_target(editor, name, folder, flags) for name, folder, flags in stored)
    if every:
        return (default, *others)
    if not profile or profile.casefold() == "default":
        return (default,)
    chosen = tuple(target for target in others if target.profile == profile)
    if not chosen:
        raise Failed(
            f'{PRODUCTS.get(editor.name, editor.name)} has no profile "{profile}".',
            code="profile_missing",
            details={"editor": editor.name, "profiles": [target.profile for target in others]},
            actions=(f"Name one of: {', '.join(['Default', *(target.profile for target in others)])}",),
        )
    return chosen


def _target(editor: Editor, profile: str, folder: Path, uses_default: Mapping[str, Any]) -> Target:
    def file(kind: str) -> Path:
        return (editor.folder if uses_default.get(kind) else folder) / f"{kind}.json"

    return Target(editor=editor.name, profile=profile, tasks=file("tasks"), keybindings=file("keybindings"))


def _profiles(user: Path) -> Iterator[tuple[str, Path, Mapping[str, Any]]]:
    """Name, folder, and the kinds of files that it shares with the default profile. What the editor has not written, or
    writes in another way, is no profile."""
    try:
        storage = json.loads((user / "globalStorage" / "storage.json").read_text(encoding="utf-8"))
        stored = storage["userDataProfiles"]
    except (OSError, ValueError, KeyError, TypeError):
        return
    for each in stored if isinstance(stored, list) else ():
        if isinstance(each, dict) and isinstance(each.get("name"), str) and isinstance(each.get("location"), str):
            flags = each.get("useDefaultFlags")
            yield each["name"], user / "profiles" / each["location"], flags if isinstance(flags, dict) else {}
