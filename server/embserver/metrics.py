"""What Prometheus asks for at /metrics: requests and durations as they end, everything else as it is when asked."""

import time
from collections.abc import Iterator, Mapping

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

import embserver
from embserver import memory, memorylimit, schedule
from embserver.service import NotLoaded, Service

__all__ = ["CONTENT_TYPE", "Metrics"]

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
# From a search on an idle machine to a scan behind ten others.
_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)
_ELSEWHERE = "other"


class Metrics:
    """The metrics of one application, in a registry of its own."""

    def __init__(self, service: Service) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "embserver_http_requests",
            "Requests that have ended.",
            ["route", "status"],
            registry=self._registry,
        )
        self._seconds = Histogram(
            "embserver_embedding_duration_seconds",
            "From a request for vectors to its answer; interactive are those of a few short texts, such as searches.",
            ["kind"],
            buckets=_BUCKETS,
            registry=self._registry,
        )
        self._registry.register(_Figures(service))

    def ended(self, route: str | None, status: int, seconds: float, facts: Mapping[str, object]) -> None:
        """A request has; `facts` are those of its log line. A path that nobody serves has no name here."""
        self._requests.labels(route or _ELSEWHERE, str(status)).inc()
        texts, tokens = facts.get("texts"), facts.get("tokens")
        if isinstance(texts, int) and isinstance(tokens, int):
            few = texts <= schedule.INTERACTIVE_TEXTS and tokens <= schedule.INTERACTIVE_TOKENS
            self._seconds.labels("interactive" if few else "bulk").observe(seconds)

    def text(self) -> bytes:
        """All of them, in Prometheus' text format."""
        return generate_latest(self._registry)


class _Figures(Collector):
    """What the service knows anyway."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def collect(self) -> Iterator[Metric]:
        """Each figure, now."""
        service, counters = self._service, self._service.counters
        yield InfoMetricFamily("embserver_build", "The server's version.", {"version": embserver.__version__})
        yield GaugeMetricFamily("embserver_ready", "Whether vectors are answered.", int(service.ready))
        yield CounterMetricFamily("embserver_texts", "Texts whose vectors were answered.", counters.texts)
        yield CounterMetricFamily("embserver_tokens", "Tokens of those texts.", counters.tokens)
        yield CounterMetricFamily("embserver_truncated_texts", "Texts that were cut short.", counters.truncated)
        yield CounterMetricFamily("embserver_errors", "Requests that failed by the server's fault.", counters.errors)
        preparing = GaugeMetricFamily(
            "embserver_preparation_requests",
            "Requests that are read and cut into tokens, or wait for it.",
            labels=["state"],
        )
        preparing.add_metric(["in_line"], service.gate.waiting)
        preparing.add_metric(["preparing"], service.gate.running)
        yield preparing
        if service.ready:
            yield from self._queue()
        yield GaugeMetricFamily(
            "embserver_resident_memory_bytes", "The process's resident set.", memory.resident_bytes()
        )
        yield CounterMetricFamily("embserver_cpu_seconds", "Processor time of the process.", time.process_time())
        if limit := memorylimit.granted_bytes():
            yield GaugeMetricFamily("embserver_memory_limit_bytes", "What the process may use at most.", limit)
        yield GaugeMetricFamily("embserver_uptime_seconds", "Since the start.", time.monotonic() - service.started)

    def _queue(self) -> Iterator[Metric]:
        try:
            model, figures = self._service.model, self._service.figures
        except NotLoaded:
            return
        yield InfoMetricFamily(
            "embserver_model",
            "What is served, and how.",
            {
                "model": self._service.wanted.name,
                "revision": model.revision,
                "dimension": str(model.encoder.dimension),
                "device": model.encoder.device,
                "dtype": model.encoder.dtype,
            },
        )
        requests = GaugeMetricFamily("embserver_queue_requests", "Requests in the queue.", labels=["kind"])
        requests.add_metric(["interactive"], figures.interactive)
        requests.add_metric(["bulk"], figures.bulk)
        yield requests
        yield GaugeMetricFamily("embserver_queue_texts", "Texts in the queue.", figures.texts)
        yield GaugeMetricFamily("embserver_queue_bytes", "Bytes of the queue.", figures.bytes)
        yield GaugeMetricFamily("embserver_queue_oldest_seconds", "Age of the oldest request.", figures.oldest_seconds)
        yield CounterMetricFamily("embserver_batches", "Batches that were begun.", figures.batches)
        yield CounterMetricFamily(
            "embserver_overtakings", "Searches computed in the midst of a batch.", figures.overtakings
        )
        yield CounterMetricFamily(
            "embserver_abandoned_batches", "Batches that nobody wanted any more.", figures.abandoned
        )
