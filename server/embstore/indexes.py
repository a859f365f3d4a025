"""Payload index requests: `"keyword"` or `{"type": "keyword", ...options}`."""

from typing import Any

from embstore import edge
from embstore.errors import FormatError, Unsupported
from embstore.fields import object_, required, text

__all__ = ["options_of", "parse_index"]


def parse_index(body: dict[str, Any]) -> tuple[str, edge.IndexSchema, dict[str, Any] | None]:
    """The field, the engine's schema, and the options as given (None for the plain form) to report back."""
    field = text(required(body, "field_name"), "a payload key")
    given = body.get("field_schema", body.get("field_type"))
    if given is None:
        raise Unsupported("Guessing the schema of a payload index")
    if isinstance(given, str):
        return field, edge.index_schema(_known(given), {}), None
    params = object_(given, "a field schema")
    kind = _known(text(required(params, "type"), "a payload schema type"))
    for name, value in params.items():
        if name != "type" and value is not None and name not in edge.INDEX_OPTIONS[kind]:
            raise Unsupported(f"The option `{name}` of a {kind} index")
    return field, edge.index_schema(kind, options_of(params)), params


def options_of(params: dict[str, Any] | None) -> dict[str, Any]:
    """What of a field schema the engine's form of it takes; of None, the plain form, nothing."""
    return {name: value for name, value in (params or {}).items() if name != "type" and value is not None}


def _known(kind: str) -> str:
    if kind not in edge.INDEX_OPTIONS:
        names = ", ".join(f"`{name}`" for name in edge.INDEX_OPTIONS)
        raise FormatError(f"unknown variant `{kind}`, expected one of {names}")
    return kind
