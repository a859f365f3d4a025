"""Assistants, their files, and what they would meet."""

from dataclasses import dataclass

__all__ = ["CheckedStep", "ClientChecked", "ClientRow", "ClientShown", "ClientWritten", "ClientsListed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientRow:
    """One client: what is written for it, where, and whether its vectors are in Qdrant or in a store of its own."""

    name: str
    title: str
    format: str
    file: str
    vectors: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientsListed:
    """Every client that is known."""

    clients: tuple[ClientRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientShown:
    """What a client's file would hold, and the remaining steps, in order."""

    client: str
    file: str
    text: str
    clicks: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientWritten:
    """The file that was written: `change` is unchanged, changed or created; `backup` where the text from before is."""

    client: str
    file: str
    change: str
    backup: str | None
    clicks: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedStep:
    """One thing that a client does: whether it worked, and what came of it."""

    step: str
    ok: bool
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientChecked:
    """What a client would meet, step by step; after a failure the rest was not tried."""

    client: str
    steps: tuple[CheckedStep, ...]
