"""Where editors keep their users' files: their folders on every system, their profiles, and what is not there."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from embctl.errors import Failed, UsageError
from embctl.vscode.editors import PRODUCTS, Editor, editors, named, targets
from embctl.vscode.hotkeys import System

HOME = Path("/home/ada")
DESKTOP = {
    "code": "Code",
    "code-insiders": "Code - Insiders",
    "code-oss": "Code - OSS",
    "codium": "VSCodium",
    "cursor": "Cursor",
    "windsurf": "Windsurf",
    "kiro": "Kiro",
    "antigravity": "Antigravity",
    "positron": "Positron",
}


def folder(name: str, env: Mapping[str, str] | None = None, system: System = System.LINUX) -> Path:
    (found,) = (editor.folder for editor in editors(env or {}, HOME, system) if editor.name == name)
    return found


@pytest.fixture
def code(tmp_path: Path) -> Editor:
    """VS Code with the profiles Work, in a folder of its own, and Play, which shares the default one's keybindings."""
    editor = Editor(name="code", folder=tmp_path / "Code" / "User")
    profiles = [
        {"name": "Work", "location": "1a2b"},
        {"name": "Play", "location": "3c4d", "useDefaultFlags": {"keybindings": True, "settings": True}},
    ]
    store(editor, json.dumps({"userDataProfiles": profiles}))
    return editor


def store(editor: Editor, content: str | bytes) -> None:
    storage = editor.folder / "globalStorage" / "storage.json"
    storage.parent.mkdir(parents=True, exist_ok=True)
    storage.write_bytes(content.encode() if isinstance(content, str) else content)


# Folders


def test_every_editor_is_known_by_the_name_that_its_own_command_has() -> None:
    assert [editor.name for editor in editors({}, HOME, System.LINUX)] == [*DESKTOP, "code-server"]


@pytest.mark.parametrize(("name", "product"), DESKTOP.items())
@pytest.mark.parametrize(
    ("system", "base"),
    [
        (System.LINUX, HOME / ".config"),
        (System.MACOS, HOME / "Library" / "Application Support"),
        (System.WINDOWS, HOME / "AppData" / "Roaming"),
    ],
)
def test_an_editor_keeps_its_files_where_the_system_keeps_settings(
    name: str, product: str, system: System, base: Path
) -> None:
    assert folder(name, system=system) == base / product / "User"


@pytest.mark.parametrize("system", System)
def test_code_server_keeps_its_files_among_data(system: System) -> None:
    assert folder("code-server", system=system) == HOME / ".local" / "share" / "code-server" / "User"


def test_windows_says_where_settings_are() -> None:
    env = {"APPDATA": "/roaming"}
    assert folder("code", env, System.WINDOWS) == Path("/roaming/Code/User")
    assert folder("code", env, System.LINUX) == HOME / ".config" / "Code" / "User"


def test_linux_follows_the_folders_that_the_user_chose() -> None:
    env = {"XDG_CONFIG_HOME": "/conf", "XDG_DATA_HOME": "/data"}
    assert folder("codium", env) == Path("/conf/VSCodium/User")
    assert folder("code-server", env) == Path("/data/code-server/User")


@pytest.mark.parametrize("chosen", ["", "conf", "./conf"])
def test_a_chosen_folder_that_is_not_absolute_counts_for_nothing(chosen: str) -> None:
    env = {"XDG_CONFIG_HOME": chosen, "XDG_DATA_HOME": chosen}
    assert folder("code", env) == folder("code")
    assert folder("code-server", env) == folder("code-server")


def test_macos_keeps_its_folder_whatever_linux_would_be_told() -> None:
    assert folder("code", {"XDG_CONFIG_HOME": "/conf"}, System.MACOS) == folder("code", system=System.MACOS)


@pytest.mark.parametrize("system", System)
def test_a_folder_named_for_all_products_wins_over_the_systems(system: System) -> None:
    env = {"VSCODE_APPDATA": "/apps", "APPDATA": "/roaming", "XDG_CONFIG_HOME": "/conf"}
    assert folder("cursor", env, system) == Path("/apps/Cursor/User")


@pytest.mark.parametrize("system", System)
def test_a_portable_editor_keeps_its_files_beside_itself(system: System) -> None:
    env = {"VSCODE_PORTABLE": "/stick/data", "VSCODE_APPDATA": "/apps"}
    assert folder("code", env, system) == Path("/stick/data/user-data/User")


def test_code_server_is_never_portable() -> None:
    env = {"VSCODE_PORTABLE": "/stick/data", "VSCODE_APPDATA": "/apps"}
    assert folder("code-server", env) == folder("code-server")


# Choosing editors


