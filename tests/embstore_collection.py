"""A small collection with two payload indexes, as the tests of the vacuum fill it, and all that can be read from it."""

from typing import Any

import numpy as np

from embstore import edge
from embstore.collection import Collection
from embstore.points import Points
from embstore.store import Store

__all__ = ["content", "fresh", "put"]

SIZE = 8
CREATE = {"vectors": {"size": SIZE, "distance": "Cosine", "on_disk": True}}


def fresh(store: Store, name: str) -> Collection:
    store.create(name, CREATE)
    collection = store.get(name)
    collection.create_index("n", edge.index_schema("integer", {}), None)
    collection.create_index("kind", edge.index_schema("keyword", {"is_tenant": True}), {"is_tenant": True})
    return collection


def put(collection: Collection, ids: list[Any], edition: int = 1) -> None:
    vectors = np.random.default_rng(edition).normal(size=(len(ids), SIZE)).astype(np.float32)
    payloads: list[Any] = [{"n": edition, "kind": f"k{at % 3}", "text": "ä" * at} for at in range(len(ids))]
    collection.upsert(Points(ids=ids, vectors=vectors, payloads=payloads), 1000)


def content(collection: Collection) -> list[tuple[Any, bytes, Any]]:
    page, _ = collection.scroll(where=None, limit=10**6, offset=None, payload=True, with_vector=True)
    return [(point["id"], np.asarray(point["vector"]).tobytes(), point["payload"]) for point in page]
