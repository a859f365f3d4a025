"""Turns results and events into plain JSON values; the one place that knows the envelope's keys."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Any

from embctl.errors import EmbctlError
from embctl.events import Event
from embctl.model import LogLine
from embctl.result import Result

__all__ = ["SCHEMA", "envelope", "error_object", "event_object", "jsonable"]

SCHEMA = "embctl/1"


def jsonable(value: Any) -> Any:
    """Plain JSON for any of embctl's data: dataclasses by field name, times as ISO 8601, paths and enums as text."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: jsonable(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): jsonable(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [jsonable(item) for item in value]
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Path):
        return str(value)
    return value


def error_object(error: EmbctlError) -> dict[str, Any]:
    """The documented shape of an error."""
    return {
        "code": error.code,
        "category": error.category,
        "message": error.message,
        "retryable": error.retryable,
        "details": jsonable(error.details),
        "actions": list(error.actions),
    }


def envelope(result: Result[Any]) -> dict[str, Any]:
    """The one JSON document of a command."""
    return {
        "schema": SCHEMA,
        "command": result.command,
        "ok": result.error is None,
        "changed": result.changed,
        "exit_code": result.exit_code,
        "data": jsonable(result.data),
        "warnings": list(result.warnings),
        "error": error_object(result.error) if result.error else None,
    }


def event_object(event: Event | LogLine) -> dict[str, Any]:
    """One line of JSON lines: the event's class in snake case as `type`, then its fields."""
    name = "".join(f"_{c.lower()}" if c.isupper() else c for c in type(event).__name__).lstrip("_")
    return {"type": name, **jsonable(event)}
