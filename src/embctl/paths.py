"""Where embctl's files are. Asks the platform's conventions; creates nothing, reads nothing."""

from collections.abc import Mapping
from pathlib import Path

from embctl.errors import Failed

__all__ = [
    "PROJECT_FILE",
    "bundle",
    "data_dir",
    "project_config_file",
    "remembered_file",
    "state_dir",
    "user_config_file",
]

PROJECT_FILE = ".embctl.toml"
_APP = "embctl"
_PACKAGE = Path(__file__).resolve().parent


def bundle() -> Path:
    """The folder that holds compose/ and server/: carried inside an installed package, else the root of a checkout.
    Failed(code="bundle_missing") when neither has them."""
    candidates = (_PACKAGE / "bundle", _PACKAGE.parent.parent)
    for folder in candidates:
        if (folder / "compose").is_dir() and (folder / "server").is_dir():
            return folder
    raise Failed(
        f"This installation of embctl is incomplete: {candidates[0]} is missing.",
        code="bundle_missing",
        actions=("Install embctl again.",),
        details={"looked_in": [str(folder) for folder in candidates]},
    )


def user_config_file(env: Mapping[str, str]) -> Path:
    """The user's settings file: $XDG_CONFIG_HOME/embctl/config.toml where that variable is set, else where the platform
    keeps configuration."""
    return _base(env, "XDG_CONFIG_HOME") / "config.toml"


def state_dir(env: Mapping[str, str]) -> Path:
    """The folder for locks and logs: $XDG_STATE_HOME/embctl where that variable is set, else where the platform keeps
    state."""
    return _base(env, "XDG_STATE_HOME")


def data_dir(env: Mapping[str, str]) -> Path:
    """The folder for what native services keep, indexes and models: $XDG_DATA_HOME/embctl where that variable is set,
    else where the platform keeps data."""
    return _base(env, "XDG_DATA_HOME")


def remembered_file(env: Mapping[str, str], project: str) -> Path:
    """What a project keeps from its last start until its data is deleted."""
    return state_dir(env) / "projects" / f"{project}.toml"


def project_config_file(cwd: Path) -> Path | None:
    """The nearest .embctl.toml, from `cwd` upwards."""
    for folder in (cwd, *cwd.parents):
        if (folder / PROJECT_FILE).is_file():
            return folder / PROJECT_FILE
    return None


def _base(env: Mapping[str, str], variable: str) -> Path:
    chosen = env.get(variable, "")
    if Path(chosen).is_absolute():  # the convention tells programs to ignore relative ones
        return Path(chosen) / _APP
    import platformdirs  # noqa: PLC0415 - its import is paid only where the platform must be asked

    if variable == "XDG_CONFIG_HOME":
        return platformdirs.user_config_path(_APP, appauthor=False)
    if variable == "XDG_DATA_HOME":
        return platformdirs.user_data_path(_APP, appauthor=False)
    return platformdirs.user_state_path(_APP, appauthor=False)
