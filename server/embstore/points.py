"""Points as clients send them: ids, vectors and payloads, checked before the engine logs anything."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np

from embstore.edge import MAX_NESTING, Matrix, PointId
from embstore.errors import FormatError, Unsupported, WrongInput
from embstore.fields import elements, object_, required

__all__ = ["Points", "parse_id", "parse_ids", "parse_payload", "parse_points", "parse_vector"]

_LARGEST_ID = 2**64 - 1
_UUID = re.compile(
    r"(?:urn:uuid:)?[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{32}", re.IGNORECASE
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Points:
    """What one upsert carries: ids[i] has row i of `vectors` and payloads[i]."""

    ids: list[PointId]
    vectors: Matrix
    payloads: list[dict[str, Any] | None]


def parse_id(value: object) -> PointId:
    """An unsigned 64-bit number or a UUID."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _LARGEST_ID:
        return value
    if isinstance(value, str) and _UUID.fullmatch(value):
        return UUID(value)
    raise FormatError(f"value {value} is not a valid point ID, valid values are either an unsigned integer or a UUID")


def parse_ids(value: object) -> list[PointId]:
    """A list of ids."""
    return [parse_id(element) for element in elements(value, "a list of point IDs")]


def parse_payload(value: object) -> dict[str, Any] | None:
    """A JSON object or null, no deeper than the engine's log can read back."""
    if value is None:
        return None
    payload = object_(value, "a payload object")
    level: list[Any] = [payload]
    for _ in range(MAX_NESTING):
        level = [
            child
            for parent in level
            for child in (parent.values() if isinstance(parent, dict) else parent)
            if isinstance(child, dict | list)
        ]
        if not level:
            return payload
    raise FormatError(f"recursion limit exceeded: a payload may be nested {MAX_NESTING} levels deep")


def _matrix(rows: Sequence[object], size: int) -> Matrix:
    for row in rows:
        if not isinstance(row, list):
            raise FormatError("invalid vector: expected a list of numbers")
        if len(row) != size and not any(isinstance(value, list | dict) for value in row):
            raise WrongInput(f"Vector dimension error: expected dim: {size}, got {len(row)}")
    if not rows:
        return np.empty((0, size), dtype=np.float32)
    try:
        read = np.asarray(rows)
    except ValueError:
        read = np.asarray(())
    if read.shape != (len(rows), size) or read.dtype.kind not in "iuf":
        raise FormatError("invalid vector: expected a list of numbers")
    with np.errstate(over="ignore"):
        single = read.astype(np.float32)
    if not np.isfinite(single).all():
        raise FormatError("invalid vector: a value is out of range for a 32-bit float")
    return single


def _unnamed(vector: object) -> object:
    if not isinstance(vector, dict):
        return vector
    if set(vector) == {""}:
        return vector[""]
    if "text" in vector or "image" in vector:
        raise Unsupported("Inference")
    if "indices" in vector or not vector:
        raise Unsupported("A point without a dense vector")
    name = next(name for name in vector if name)
    raise WrongInput(f"Not existing vector name error: {name}")


def parse_vector(value: object, size: int) -> Matrix:
    """One vector of `size` numbers, as an array of shape (size,)."""
    row: Matrix = _matrix([_unnamed(value)], size)[0]
    return row


def _parse_list(points: list[Any], size: int) -> Points:
    ids: list[PointId] = []
    rows: list[object] = []
    payloads: list[dict[str, Any] | None] = []
    for element in points:
        point = object_(element, "a point")
        ids.append(parse_id(required(point, "id")))
        rows.append(_unnamed(required(point, "vector")))
        payloads.append(parse_payload(point.get("payload")))
    return Points(ids=ids, vectors=_matrix(rows, size), payloads=payloads)


def _parse_batch(batch: dict[str, Any], size: int) -> Points:
    ids = parse_ids(required(batch, "ids"))
    rows = elements(_unnamed(required(batch, "vectors")), "a list of vectors")
    given = batch.get("payloads") or [None] * len(ids)
    payloads = [parse_payload(one) for one in elements(given, "payloads")]
    if not len(ids) == len(rows) == len(payloads):
        raise WrongInput(f"number of ids ({len(ids)}), vectors ({len(rows)}) and payloads ({len(payloads)}) differ")
    return Points(ids=ids, vectors=_matrix(rows, size), payloads=payloads)


def parse_points(body: dict[str, Any], size: int) -> Points:
    """Either form of an upsert: `{"points": [...]}` or `{"batch": {"ids", "vectors", "payloads"}}`."""
    if body.get("update_filter") is not None or body.get("update_mode", "upsert") not in (None, "upsert"):
        raise Unsupported("A conditional upsert")
    if "batch" in body:
        return _parse_batch(object_(body["batch"], "a batch"), size)
    return _parse_list(elements(required(body, "points"), "a list of points"), size)
