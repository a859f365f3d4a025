"""How the editor finds embctl: the path that its tasks run. Looks at paths only."""

import os.path
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from embctl.errors import Failed

__all__ = ["USER_HOME", "Program", "found", "program"]

USER_HOME = "${userHome}"
_CACHES = ("uv", "pipx")


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """`command` as tasks write it; `warning` when it may not stay where it is."""

    command: str
    warning: str = ""


def program(called: str, executable: str, env: Mapping[str, str], home: Path) -> Program:
    """The embctl that is running: `called` is how (argv[0]), `executable` its Python. An absolute path, because an
    editor that was not started from a shell has another PATH; under the home folder as `${userHome}/...`, because
    settings are carried to other machines. Failed(code="program_unusable") where no task can name it."""
    path = _path(called, executable, env)
    text = str(path)
    if "${" in text:
        raise Failed(
            f"The editor would take ${{ in the path of embctl for a variable: {text}",
            code="program_unusable",
            details={"path": text},
            actions=("Install embctl in another folder, such as by pipx install embctl",),
        )
    warning = ""
    if _is_passing(path, env, home):
        warning = (
            f"{text} is in a temporary or cache folder: once that is emptied the hotkeys do nothing. Install embctl "
            "for good, such as by pipx install embctl, and run this again."
        )
    if path.is_relative_to(home):
        text = f"{USER_HOME}/{path.relative_to(home).as_posix()}"
    return Program(command=text, warning=warning)


def _path(called: str, executable: str, env: Mapping[str, str]) -> Path:
    """Not resolved: the links that pipx and uv make stay when what they lead to is upgraded."""
    if Path(called).stem == "embctl" and (there := shutil.which(called, path=env.get("PATH"))):
        return _absolute(there)
    beside = shutil.which("embctl", path=str(Path(executable).parent))
    on_path = beside or shutil.which("embctl", path=env.get("PATH"))
    if on_path is None:
        raise Failed(
            "The program embctl is not beside its Python and not on the PATH, so no task can run it.",
            code="program_unusable",
            details={"python": executable},
            actions=("Install embctl, such as by pipx install embctl",),
        )
    return _absolute(on_path)


def _absolute(path: str) -> Path:
    """Without `..`: the folder that embctl was called from may go."""
    return Path(os.path.normpath(Path(path).absolute()))


def _is_passing(path: Path, env: Mapping[str, str], home: Path) -> bool:
    cache = Path(env.get("XDG_CACHE_HOME") or home / ".cache")
    local = Path(env.get("LOCALAPPDATA") or home / "AppData" / "Local")
    roots = [
        Path(tempfile.gettempdir()),
        *(cache / name for name in _CACHES),
        home / "Library" / "Caches",
        local / "uv" / "cache",
        Path(env.get("UV_CACHE_DIR") or cache / "uv"),
    ]
    return any(path.is_relative_to(root) for root in roots)


def found(command: str, home: Path) -> bool:
    """Whether what a task runs is there; a bare name is looked up on the PATH of the editor, which nobody knows."""
    path = Path(command.replace(USER_HOME, str(home)))
    return not path.is_absolute() or path.is_file()
