"""What is in Qdrant, and what was moved or dropped of it."""

from dataclasses import dataclass
from datetime import datetime

__all__ = ["CollectionCopied", "CollectionRow", "CollectionsDropped", "CollectionsListed", "Migrated"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectionCopied:
    """A collection that is the same in both databases: its points, and how many of them were written just now."""

    collection: str
    points: int
    copied: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Migrated:
    """What went from one runtime to the other, and the commands that switch over."""

    source: str
    target: str
    collections: tuple[CollectionCopied, ...]
    next: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectionRow:
    """One collection. None is what nobody tells: `dimension` and `distance` of several named vectors, `fits` (whether
    the dimension is the model's), `bytes`, `indexed_at` (when a client last began or finished to index), `folder`.
    `folder_state` is there, gone, away (its parent is missing too) or unknown."""

    name: str
    points: int
    dimension: int | None
    distance: str | None
    fits: bool | None
    bytes: int | None
    indexed_at: datetime | None
    folder: str | None
    folder_state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectionsListed:
    """Every collection of the database."""

    collections: tuple[CollectionRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectionsDropped:
    """The collections that were chosen, as they were; the names of those that are gone now."""

    collections: tuple[CollectionRow, ...]
    dropped: tuple[str, ...]
    dry_run: bool
