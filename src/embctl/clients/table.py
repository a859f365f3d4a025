"""The table of clients: what their file is, where it is, and what is left to click. What differs between them is here.

Taken from their sources: Roo Code 3.52, Zoo Code 3.82, Kilo Code 7, Continue's config.yaml.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

__all__ = ["CLIENTS", "Client", "Format"]


class Format(StrEnum):
    """What a client's file is: made anew to be imported or read, or a part of the user's own configuration."""

    IMPORT = "settings to import"
    KILO = "kilo.jsonc"
    CONTINUE = "config.yaml"
    SUMMARY = "summary"


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """One client. `file` is the name of what is written, below the home folder where it begins with a dot and in the
    current one otherwise. `texts` are in one request of its indexer, `base64` how it asks for vectors, `keeps_vectors`
    whether in a store of its own instead of Qdrant. `clicks` are what is left to do, in order, after a write; `patched`
    after a patch, empty for a client without exports."""

    name: str
    title: str
    format: Format
    file: str
    clicks: tuple[str, ...]
    patched: tuple[str, ...] = ()
    texts: int = 60
    base64: bool = True
    keeps_vectors: bool = False


_IMPORT: Final = (
    "Open the client's settings, About, Import, and choose {file}.",
    "Open the settings of the codebase index and type any API key{key}: an import cannot carry it.",
    "Press Save, then Start Indexing.",
)
_PATCHED: Final = (
    "Open the client's settings, About, Import, and choose {file}: the profile in it is your own.",
    "Press Save in the settings of the codebase index, or reload the window: an import does not start indexing.",
)

CLIENTS: Final = (
    Client(
        name="zoo-code",
        title="Zoo Code",
        format=Format.IMPORT,
        file="roo-code-settings.json",
        clicks=_IMPORT,
        patched=_PATCHED,
        texts=32,
    ),
    Client(
        name="roo-code",
        title="Roo Code",
        format=Format.IMPORT,
        file="roo-code-settings.json",
        clicks=_IMPORT,
        patched=_PATCHED,
    ),
    Client(
        name="kilo-code",
        title="Kilo Code 7",
        format=Format.KILO,
        file=".config/kilo/kilo.jsonc",
        clicks=("Reload the window (Developer: Reload Window): Kilo Code reads the file at its start.",),
    ),
    Client(
        name="continue",
        title="Continue",
        format=Format.CONTINUE,
        file=".continue/config.yaml",
        clicks=("Reload the window, then choose the model in Continue's settings, Models, Embed.",),
        base64=False,
        keeps_vectors=True,
    ),
    Client(
        name="summary",
        title="people and scripts",
        format=Format.SUMMARY,
        file="roo-code-config.json",
        clicks=("No client imports this file: type its values where an assistant asks for them.",),
    ),
)
