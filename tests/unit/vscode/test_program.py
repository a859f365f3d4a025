"""Which embctl the editor's tasks run, and how they name it."""

import tempfile
from pathlib import Path

import pytest

from embctl.errors import Failed
from embctl.vscode.program import found, program


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The home folder of a machine whose temporary files are elsewhere."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    return tmp_path / "home"


def executable(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o755)
    return str(path)


def command(called: str, home: Path, *, python: str = "/nowhere/python", env: dict[str, str] | None = None) -> str:
    named = program(called, python, env or {"PATH": ""}, home)
    assert named.warning == ""
    return named.command


def test_under_the_home_folder_it_is_named_by_the_editors_variable(home: Path) -> None:
    assert command(executable(home / ".local" / "bin" / "embctl"), home) == "${userHome}/.local/bin/embctl"


def test_elsewhere_it_is_an_absolute_path(home: Path, tmp_path: Path) -> None:
    there = executable(tmp_path / "opt" / "my tools" / "embctl")
    assert command(there, home) == there


def test_a_folder_that_only_begins_like_the_home_folder_is_elsewhere(home: Path, tmp_path: Path) -> None:
    there = executable(tmp_path / "homes" / "embctl")
    assert command(there, home) == there


def test_a_relative_call_is_made_absolute(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    executable(home / "bin" / "embctl")
    monkeypatch.chdir(home)
    assert command("bin/embctl", home) == "${userHome}/bin/embctl"


def test_a_call_from_a_folder_beside_it_does_not_depend_on_that_folder(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    executable(home / "bin" / "embctl")
    (home / "project").mkdir()
    monkeypatch.chdir(home / "project")
    assert command("../bin/embctl", home) == "${userHome}/bin/embctl"


def test_a_link_is_not_followed_for_it_outlives_what_it_leads_to(home: Path) -> None:
    link = home / ".local" / "bin" / "embctl"
    link.parent.mkdir(parents=True)
    link.symlink_to(executable(home / "venvs" / "embctl-1.0" / "bin" / "embctl"))
    assert command(str(link), home) == "${userHome}/.local/bin/embctl"


def test_a_bare_name_is_looked_up_on_the_path(home: Path) -> None:
    there = executable(home / "bin" / "embctl")
    assert command("embctl", home, env={"PATH": str(Path(there).parent)}) == "${userHome}/bin/embctl"


def test_run_as_a_module_it_is_the_program_beside_its_python(home: Path) -> None:
    executable(home / "venv" / "bin" / "embctl")
    executable(home / "bin" / "embctl")
    python = str(home / "venv" / "bin" / "python")
    env = {"PATH": str(home / "bin")}
    assert command("/site/embctl/__main__.py", home, python=python, env=env) == "${userHome}/venv/bin/embctl"


def test_run_as_a_module_without_a_program_beside_it_is_the_one_on_the_path(home: Path) -> None:
    executable(home / "bin" / "embctl")
    env = {"PATH": str(home / "bin")}
    assert command("/site/embctl/__main__.py", home, env=env) == "${userHome}/bin/embctl"


def test_no_program_at_all_is_refused_with_the_way_to_get_one(home: Path) -> None:
    with pytest.raises(Failed, match="no task can run it") as caught:
        command("/site/embctl/__main__.py", home)
    assert caught.value.code == "program_unusable"
    assert caught.value.details == {"python": "/nowhere/python"}
    assert "pipx install embctl" in caught.value.actions[0]


@pytest.mark.parametrize("folder", ["${home}", "a${", "${env:HOME} tools"])
def test_a_path_that_the_editor_would_read_as_a_variable_is_refused(home: Path, tmp_path: Path, folder: str) -> None:
    there = executable(tmp_path / folder / "embctl")
    with pytest.raises(Failed, match=r"for a variable") as caught:
        command(there, home)
    assert (caught.value.code, caught.value.details) == ("program_unusable", {"path": there})


def test_a_dollar_alone_is_no_variable(home: Path, tmp_path: Path) -> None:
    there = executable(tmp_path / "$HOME {tools}" / "embctl")
    assert command(there, home) == there


@pytest.mark.parametrize(
    "folder",
    [
        "temporary/venv/bin",
        "home/.cache/uv/archive-v0/x1/bin",
        "home/.cache/pipx/x1/bin",
        "home/Library/Caches/uv/bin",
        "caches/uv/bin",
        "uv-cache/archive-v0/x1/bin",
        "home/AppData/Local/uv/cache/x1/Scripts",
    ],
)
def test_a_folder_that_is_emptied_some_day_is_warned_of(home: Path, tmp_path: Path, folder: str) -> None:
    there = executable(tmp_path / folder / "embctl")
    env = {"LOCALAPPDATA": str(home / "AppData" / "Local"), "UV_CACHE_DIR": str(tmp_path / "uv-cache")}
    if folder.startswith("caches"):
        env["XDG_CACHE_HOME"] = str(tmp_path / "caches")
    named = program(there, "/nowhere/python", env, home)
    assert there in named.warning
    assert "pipx install embctl" in named.warning
    assert named.command.endswith("/embctl")


def test_other_folders_under_cache_homes_are_as_good_as_any(home: Path) -> None:
    assert command(executable(home / ".cache" / "mine" / "embctl"), home) == "${userHome}/.cache/mine/embctl"


@pytest.mark.parametrize("form", ["${userHome}/bin/embctl", "absolute"])
def test_a_program_is_found_while_it_is_there(home: Path, form: str) -> None:
    path = home / "bin" / "embctl"
    named = str(path) if form == "absolute" else form
    assert not found(named, home)
    executable(path)
    assert found(named, home)


def test_a_folder_is_no_program(home: Path) -> None:
    (home / "embctl").mkdir(parents=True)
    assert not found("${userHome}/embctl", home)


def test_a_bare_name_is_taken_for_found_since_only_the_editor_knows_its_path(home: Path) -> None:
    assert found("embctl", home)
