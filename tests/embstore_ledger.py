"""What was written to a store that may die at any moment: what it acknowledged, and what it may have done or not."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from http.client import HTTPException
from itertools import count
from threading import Event
from typing import Any, Final

from embstore_process import StoreProcess

__all__ = ["COLLECTION", "Ledger", "create"]

COLLECTION: Final = "ws-0123456789abcdef"
_SIZE: Final = 64
_BATCH: Final = 20
_GONE: Final = 0
_PATH: Final = f"/collections/{COLLECTION}/points"


def create(store: StoreProcess) -> None:
    """The collection, with an index; vectors come back as they were sent."""
    vectors = {"size": _SIZE, "distance": "Dot", "on_disk": True}
    assert store.call("PUT", f"/collections/{COLLECTION}", {"vectors": vectors})[0] == 200
    index = {"field_name": "batch", "field_schema": "integer"}
    assert store.call("PUT", f"/collections/{COLLECTION}/index?wait=true", index)[0] == 200


def _vector(point: int, edition: int) -> list[float]:
    return [float((31 * point + 17 * edition + at) % 97) for at in range(_SIZE)]


@dataclass(slots=True)
class Ledger:
    """One writer: batches of its own points, each written, overwritten and deleted in turn, in ever new editions.

    `acknowledged` is each batch's last edition that was answered; `tried` the one after it, whose answer never came.
    """

    writer: int
    acknowledged: dict[int, int] = field(default_factory=dict)
    tried: dict[int, int] = field(default_factory=dict)
    editions: Iterator[int] = field(default_factory=lambda: count(1))

    def write(self, store: StoreProcess, enough: int, has_enough: Event) -> None:
        """Write until the store is gone; `has_enough` is set after `enough` answers."""
        for answers, (edition, slot) in enumerate(zip(self.editions, iter(self._slots, None), strict=False), 1):
            batch = 1000 * self.writer + slot
            present = self.acknowledged.get(batch, _GONE)
            self.tried[batch] = _GONE if present and edition % 3 == 0 else edition
            try:
                self._send(store, batch, self.tried[batch])
            except (HTTPException, OSError):
                return
            self.acknowledged[batch] = self.tried.pop(batch)
            if answers == enough:
                has_enough.set()

    def _slots(self) -> int:
        return (7 * (len(self.acknowledged) + sum(self.acknowledged.values()))) % 40

    @staticmethod
    def _send(store: StoreProcess, batch: int, edition: int) -> None:
        if edition == _GONE:
            where = {"filter": {"must": [{"key": "batch", "match": {"value": batch}}]}}
            status, reply = store.call("POST", f"{_PATH}/delete?wait=true", where)
        else:
            points = [
                {"id": point, "vector": _vector(point, edition), "payload": {"batch": batch, "edition": edition}}
                for point in _points(batch)
            ]
            status, reply = store.call("PUT", f"{_PATH}?wait=true", {"points": points})
        assert status == 200, reply

    def check(self, store: StoreProcess) -> int:
        """Every batch is whole, in its acknowledged edition or the one that was tried; returns the points there."""
        there = 0
        for batch in sorted(self.acknowledged.keys() | self.tried.keys()):
            allowed = {self.acknowledged.get(batch, _GONE), self.tried.get(batch, self.acknowledged.get(batch, _GONE))}
            body = {"ids": _points(batch), "with_payload": True, "with_vector": True}
            status, reply = store.call("POST", _PATH, body)
            assert status == 200, reply
            self._judge(batch, reply["result"], allowed)
            there += len(reply["result"])
            self.acknowledged[batch] = reply["result"][0]["payload"]["edition"] if reply["result"] else _GONE
        self.tried.clear()
        return there

    @staticmethod
    def _judge(batch: int, found: list[dict[str, Any]], allowed: set[int]) -> None:
        if not found:
            assert _GONE in allowed, f"batch {batch} is gone, acknowledged was {allowed}"
            return
        assert [point["id"] for point in found] == _points(batch)
        for point in found:
            edition = point["payload"]["edition"]
            assert edition in allowed
            assert point["payload"] == {"batch": batch, "edition": edition}
            assert point["vector"] == _vector(point["id"], edition)


def _points(batch: int) -> list[int]:
    return [_BATCH * batch + at for at in range(_BATCH)]
