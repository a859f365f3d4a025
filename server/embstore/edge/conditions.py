"""Filters and payload choices, built from values that are already checked for their types. Reads no JSON."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias
from uuid import UUID

import numpy as np
import qdrant_edge as q

__all__ = [
    "Condition",
    "Filter",
    "PayloadChoice",
    "PointId",
    "all_but_fields",
    "counts_values",
    "field_is",
    "filter_of",
    "has_id",
    "has_vector",
    "in_box",
    "in_circle",
    "in_polygon",
    "in_range",
    "is_empty",
    "is_null",
    "matches",
    "nested",
    "only_fields",
]

PointId: TypeAlias = int | UUID
# Opaque outside this package.
Filter: TypeAlias = q.Filter
Condition: TypeAlias = Any
PayloadChoice: TypeAlias = Any

_MATCHES: Final[Mapping[str, Callable[[Any], Any]]] = {
    "text": q.MatchText,
    "text_any": q.MatchTextAny,
    "phrase": q.MatchPhrase,
    "prefix": q.MatchPrefix,
    "substring": q.MatchSubstring,
    "any": q.MatchAny,
    "except": q.MatchExcept,
}


def filter_of(
    *,
    must: Sequence[Condition] | None = None,
    should: Sequence[Condition] | None = None,
    must_not: Sequence[Condition] | None = None,
    min_should: tuple[Sequence[Condition], int] | None = None,
) -> q.Filter:
    """Conditions joined; an empty list is no condition."""
    return q.Filter(
        must=None if must is None else list(must),
        should=None if should is None else list(should),
        must_not=None if must_not is None else list(must_not),
        min_should=None if min_should is None else q.MinShould(list(min_should[0]), min_should[1]),
    )


def matches(key: str, kind: str, value: Any) -> Condition:
    """`kind` is "value" or one of Qdrant's other match words."""
    if kind == "value":
        exact: Any = np.bool_(value) if isinstance(value, bool) else value
        return q.FieldCondition(key, match=q.MatchValue(exact))
    return q.FieldCondition(key, match=_MATCHES[kind](value))


def in_range(key: str, bounds: Mapping[str, Any]) -> Condition:
    """Between numbers, or between RFC 3339 dates when a bound is a string."""
    dates = any(isinstance(bound, str) for bound in bounds.values())
    return q.FieldCondition(key, range=q.RangeDateTime(**bounds) if dates else q.RangeFloat(**bounds))


def in_box(key: str, top_left: tuple[float, float], bottom_right: tuple[float, float]) -> Condition:
    """Inside a box of two (lon, lat) corners."""
    return q.FieldCondition(key, geo_bounding_box=q.GeoBoundingBox(q.GeoPoint(*top_left), q.GeoPoint(*bottom_right)))


def in_circle(key: str, center: tuple[float, float], radius: float) -> Condition:
    """Within `radius` metres of (lon, lat)."""
    return q.FieldCondition(key, geo_radius=q.GeoRadius(q.GeoPoint(*center), radius))


def in_polygon(
    key: str, exterior: Sequence[tuple[float, float]], interiors: Sequence[Sequence[tuple[float, float]]]
) -> Condition:
    """Inside a closed line of (lon, lat) points and outside its holes."""
    rings = [[q.GeoPoint(*point) for point in ring] for ring in (exterior, *interiors)]
    return q.FieldCondition(key, geo_polygon=q.GeoPolygon(rings[0], rings[1:]))


def counts_values(key: str, bounds: Mapping[str, int]) -> Condition:
    """The field has that many values."""
    return q.FieldCondition(key, values_count=q.ValuesCount(**bounds))


def is_empty(key: str) -> Condition:
    """The field is missing, null or []."""
    return q.IsEmptyCondition(key)


def is_null(key: str) -> Condition:
    """The field is there, and null."""
    return q.IsNullCondition(key)


def field_is(key: str, *, empty: bool | None = None, null: bool | None = None) -> Condition:
    """The two conditions above in their field form, which can also ask for the opposite."""
    return q.FieldCondition(key, is_empty=empty, is_null=null)


def has_id(ids: Sequence[PointId]) -> Condition:
    """The point is one of these."""
    return q.HasIdCondition(set(ids))


def has_vector(name: str) -> Condition:
    """The point has the vector of that name; "" is the unnamed one."""
    return q.HasVectorCondition(name)


def nested(key: str, inside: q.Filter) -> Condition:
    """One element of the array at `key` meets all of `inside`."""
    return q.NestedCondition(key, inside)


def only_fields(include: Sequence[str]) -> PayloadChoice:
    """Payload reduced to these fields."""
    return q.PayloadSelector.Include(list(include))


def all_but_fields(exclude: Sequence[str]) -> PayloadChoice:
    """Payload without these fields."""
    return q.PayloadSelector.Exclude(list(exclude))
