"""Routes of Qdrant's REST API that exist there and not here: they answer 501 by name, where others answer 404."""

from typing import Any

from starlette.routing import Route

from embstore.errors import Unsupported
from embstore.routes.call import Call, route

__all__ = ["ROUTES"]

_KNOWN = """
GET /locks
POST /locks
GET /issues
DELETE /issues
GET /cluster
GET /cluster/telemetry
POST /cluster/recover
DELETE /cluster/peer/{peer}
GET /aliases
POST /collections/aliases
GET /snapshots
POST /snapshots
GET /snapshots/{snapshot}
DELETE /snapshots/{snapshot}
GET /collections/{name}/aliases
GET /collections/{name}/cluster
POST /collections/{name}/cluster
GET /collections/{name}/optimizations
GET /collections/{name}/shards
PUT /collections/{name}/shards
POST /collections/{name}/shards/delete
GET /collections/{name}/snapshots
POST /collections/{name}/snapshots
PUT /collections/{name}/snapshots/recover
POST /collections/{name}/snapshots/upload
GET /collections/{name}/snapshots/{snapshot}
DELETE /collections/{name}/snapshots/{snapshot}
POST /collections/{name}/facet
POST /collections/{name}/points/batch
PUT /collections/{name}/points/vectors
POST /collections/{name}/points/vectors/delete
POST /collections/{name}/points/search/batch
POST /collections/{name}/points/search/groups
POST /collections/{name}/points/search/matrix/pairs
POST /collections/{name}/points/search/matrix/offsets
POST /collections/{name}/points/query/batch
POST /collections/{name}/points/query/groups
POST /collections/{name}/points/recommend
POST /collections/{name}/points/recommend/batch
POST /collections/{name}/points/recommend/groups
POST /collections/{name}/points/discover
POST /collections/{name}/points/discover/batch
"""


def _refusing(line: str) -> Route:
    def handler(_: Call) -> Any:
        raise Unsupported(f"`{line}`")

    method, path = line.split()
    return route(method, path, handler)


ROUTES = [_refusing(line) for line in _KNOWN.split("\n") if line]
