"""The store's settings, under Qdrant's own variable names so that one definition fits either server."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Settings", "SettingsInvalid"]

_LARGEST_PORT = 65535


class SettingsInvalid(Exception):
    """A variable has a value that cannot be used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Where to listen, where to keep data, and what to accept. `max_request_bytes` bounds one request body."""

    storage_path: Path
    host: str = "127.0.0.1"
    port: int = 6333
    api_key: str = ""
    max_request_bytes: int = 32 * 1024 * 1024

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "Settings":
        """Read `QDRANT__*`; an empty string counts as unset. Raises SettingsInvalid, naming the variable."""
        return cls(
            storage_path=Path(env.get("QDRANT__STORAGE__STORAGE_PATH") or "./storage"),
            host=env.get("QDRANT__SERVICE__HOST") or "127.0.0.1",
            port=_number(env, "QDRANT__SERVICE__HTTP_PORT", 6333, largest=_LARGEST_PORT),
            api_key=env.get("QDRANT__SERVICE__API_KEY") or "",
            max_request_bytes=_number(env, "QDRANT__SERVICE__MAX_REQUEST_SIZE_MB", 32, largest=4096) * 1024 * 1024,
        )


def _number(env: Mapping[str, str], name: str, default: int, *, largest: int) -> int:
    text = env.get(name) or str(default)
    if not text.isdecimal() or not 1 <= int(text) <= largest:
        raise SettingsInvalid(f"{name} is {text!r}; it must be a whole number from 1 to {largest}.")
    return int(text)
