"""Collections and their payload indexes."""

from typing import Any

from embstore.indexes import parse_index
from embstore.names import check_name
from embstore.routes.call import Call, route

__all__ = ["ROUTES"]


def _names(call: Call) -> dict[str, Any]:
    return {"collections": [{"name": name} for name in call.store.names()]}


def _report(call: Call) -> dict[str, Any]:
    return call.collection().report()


def _exists(call: Call) -> dict[str, bool]:
    return {"exists": check_name(call.name) in call.store.names()}


def _create(call: Call) -> bool:
    call.store.create(call.name, call.body())
    return True


def _reconfigure(call: Call) -> bool:
    call.collection().reconfigure(call.body())
    return True


def _delete(call: Call) -> bool:
    return call.store.delete(check_name(call.name))


def _create_index(call: Call) -> dict[str, Any]:
    call.check_wait()
    field, schema, params = parse_index(call.body())
    return call.updated(lambda collection: collection.create_index(field, schema, params))


def _delete_index(call: Call) -> dict[str, Any]:
    call.check_wait()
    return call.updated(lambda collection: collection.delete_index(str(call.path["field"])))


ROUTES = [
    route("GET", "/collections", _names),
    route("GET", "/collections/{name}", _report),
    route("GET", "/collections/{name}/exists", _exists),
    route("PUT", "/collections/{name}", _create),
    route("PATCH", "/collections/{name}", _reconfigure),
    route("DELETE", "/collections/{name}", _delete),
    route("PUT", "/collections/{name}/index", _create_index),
    route("DELETE", "/collections/{name}/index/{field:path}", _delete_index),
]
