"""What the services do right now."""

from dataclasses import dataclass

from embctl.outcomes.stack import ServiceStatus

__all__ = ["CollectionGrowth", "Speed", "Stats"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    """What Jina does: rates of the last interval, the queue now, and within what time half and 95 % of searches and
    of scans were answered. None is what it does not tell."""

    texts_per_second: float | None
    tokens_per_second: float | None
    queue_requests: float | None
    queue_texts: float | None
    oldest_seconds: float | None
    search_p50: float | None
    search_p95: float | None
    scan_p50: float | None
    scan_p95: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectionGrowth:
    """A collection's points, and how many more they become a second."""

    name: str
    points: int
    per_second: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stats:
    """One reading of both services; `errors` are the last ones of their logs."""

    services: tuple[ServiceStatus, ...]
    speed: Speed
    collections: tuple[CollectionGrowth, ...]
    errors: tuple[str, ...]
