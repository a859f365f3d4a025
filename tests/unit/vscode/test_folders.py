"""The folders that an editor remembers."""

import json
from pathlib import Path

from embctl.vscode.editors import Editor
from embctl.vscode.folders import opened_folders


def write(file: Path, content: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content)


def test_folders_come_from_workspaces_and_from_profiles_each_once(tmp_path: Path) -> None:
    write(tmp_path / "workspaceStorage" / "1" / "workspace.json", json.dumps({"folder": "file:///home/ada/x"}))
    associations = {"workspaces": {"file:///home/ada/x": "p", "file:///home/ada/y": "q"}}
    write(tmp_path / "globalStorage" / "storage.json", json.dumps({"profileAssociations": associations}))
    assert opened_folders([Editor(name="code", folder=tmp_path)]) == ("/home/ada/x", "/home/ada/y")


def test_what_is_no_folder_of_this_machine_or_cannot_be_read_is_left_out(tmp_path: Path) -> None:
    storage = tmp_path / "workspaceStorage"
    write(storage / "1" / "workspace.json", "{")
    write(storage / "2" / "workspace.json", json.dumps({"workspace": "file:///home/ada/all.code-workspace"}))
    write(storage / "3" / "workspace.json", json.dumps({"folder": "vscode-remote://wsl%2Bubuntu/home/ada"}))
    write(storage / "4" / "workspace.json", "[]")
    assert opened_folders([Editor(name="code", folder=tmp_path), Editor(name="kiro", folder=tmp_path / "no")]) == ()
