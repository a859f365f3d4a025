"""The other request bodies: which points, how much of each, and searches."""

from dataclasses import dataclass
from typing import Any

from embstore import edge
from embstore.errors import FormatError, Unsupported
from embstore.fields import count, elements, number, object_, required, text
from embstore.filters import parse_filter
from embstore.points import parse_id, parse_ids, parse_vector

__all__ = ["Search", "parse_payload_choice", "parse_query", "parse_search", "parse_selector", "parse_vector_choice"]

_DEFAULT_LIMIT = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """A nearest-neighbour search by a vector, or by the vector of the point `like`."""

    vector: edge.Matrix | None
    like: edge.PointId | None
    where: edge.Filter | None
    limit: int
    offset: int
    threshold: float | None
    payload: edge.PayloadChoice
    with_vector: bool


def parse_selector(body: dict[str, Any]) -> edge.Selector:
    """`points` or `filter`; an empty filter selects every point."""
    if body.get("points") is not None:
        if body.get("filter") is not None:
            raise Unsupported("A selection by both ids and a filter")
        return edge.Selector(ids=parse_ids(body["points"]))
    if body.get("filter") is not None:
        return edge.Selector(where=parse_filter(body["filter"]))
    raise FormatError("Either list of point ids or filter must be provided")


def parse_payload_choice(body: dict[str, Any], *, default: bool) -> edge.PayloadChoice:
    """`with_payload`: a boolean, a list of fields, `{"include": [...]}` or `{"exclude": [...]}`."""
    value = body.get("with_payload")
    if value is None:
        return default
    if isinstance(value, bool):
        return value
    if isinstance(value, list):
        value = {"include": value}
    chosen = object_(value, "with_payload")
    if set(chosen) not in ({"include"}, {"exclude"}):
        raise FormatError("with_payload: expected a boolean, a list of fields, `include` or `exclude`")
    ((side, fields),) = chosen.items()
    keys = [text(field, "a payload key") for field in elements(fields, "a list of payload keys")]
    with edge.building():
        return edge.only_fields(keys) if side == "include" else edge.all_but_fields(keys)


def parse_vector_choice(body: dict[str, Any]) -> bool:
    """`with_vector`: a boolean, or the names wanted, of which only the unnamed one exists."""
    value = body.get("with_vector", body.get("with_vectors"))
    if isinstance(value, list):
        return "" in value
    if value is not None and not isinstance(value, bool):
        raise FormatError("with_vector: expected a boolean or a list of vector names")
    return bool(value)


def _search(body: dict[str, Any], vector: edge.Matrix | None, like: edge.PointId | None) -> Search:
    return Search(
        vector=vector,
        like=like,
        where=parse_filter(body.get("filter")),
        limit=count(body, "limit", default=_DEFAULT_LIMIT, least=1),
        offset=count(body, "offset", default=0, least=0),
        threshold=number(body, "score_threshold"),
        payload=parse_payload_choice(body, default=False),
        with_vector=parse_vector_choice(body),
    )


def parse_query(body: dict[str, Any], size: int) -> Search:
    """The body of `points/query`, for a collection of `size` dimensions."""
    for unsupported in ("prefetch", "lookup_from"):
        if body.get(unsupported):
            raise Unsupported(f"`{unsupported}` in a query")
    query = body.get("query")
    if query is None:
        raise Unsupported("A query without a vector or an id")
    if isinstance(query, dict):
        if "nearest" not in query or query.get("mmr") is not None:
            raise Unsupported(f"A query of the kind `{next(iter(sorted(query)), '')}`")
        query = query["nearest"]
    query = _using(query, body.get("using"))
    if isinstance(query, list | dict):
        return _search(body, parse_vector(query, size), None)
    return _search(body, None, parse_id(query))


def _using(query: object, name: object) -> object:
    return {name: query} if name and isinstance(query, list) else query


def parse_search(body: dict[str, Any], size: int) -> Search:
    """The body of the older `points/search`, for a collection of `size` dimensions."""
    vector = required(body, "vector")
    required(body, "limit")
    if isinstance(vector, dict) and "name" in vector:
        vector = {vector["name"]: vector.get("vector")}
    return _search(body, parse_vector(vector, size), None)
