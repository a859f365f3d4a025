"""Two looks at a service's /metrics, and what happened between them: rates, and how long answers took. Pure.

Prometheus' text format is read by its own library; what a service does not tell is None, never 0.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

__all__ = ["Look", "gauge", "look", "quantile", "rate", "read"]

Labels = frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """All samples of one moment, which is in seconds of some clock."""

    moment: float
    samples: Mapping[tuple[str, Labels], float]


def read(text: str) -> Mapping[tuple[str, Labels], float]:
    """The samples of a page in Prometheus' text format; ValueError where it is none."""
    from prometheus_client.parser import text_string_to_metric_families  # noqa: PLC0415 - `--help` has a budget

    return {
        (sample.name, frozenset(sample.labels.items())): float(sample.value)
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def look(moment: float, text: str) -> Look:
    """A page as it was at that moment."""
    return Look(moment=moment, samples=read(text))


def gauge(now: Look | None, name: str, **labels: str) -> float | None:
    """The value of a sample."""
    return now.samples.get((name, frozenset(labels.items()))) if now else None


def rate(before: Look | None, now: Look | None, name: str, **labels: str) -> float | None:
    """How fast a counter rose, a second. One that fell belongs to a service that was started anew: it counts from 0."""
    new, old = gauge(now, name, **labels), gauge(before, name, **labels)
    if before is None or now is None or new is None or now.moment <= before.moment:
        return None
    return _risen(old, new) / (now.moment - before.moment)


def quantile(share: float, before: Look | None, now: Look | None, name: str, **labels: str) -> float | None:
    """Within what value that share of a histogram's observations lies, of those since `before`, or of all where there
    were none; linear within a bucket, as Prometheus does it. None without observations."""
    if now is None:
        return None
    buckets = sorted(_buckets(now, name, labels.items()))
    total = [(bound, count) for bound, _, count in buckets]
    since = [(bound, _risen(gauge_of(before, key), count)) for bound, key, count in buckets]
    counts = since if before is not None and since and since[-1][1] > 0 else total
    if not counts or counts[-1][1] <= 0:
        return None
    wanted, lower, below = share * counts[-1][1], 0.0, 0.0
    for bound, count in counts:
        if count >= wanted:
            if bound == float("inf"):
                return lower
            return lower + (bound - lower) * ((wanted - below) / (count - below) if count > below else 1.0)
        lower, below = bound, count
    return lower


def gauge_of(at: Look | None, key: tuple[str, Labels]) -> float | None:
    """The value under a whole key."""
    return at.samples.get(key) if at else None


def _risen(old: float | None, new: float) -> float:
    return new if old is None or old > new else new - old


def _buckets(
    at: Look, name: str, labels: Iterable[tuple[str, str]]
) -> Iterable[tuple[float, tuple[str, Labels], float]]:
    wanted = set(labels)
    for (sample, found), value in at.samples.items():
        bound = dict(found).get("le")
        if sample == f"{name}_bucket" and bound is not None and found - {("le", bound)} == wanted:
            yield float(bound), (sample, found), value
