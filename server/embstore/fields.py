"""Reading JSON values by type, with Qdrant's words when a value has another one. Knows no request."""

from typing import Any

from embstore.errors import FormatError, InvalidValue

__all__ = ["boolean", "count", "elements", "number", "object_", "required", "text"]

# Larger counts mean "all of them"; the engine adds offset and limit in 64 bits.
_MOST = 2**32


def _kind(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return f"boolean `{str(value).lower()}`"
        case int():
            return f"integer `{value}`"
        case float():
            return f"floating point `{value}`"
        case str():
            return f"string {value[:64]!r}"
        case list():
            return "sequence"
        case _:
            return "map"


def object_(value: object, what: str) -> dict[str, Any]:
    """A JSON object; `what` names it in the error."""
    if not isinstance(value, dict):
        raise FormatError(f"invalid type: {_kind(value)}, expected {what}")
    return value


def elements(value: object, what: str) -> list[Any]:
    """A JSON array; `what` names it in the error."""
    if not isinstance(value, list):
        raise FormatError(f"invalid type: {_kind(value)}, expected {what}")
    return value


def text(value: object, what: str) -> str:
    """A JSON string; `what` names it in the error."""
    if not isinstance(value, str):
        raise FormatError(f"invalid type: {_kind(value)}, expected {what}")
    return value


def boolean(body: dict[str, Any], key: str, *, default: bool) -> bool:
    """An optional boolean field."""
    value = body.get(key)
    if value is None:
        return default
    if not isinstance(value, bool):
        raise FormatError(f"{key}: invalid type: {_kind(value)}, expected a boolean")
    return value


def number(body: dict[str, Any], key: str) -> float | None:
    """An optional number."""
    value = body.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise FormatError(f"{key}: invalid type: {_kind(value)}, expected a number")
    return float(value)


def count(body: dict[str, Any], key: str, *, default: int, least: int) -> int:
    """An optional whole number of things, no smaller than `least`."""
    value = body.get(key)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise FormatError(f"{key}: invalid type: {_kind(value)}, expected an unsigned integer")
    if value < least:
        raise InvalidValue(key, f"value {value} invalid, must be {least} or larger")
    return min(value, _MOST)


def required(body: dict[str, Any], key: str) -> Any:
    """A field that must be there and not null."""
    if body.get(key) is None:
        raise FormatError(f"missing field `{key}`")
    return body[key]