@pytest.mark.parametrize("spelling", ["code-insiders", "Code - Insiders", "CODE - INSIDERS", "Code-Insiders"])
def test_an_editor_is_named_as_its_command_or_as_its_product(tmp_path: Path, spelling: str) -> None:
    known = editors({"VSCODE_APPDATA": str(tmp_path)}, HOME, System.LINUX)
    (tmp_path / "Code - Insiders" / "User").mkdir(parents=True)
    assert [editor.name for editor in named(known, [spelling])] == ["code-insiders"]


def test_several_editors_may_be_named_and_each_counts_once(tmp_path: Path) -> None:
    known = editors({"VSCODE_APPDATA": str(tmp_path)}, HOME, System.LINUX)
    for product in ("Cursor", "Code"):
        (tmp_path / product / "User").mkdir(parents=True)
    assert [editor.name for editor in named(known, ["cursor", "code", "Cursor"])] == ["cursor", "code"]


def test_an_editor_that_nobody_knows_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(UsageError, match="vim") as caught:
        named(editors({}, HOME, System.LINUX), ["vim"])
    assert all(name in caught.value.actions[0] for name in PRODUCTS)
    assert "--user-dir" in caught.value.actions[0]


def test_an_editor_that_is_not_on_this_machine_is_refused_with_the_folder_looked_for(tmp_path: Path) -> None:
    known = editors({"VSCODE_APPDATA": str(tmp_path)}, HOME, System.LINUX)
    (tmp_path / "Code" / "User").mkdir(parents=True)
    with pytest.raises(Failed, match="Kiro") as caught:
        named(known, ["code", "kiro"])
    assert caught.value.code == "editor_missing"
    assert caught.value.details == {"editor": "kiro", "looked_in": [str(tmp_path / "Kiro" / "User")]}


# Profiles


def files(editor: Editor, profile: str = "", *, every: bool = False) -> list[tuple[str, str, str]]:
    """Profile, and the two files as they lie in the editor's folder."""
    found = []
    for target in targets(editor, profile, every=every):
        assert target.keybindings is not None
        assert target.editor == editor.name
        both = (target.tasks.relative_to(editor.folder), target.keybindings.relative_to(editor.folder))
        found.append((target.profile, both[0].as_posix(), both[1].as_posix()))
    return found


WORK = ("Work", "profiles/1a2b/tasks.json", "profiles/1a2b/keybindings.json")
PLAY = ("Play", "profiles/3c4d/tasks.json", "keybindings.json")
DEFAULT = ("", "tasks.json", "keybindings.json")


@pytest.mark.parametrize("name", ["", "Default", "default"])
def test_the_default_profile_is_in_the_editors_folder_itself(code: Editor, name: str) -> None:
    assert files(code, name) == [DEFAULT]


def test_a_profile_has_a_folder_of_its_own(code: Editor) -> None:
    assert files(code, "Work") == [WORK]


def test_a_profile_uses_the_default_ones_file_where_it_says_so(code: Editor) -> None:
    assert files(code, "Play") == [PLAY]


def test_all_profiles_are_the_default_one_and_the_others(code: Editor) -> None:
    assert files(code, every=True) == [DEFAULT, WORK, PLAY]


def test_a_profile_that_the_editor_does_not_have_is_refused_with_those_that_it_has(code: Editor) -> None:
    with pytest.raises(Failed, match='Code has no profile "work"') as caught:
        targets(code, "work")
    assert caught.value.code == "profile_missing"
    assert caught.value.details == {"editor": "code", "profiles": ["Work", "Play"]}
    assert caught.value.actions == ("Name one of: Default, Work, Play",)


def test_an_editor_that_was_never_told_of_profiles_has_the_default_one(tmp_path: Path) -> None:
    assert files(Editor(name="code", folder=tmp_path), every=True) == [DEFAULT]


@pytest.mark.parametrize(
    "storage",
    [
        "",
        '{"userDataProfiles": [',
        "[]",
        "null",
        "{}",
        '{"userDataProfiles": null}',
        '{"userDataProfiles": {"name": "Work", "location": "1a2b"}}',
        b'{"userDataProfiles": "\xff"}',
    ],
)
def test_a_storage_that_cannot_be_read_has_no_profiles(code: Editor, storage: str | bytes) -> None:
    store(code, storage)
    assert files(code, every=True) == [DEFAULT]


@pytest.mark.parametrize("odd", [None, "Odd", {}, {"name": "Odd"}, {"name": 7, "location": "odd"}, {"location": "odd"}])
def test_a_profile_that_is_written_in_another_way_hides_no_other(code: Editor, odd: Any) -> None:
    store(code, json.dumps({"userDataProfiles": [odd, {"name": "Work", "location": "1a2b", "useDefaultFlags": []}]}))
    assert files(code, every=True) == [DEFAULT, WORK]


def test_looking_for_profiles_writes_nothing(code: Editor) -> None:
    before = {path: path.read_bytes() for path in code.folder.rglob("*") if path.is_file()}
    targets(code, "", every=True)
    assert {path: path.read_bytes() for path in code.folder.rglob("*") if path.is_file()} == before
