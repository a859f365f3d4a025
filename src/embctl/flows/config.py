"""Shows and checks what embctl was told: `config show`, `config path`, `config validate`."""

from collections.abc import Mapping
from pathlib import Path

from embctl.outcomes import ConfigPaths, ConfigRow, ConfigShown, ConfigValid
from embctl.paths import bundle, project_config_file, state_dir, user_config_file
from embctl.result import Result
from embctl.settings import Settings

__all__ = ["config_path", "config_show", "config_validate"]


def config_show(settings: Settings, *, origin: bool) -> Result[ConfigShown]:
    """Every setting with its value, secrets masked, and where it comes from when `origin` is asked for."""
    rows = tuple(
        ConfigRow(key=each.key, value=each.value, origin=str(each.origin) if origin else None)
        for each in settings.listed()
    )
    return Result(command="config show", data=ConfigShown(settings=rows))


def config_path(env: Mapping[str, str], cwd: Path) -> Result[ConfigPaths]:
    """Where settings are read from."""
    project = project_config_file(cwd)
    return Result(
        command="config path",
        data=ConfigPaths(
            user_file=str(user_config_file(env)),
            project_file=str(project) if project else None,
            state_dir=str(state_dir(env)),
            bundle=str(bundle()),
        ),
    )


def config_validate(env: Mapping[str, str], cwd: Path, compose_files: tuple[Path, ...]) -> Result[ConfigValid]:
    """Everything was read already, or this would not be called: name the files that were."""
    candidates = [user_config_file(env), project_config_file(cwd), *compose_files]
    files = tuple(str(file) for file in candidates if file and file.is_file())
    return Result(command="config validate", data=ConfigValid(files=files))
