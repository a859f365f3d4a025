"""What real services do, read twice: speed, queue, points, errors."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from embctl.flows.context import Context
from embctl.flows.stats import stats, top
from embctl.flows.stop import stop
from embctl.outcomes import Stats
from embctl.probes import Endpoint
from embctl.qdrant import Database
from embctl.result import Result
from fakes.real_services import Services


class Working:
    """The machine's clock, but that something happens while it sleeps."""

    def __init__(self, context: Context, happens: list[object]) -> None:
        self._context = context
        self._happens = happens

    def monotonic(self) -> float:
        return self._context.clock.monotonic()

    def sleep(self, seconds: float) -> None:  # noqa: ARG002 - as long as what happens takes
        for each in self._happens:
            assert callable(each)
            each()
        self._context.clock.sleep(0.01)


@pytest.fixture
def context(services: Services, tmp_path: Path) -> Iterator[Context]:
    with services.context(tmp_path) as context:
        yield context


def embed(context: Context, services: Services, texts: list[str]) -> None:
    url = f"http://127.0.0.1:{services.jina}/v1/embeddings"
    assert context.http.post_json(url, {"input": texts}).status == 200


def database(context: Context, services: Services) -> Database:
    return Database(endpoint=Endpoint(service="qdrant", url=f"http://127.0.0.1:{services.qdrant}"), http=context.http)


def test_rates_times_and_growth_are_of_the_interval(context: Context, services: Services) -> None:
    store = database(context, services)
    vectors = {"size": 4, "distance": "Cosine", "on_disk": True}
    store.create("ws-1", {"config": {"params": {"vectors": vectors}}, "payload_schema": {}})

    def work() -> None:
        embed(context, services, ["one search"])
        embed(context, services, [f"text {number}" for number in range(20)])
        store.upsert("ws-1", [{"id": each, "payload": {}, "vector": [1.0] * 4} for each in range(30)])

    try:
        data = stats(replace(context, clock=Working(context, [work])), 1.0).data
    finally:
        store.delete("ws-1")
    speed = data.speed
    assert speed.texts_per_second is not None
    assert speed.tokens_per_second is not None
    assert speed.tokens_per_second > speed.texts_per_second > 0
    assert (speed.queue_requests, speed.queue_texts) == (0, 0)
    for value in (speed.search_p50, speed.search_p95, speed.scan_p50, speed.scan_p95):
        assert value is not None
        assert value > 0
    (row,) = data.collections
    assert (row.name, row.points) == ("ws-1", 30)
    assert row.per_second is not None
    assert row.per_second > 0
    assert [each.service for each in data.services] == ["qdrant", "jina"]


def test_a_service_that_is_down_tells_nothing_and_breaks_nothing(context: Context) -> None:
    stop(context, ("jina",))
    data = stats(replace(context, clock=Working(context, [])), 1.0).data
    assert data.speed.texts_per_second is None
    assert data.speed.queue_requests is None
    assert data.services[1].state == "exited"


def test_top_shows_reading_after_reading(context: Context, services: Services) -> None:
    shown: list[Result[Stats]] = []

    def show(result: Result[Stats]) -> None:
        shown.append(result)
        if len(shown) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        top(replace(context, clock=Working(context, [lambda: embed(context, services, ["a"])])), show, 1.0)
    speeds = [each.data.speed.texts_per_second for each in shown]
    assert all(speed is not None and speed > 0 for speed in speeds)
