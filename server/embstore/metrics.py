"""What Prometheus asks for at /metrics, under Qdrant's names, so that one dashboard fits both."""

from collections.abc import Iterator
from time import perf_counter
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from embstore.errors import StoreError
from embstore.store import Store

__all__ = ["CONTENT_TYPE", "Metrics", "Watched"]

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_BUCKETS: Final = (0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 5, 10)


class Metrics:
    """The metrics of one application, in a registry of its own."""

    def __init__(self, store: Store, version: str) -> None:
        self._registry = CollectorRegistry()
        labels = ["method", "endpoint", "status"]
        self._answers = Counter(
            "rest_responses", "number of responses through REST API", labels, registry=self._registry
        )
        self._seconds = Histogram(
            "rest_responses_duration_seconds",
            "response duration through REST API",
            labels,
            buckets=_BUCKETS,
            registry=self._registry,
        )
        self._registry.register(_Collections(store, version))

    def answered(self, method: str, endpoint: str, status: int, seconds: float) -> None:
        """One request; `endpoint` is its route, with names in braces."""
        labels = (method, endpoint, str(status))
        self._answers.labels(*labels).inc()
        self._seconds.labels(*labels).observe(seconds)

    def text(self) -> bytes:
        """All of them, in Prometheus' text format."""
        return generate_latest(self._registry)


class _Collections(Collector):
    def __init__(self, store: Store, version: str) -> None:
        self._store = store
        self._version = version

    def collect(self) -> Iterator[Metric]:
        """Each figure, now."""
        # Not an info metric: those have names that end in _info, and this is a gauge of Qdrant's.
        about = GaugeMetricFamily("app_info", "information about the server", labels=["name", "version"])
        about.add_metric(["embstore", self._version], 1)
        yield about
        yield GaugeMetricFamily("collections_total", "number of collections", len(self._store.names()))
        yield GaugeMetricFamily(
            "collections_broken", "number of collections that could not be loaded", len(self._store.broken())
        )
        points = GaugeMetricFamily("collection_points", "number of points of each collection", labels=["id"])
        for name in self._store.names():
            try:
                points.add_metric([name], self._store.get(name).count(None))
            except StoreError:
                continue  # broken, or deleted a moment ago
        yield points


class Watched:
    """Counts and times every answer whose path is a route's; others could be of any name."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and note its end."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = perf_counter(), 0

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        await self._app(scope, receive, watched)
        route = getattr(scope.get("route"), "path", None)
        if route:
            self._metrics.answered(scope["method"], route, status, perf_counter() - began)
