"""What each collection takes, at the place where Qdrant's telemetry has it. Nothing is ever sent anywhere."""

from typing import Any, Final

from embstore.errors import StoreError, WrongInput
from embstore.routes.call import Call, route

__all__ = ["ROUTES"]

# Below it Qdrant tells the number of collections alone.
_COLLECTIONS_LEVEL: Final = 1


def _telemetry(call: Call) -> dict[str, Any]:
    level = call.query.get("details_level", "0")
    if not level.isdecimal():
        raise WrongInput("`details_level` in the query string must be a whole number")
    names = call.store.names()
    told: dict[str, Any] = {"number_of_collections": len(names)}
    if int(level) >= _COLLECTIONS_LEVEL:
        told["collections"] = [each for name in names if (each := _collection(call, name))]
    return {"app": {"name": "embstore"}, "collections": told}


def _collection(call: Call, name: str) -> dict[str, Any] | None:
    try:
        collection = call.store.get(name)
        segment = {"info": {"num_points": collection.count(None), "disk_usage_bytes": collection.disk_bytes()}}
    except StoreError:
        return None  # broken, or deleted a moment ago
    return {"id": name, "shards": [{"id": 0, "local": {"segments": [segment]}}]}


ROUTES = [route("GET", "/telemetry", _telemetry)]
