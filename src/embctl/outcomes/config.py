"""Settings, and where they come from."""

from dataclasses import dataclass

__all__ = ["ConfigPaths", "ConfigRow", "ConfigShown", "ConfigValid"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigRow:
    """One setting: secrets are masked; `origin` is None when it was not asked for."""

    key: str
    value: str | int | bool
    origin: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigShown:
    """Every setting."""

    settings: tuple[ConfigRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigPaths:
    """Where settings are read from and state is kept; `project_file` is None where no folder above has one."""

    user_file: str
    project_file: str | None
    state_dir: str
    bundle: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigValid:
    """Settings and compose files were read without an error."""

    files: tuple[str, ...]
