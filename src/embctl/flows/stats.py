"""What the services do right now: `stats` once, `top` again and again. Changes nothing."""

from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from embctl.errors import Failed
from embctl.flows.context import Context
from embctl.flows.parallel import as_they_come
from embctl.flows.status import status
from embctl.http import HttpUnreachable
from embctl.measures import Look, gauge, look, quantile, rate
from embctl.model import ContainerState
from embctl.outcomes import CollectionGrowth, Speed, Stats
from embctl.result import Result
from embctl.serverlog import errors_in

__all__ = ["stats", "top"]

SERVICES = ("qdrant", "jina")
LAST_LINES = 200
LAST_ERRORS = 3
LOOKS = 5
OK = 200
_SECONDS = "embserver_embedding_duration_seconds"
_POINTS = "collection_points"


def stats(context: Context, interval: float) -> Result[Stats]:
    """One reading: what happened in `interval` seconds."""
    before = _looks(context)
    context.clock.sleep(interval)
    return _reading(context, before, _looks(context), "stats")


def top(context: Context, show: Callable[[Result[Stats]], None], interval: float) -> Result[Stats]:
    """A reading every `interval` seconds, until the user stops it."""
    # Of several: a scan's texts are answered all at once.
    looks = deque([_looks(context)], maxlen=LOOKS)
    while True:
        context.clock.sleep(interval)
        now = _looks(context)
        # Not in this thread: an interrupt that comes while the engine's client frees an answer goes unheard.
        for _, seen in as_they_come({"top": partial(_reading, context, looks[0], now, "top")}):
            show(seen)
        looks.append(now)


def _looks(context: Context) -> dict[str, Look]:
    """The metrics of the services that run and tell any."""
    engine, found = context.connect(), dict[str, Look]()
    if not engine.info().local:
        return found
    observed = engine.observe(context.spec)
    for service in SERVICES:
        container = observed.container_of(context.spec.project, service)
        if container is None or container.state is not ContainerState.RUNNING:
            continue
        endpoint = context.endpoint(service, container)
        with suppress(HttpUnreachable, ValueError):  # it is starting, or is not what it should be
            reply = context.http.get(f"{endpoint.url}/metrics", api_key=endpoint.api_key)
            if reply.status == OK:
                found[service] = look(context.clock.monotonic(), reply.text)
    return found


def _reading(context: Context, before: dict[str, Look], now: dict[str, Look], command: str) -> Result[Stats]:
    seen = status(context, SERVICES)
    data = Stats(
        services=seen.data.services,
        speed=_speed(before.get("jina"), now.get("jina")),
        collections=_collections(before.get("qdrant"), now.get("qdrant")),
        errors=_errors(context),
    )
    return Result(command=command, data=data, warnings=seen.warnings)


def _speed(before: Look | None, now: Look | None) -> Speed:
    def took(share: float, kind: str) -> float | None:
        return quantile(share, before, now, _SECONDS, kind=kind)

    waiting = [gauge(now, "embserver_queue_requests", kind=kind) for kind in ("interactive", "bulk")]
    known = [each for each in waiting if each is not None]
    return Speed(
        texts_per_second=rate(before, now, "embserver_texts_total"),
        tokens_per_second=rate(before, now, "embserver_tokens_total"),
        queue_requests=sum(known) if known else None,
        queue_texts=gauge(now, "embserver_queue_texts"),
        oldest_seconds=gauge(now, "embserver_queue_oldest_seconds"),
        search_p50=took(0.5, "interactive"),
        search_p95=took(0.95, "interactive"),
        scan_p50=took(0.5, "bulk"),
        scan_p95=took(0.95, "bulk"),
    )


def _collections(before: Look | None, now: Look | None) -> tuple[CollectionGrowth, ...]:
    """Points are no counter: they may become fewer."""
    rows = []
    for (sample, labels), points in sorted(now.samples.items() if now else (), key=lambda item: sorted(item[0][1])):
        if now is None or sample != _POINTS or "id" not in dict(labels):
            continue
        name = dict(labels)["id"]
        earlier = gauge(before, _POINTS, id=name)
        grown = None
        if before is not None and earlier is not None and now.moment > before.moment:
            grown = (points - earlier) / (now.moment - before.moment)
        rows.append(CollectionGrowth(name=name, points=int(points), per_second=grown))
    return tuple(rows)


def _errors(context: Context) -> tuple[str, ...]:
    """What both logs said last of what went wrong."""
    engine, told = context.connect(), list[str]()
    observed = engine.observe(context.spec)
    for service in SERVICES:
        container = observed.container_of(context.spec.project, service)
        if container is None:
            continue
        with suppress(Failed):
            lines = engine.logs(container, follow=False, tail=LAST_LINES, since=None, cancel=context.cancel)
            texts = [line.text for line in lines]
            told += [f"{service}: {each}" for each in errors_in(texts)[-LAST_ERRORS:]]
    return tuple(told)
