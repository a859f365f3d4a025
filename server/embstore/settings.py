"""The store's settings, under Qdrant's own variable names so that one definition fits either server."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Settings", "SettingsInvalid"]

_LARGEST_PORT = 65535
_MIB = 1024 * 1024
_DAY_SECONDS = 24 * 60 * 60


class SettingsInvalid(Exception):
    """A variable has a value that cannot be used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Where to listen, where to keep data, what to accept, and when to flush and vacuum.

    `max_request_bytes` bounds one request body. A flush and a vacuum wait until nothing was asked for
    `vacuum_idle_seconds` (0: they run under load too), a vacuum until deleted points take up `vacuum_waste_bytes`.
    """

    storage_path: Path
    host: str = "127.0.0.1"
    port: int = 6333
    api_key: str = ""
    max_request_bytes: int = 32 * _MIB
    vacuum_idle_seconds: int = 30
    vacuum_waste_bytes: int = 32 * _MIB

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "Settings":
        """Read `QDRANT__*`, and `EMBSTORE_*` for what Qdrant has no name for; an empty string
        counts as unset. Raises SettingsInvalid, naming the variable.
        """
        return cls(
            storage_path=Path(env.get("QDRANT__STORAGE__STORAGE_PATH") or "./storage"),
            host=env.get("QDRANT__SERVICE__HOST") or "127.0.0.1",
            port=_number(env, "QDRANT__SERVICE__HTTP_PORT", 6333, largest=_LARGEST_PORT),
            api_key=env.get("QDRANT__SERVICE__API_KEY") or "",
            max_request_bytes=_number(env, "QDRANT__SERVICE__MAX_REQUEST_SIZE_MB", 32, largest=4096) * _MIB,
            vacuum_idle_seconds=_number(env, "EMBSTORE_VACUUM_IDLE_SECONDS", 30, least=0, largest=_DAY_SECONDS),
            vacuum_waste_bytes=_number(env, "EMBSTORE_VACUUM_WASTE_MB", 32, least=0, largest=1024 * 1024) * _MIB,
        )


def _number(env: Mapping[str, str], name: str, default: int, *, least: int = 1, largest: int) -> int:
    text = env.get(name) or str(default)
    if not text.isdecimal() or not least <= int(text) <= largest:
        raise SettingsInvalid(f"{name} is {text!r}; it must be a whole number from {least} to {largest}.")
    return int(text)
