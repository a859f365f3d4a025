"""Points: written, read, searched, counted and removed."""

from typing import Any

from embstore import edge
from embstore.errors import FormatError, NotFound, Unsupported, WrongInput
from embstore.fields import count, elements, object_, required, text
from embstore.filters import parse_filter
from embstore.points import parse_id, parse_ids, parse_payload, parse_points
from embstore.requests import parse_payload_choice, parse_query, parse_search, parse_selector, parse_vector_choice
from embstore.routes.call import Call, route

__all__ = ["ROUTES"]

_DEFAULT_PAGE = 10


def _upsert(call: Call) -> dict[str, Any]:
    call.check_wait()
    points = parse_points(call.body(), call.collection().dimension)
    return call.updated(lambda collection: collection.upsert(points, len(call.raw)))


def _delete(call: Call) -> dict[str, Any]:
    call.check_wait()
    which = parse_selector(call.body())
    return call.updated(lambda collection: collection.delete(which, len(call.raw)))


def _retrieve(call: Call) -> list[dict[str, Any]]:
    body = call.body()
    ids = parse_ids(required(body, "ids"))
    payload = parse_payload_choice(body, default=True)
    return call.collection().retrieve(ids, payload, with_vector=parse_vector_choice(body))


def _point(call: Call) -> dict[str, Any]:
    given = str(call.path["id"])
    try:
        wanted = parse_id(int(given) if given.isdecimal() else given)
    except FormatError as error:
        raise WrongInput(f'Can not recognize "{given}" as point id') from error
    found = call.collection().retrieve([wanted], payload=True, with_vector=True)
    if not found:
        raise NotFound(f"Point with id {given} does not exists!")
    return found[0]


def _query(call: Call) -> dict[str, Any]:
    collection = call.collection()
    return {"points": collection.search(parse_query(call.body(), collection.dimension))}


def _search(call: Call) -> list[dict[str, Any]]:
    collection = call.collection()
    return collection.search(parse_search(call.body(), collection.dimension))


def _scroll(call: Call) -> dict[str, Any]:
    body = call.body()
    if body.get("order_by") is not None:
        raise Unsupported("`order_by` in a scroll")
    points, following = call.collection().scroll(
        where=parse_filter(body.get("filter")),
        limit=count(body, "limit", default=_DEFAULT_PAGE, least=1),
        offset=None if body.get("offset") is None else parse_id(body["offset"]),
        payload=parse_payload_choice(body, default=True),
        with_vector=parse_vector_choice(body),
    )
    return {"points": points, "next_page_offset": following}


def _count(call: Call) -> dict[str, int]:
    return {"count": call.collection().count(parse_filter(call.body().get("filter")))}


def _payload(body: dict[str, Any]) -> dict[str, Any]:
    payload = parse_payload(required(body, "payload"))
    return object_(payload, "a payload object")


def _set_payload(call: Call) -> dict[str, Any]:
    call.check_wait()
    body = call.body()
    key = None if body.get("key") is None else text(body["key"], "a payload key")
    if key is not None and key.count(".") + key.count("[") > edge.MAX_NESTING // 2:
        raise FormatError("recursion limit exceeded: the key is nested too deeply")
    which, payload = parse_selector(body), _payload(body)
    return call.updated(lambda collection: collection.set_payload(which, payload, key))


def _overwrite_payload(call: Call) -> dict[str, Any]:
    call.check_wait()
    body = call.body()
    if body.get("key") is not None:
        raise Unsupported("`key` in an overwrite of the payload")
    which, payload = parse_selector(body), _payload(body)
    return call.updated(lambda collection: collection.overwrite_payload(which, payload))


def _delete_payload(call: Call) -> dict[str, Any]:
    call.check_wait()
    body = call.body()
    keys = [text(key, "a payload key") for key in elements(required(body, "keys"), "a list of payload keys")]
    which = parse_selector(body)
    return call.updated(lambda collection: collection.delete_payload(which, keys))


def _clear_payload(call: Call) -> dict[str, Any]:
    call.check_wait()
    which = parse_selector(call.body())
    return call.updated(lambda collection: collection.clear_payload(which, len(call.raw)))


_POINTS = "/collections/{name}/points"

ROUTES = [
    route("PUT", _POINTS, _upsert),
    route("POST", _POINTS, _retrieve),
    route("POST", f"{_POINTS}/delete", _delete),
    route("POST", f"{_POINTS}/query", _query),
    route("POST", f"{_POINTS}/search", _search),
    route("POST", f"{_POINTS}/scroll", _scroll),
    route("POST", f"{_POINTS}/count", _count),
    route("POST", f"{_POINTS}/payload", _set_payload),
    route("PUT", f"{_POINTS}/payload", _overwrite_payload),
    route("POST", f"{_POINTS}/payload/delete", _delete_payload),
    route("POST", f"{_POINTS}/payload/clear", _clear_payload),
    route("GET", f"{_POINTS}/{{id}}", _point),
]
