"""What a collection is beside its data: one small JSON file, replaced whole or not at all."""

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import orjson

__all__ = ["FIRST_SHARD", "Metadata", "MetadataInvalid", "sync_folder"]

_FILE: Final = "collection.json"
_FORMAT: Final = 1
FIRST_SHARD: Final = "shard"
_SHARD: Final = re.compile(r"shard(-[0-9a-f]{32})?")


class MetadataInvalid(Exception):
    """The file is missing, damaged, or of a later format."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """The name and configuration that a client gave, and the options of each payload index (None for a plain one).

    `shard` is the folder, beside this file, that holds the data: writing another one here replaces all of them at once.
    """

    name: str
    config: dict[str, Any]
    indexes: dict[str, dict[str, Any] | None] = field(default_factory=dict)
    shard: str = FIRST_SHARD

    def save(self, folder: Path) -> None:
        """Write it into the collection's folder; a crash or a full disk leaves the old file."""
        content = {
            "format": _FORMAT,
            "name": self.name,
            "config": self.config,
            "indexes": self.indexes,
            "shard": self.shard,
        }
        draft = folder / f"{_FILE}.new"
        with draft.open("wb") as file:
            file.write(orjson.dumps(content, option=orjson.OPT_INDENT_2))
            file.flush()
            os.fsync(file.fileno())
        draft.replace(folder / _FILE)
        sync_folder(folder)

    @classmethod
    def read(cls, folder: Path) -> "Metadata":
        """Read it from the collection's folder, or raise MetadataInvalid with the reason."""
        path = folder / _FILE
        try:
            content = orjson.loads(path.read_bytes())
            if content["format"] != _FORMAT:
                raise MetadataInvalid(f"{path} is of format {content['format']}, this version reads {_FORMAT}")
            read = cls(
                name=content["name"],
                config=content["config"],
                indexes=content["indexes"],
                shard=content.get("shard", FIRST_SHARD),
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise MetadataInvalid(f"{path} cannot be read: {error}") from error
        if not isinstance(read.name, str) or not isinstance(read.config, dict) or not isinstance(read.indexes, dict):
            raise MetadataInvalid(f"{path} cannot be read: a field has the wrong type")
        if not isinstance(read.shard, str) or not _SHARD.fullmatch(read.shard):
            raise MetadataInvalid(f"{path} cannot be read: {read.shard!r} is no shard's folder")
        return read


def sync_folder(folder: Path) -> None:
    """Make renames inside the folder durable, where the system can open folders."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
