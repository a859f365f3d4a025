"""Where a setting's value came from."""

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Origin", "Source"]


class Source(StrEnum):
    """The layers of settings, weakest first."""

    DEFAULT = "default"
    REMEMBERED = "last start"
    USER_FILE = "user file"
    PROJECT_FILE = "project file"
    ENVIRONMENT = "environment"
    FLAG = "flag"


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """The layer of a value, and its place there: `FILE:LINE`, a variable's or flag's name, empty for a default."""

    source: Source
    place: str = ""

    def __str__(self) -> str:
        return f"{self.source} {self.place}".rstrip()
