"""Qdrant's filter language: the filters of a search on the payload, read from JSON and translated into the database
engine's own conditions. It evaluates nothing."""

from collections.abc import Callable
from typing import Any

from embstore import edge
from embstore.errors import FormatError, Unsupported
from embstore.fields import boolean, count, elements, number, object_, required, text
from embstore.points import parse_id

__all__ = ["parse_filter"]

_CLAUSES = ("should", "min_should", "must", "must_not")
_BOUNDS = ("lt", "gt", "gte", "lte")
_SMALLEST, _LARGEST = -(2**63), 2**63 - 1
# Levels of the engine's log that one level here takes; a nested condition takes two.
_LEVELS = 2


def parse_filter(value: object) -> edge.Filter | None:
    """The filter of a request body, None when there is none. FormatError names what cannot be read."""
    if value is None:
        return None
    with edge.building():
        return _filter(value, edge.MAX_NESTING)


def _filter(value: object, room: int) -> edge.Filter:
    if room < 0:
        raise FormatError(f"recursion limit exceeded: filters may be nested {edge.MAX_NESTING // _LEVELS} levels deep")
    clauses = object_(value, "a filter")
    _only(clauses, _CLAUSES)
    min_should = None
    if clauses.get("min_should") is not None:
        body = object_(clauses["min_should"], "min_should")
        _only(body, ("conditions", "min_count"))
        required(body, "min_count")
        wanted = count(body, "min_count", default=0, least=0)
        min_should = (_conditions(required(body, "conditions"), room), wanted)
    return edge.filter_of(
        **{
            clause: _conditions(clauses[clause], room)
            for clause in ("must", "should", "must_not")
            if clauses.get(clause) is not None
        },
        min_should=min_should,
    )


def _only(body: dict[str, Any], known: tuple[str, ...]) -> None:
    for key in body:
        if key not in known:
            raise FormatError(f"unknown field `{key}`, expected one of {', '.join(f'`{name}`' for name in known)}")


def _conditions(value: object, room: int) -> list[edge.Condition]:
    many = value if isinstance(value, list) else [value]
    return [_condition(object_(one, "a condition"), room - _LEVELS) for one in many]


def _condition(body: dict[str, Any], room: int) -> edge.Condition:
    if "key" in body:
        return _field(body)
    match next(iter(body), None):
        case "is_empty":
            return edge.is_empty(_key(object_(body["is_empty"], "a payload field")))
        case "is_null":
            return edge.is_null(_key(object_(body["is_null"], "a payload field")))
        case "has_id":
            return edge.has_id([parse_id(one) for one in elements(body["has_id"], "a list of point IDs")])
        case "has_vector":
            return edge.has_vector(text(body["has_vector"], "a vector name"))
        case "nested":
            inside = object_(body["nested"], "a nested condition")
            return edge.nested(_key(inside), _filter(required(inside, "filter"), room - _LEVELS))
        case clause if clause in _CLAUSES or clause is None:
            return _filter(body, room)
        case unknown:
            raise FormatError(f"data did not match any variant of untagged enum Condition: `{unknown}`")


def _key(body: dict[str, Any]) -> str:
    return text(required(body, "key"), "a payload key")


def _field(body: dict[str, Any]) -> edge.Condition:
    key = _key(body)
    given = {name: value for name, value in body.items() if name != "key" and value is not None}
    for name in given:
        if name not in _FIELD_CONDITIONS:
            raise FormatError(f"unknown field `{name}` in the condition on `{key}`")
    if not given:
        raise FormatError(f"the condition on `{key}` says nothing: expected one of {', '.join(_FIELD_CONDITIONS)}")
    if len(given) > 1:
        raise Unsupported(f"Several tests in one condition (on `{key}`)")
    ((name, value),) = given.items()
    return _FIELD_CONDITIONS[name](key, value)


def _match(key: str, value: object) -> edge.Condition:
    body = object_(value, "a match")
    if len(body) != 1:
        raise FormatError(f"a match has exactly one of its forms, the one on `{key}` has {len(body)}")
    ((kind, wanted),) = body.items()
    match kind:
        case "value":
            if not isinstance(wanted, str | int) or (isinstance(wanted, int) and not _SMALLEST <= wanted <= _LARGEST):
                raise FormatError(f"match value of `{key}`: expected a string, an integer or a boolean")
        case "any" | "except":
            if not _alike(elements(wanted, "a list of strings or integers")):
                raise FormatError(f"match {kind} of `{key}`: expected a list of strings or a list of integers")
        case "text" | "text_any" | "phrase" | "prefix" | "substring":
            text(wanted, f"a string to match `{key}`")
        case _:
            raise FormatError(f"unknown match `{kind}` on `{key}`")
    return edge.matches(key, kind, wanted)


def _alike(values: list[Any]) -> bool:
    if all(isinstance(value, str) for value in values):
        return True
    return all(isinstance(value, int) and not isinstance(value, bool) for value in values)


def _range(key: str, value: object) -> edge.Condition:
    body = object_(value, "a range")
    _only(body, _BOUNDS)
    given = {name: bound for name, bound in body.items() if bound is not None}
    dates = [isinstance(bound, str) for bound in given.values()]
    if any(dates):
        if not all(dates):
            raise FormatError(f"range on `{key}`: expected either numbers or dates, got both")
        return edge.in_range(key, given)
    return edge.in_range(key, {name: number(given, name) for name in given})


def _values_count(key: str, value: object) -> edge.Condition:
    body = object_(value, "values_count")
    _only(body, _BOUNDS)
    return edge.counts_values(
        key, {name: count(body, name, default=0, least=0) for name in body if body[name] is not None}
    )


def _place(value: object) -> tuple[float, float]:
    body = object_(value, "a point with `lon` and `lat`")
    for name in ("lon", "lat"):
        required(body, name)
    return (number(body, "lon") or 0.0, number(body, "lat") or 0.0)


def _ring(value: object) -> list[tuple[float, float]]:
    return [_place(point) for point in elements(required(object_(value, "a line of points"), "points"), "points")]


def _box(key: str, value: object) -> edge.Condition:
    body = object_(value, "a bounding box")
    return edge.in_box(key, _place(required(body, "top_left")), _place(required(body, "bottom_right")))


def _circle(key: str, value: object) -> edge.Condition:
    body = object_(value, "a circle")
    required(body, "radius")
    return edge.in_circle(key, _place(required(body, "center")), number(body, "radius") or 0.0)


def _polygon(key: str, value: object) -> edge.Condition:
    body = object_(value, "a polygon")
    holes = elements(body.get("interiors") or [], "interiors")
    return edge.in_polygon(key, _ring(required(body, "exterior")), [_ring(hole) for hole in holes])


def _empty(key: str, value: object) -> edge.Condition:
    return edge.field_is(key, empty=boolean({"is_empty": value}, "is_empty", default=True))


def _null(key: str, value: object) -> edge.Condition:
    return edge.field_is(key, null=boolean({"is_null": value}, "is_null", default=True))


_FIELD_CONDITIONS: dict[str, Callable[[str, object], edge.Condition]] = {
    "match": _match,
    "range": _range,
    "geo_bounding_box": _box,
    "geo_radius": _circle,
    "geo_polygon": _polygon,
    "values_count": _values_count,
    "is_empty": _empty,
    "is_null": _null,
}
