"""The services: what was done with them, what they are and do."""

from collections.abc import Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from embctl.outcomes import Changed, Planned, Ready, ServiceReady, ServiceStatus, Started, Stats, Status, Streamed
from embctl.report.views.view import BAD, BUSY, DIM, GOOD, table_of, view
from embctl.report.wording import duration, size

__all__ = ["facts_line"]


@view.register
def _(_: None) -> None:
    return None


@view.register
def _(_: Streamed) -> None:
    return None


@view.register
def _(data: Planned) -> RenderableType:
    return Text(str(data.plan))


@view.register
def _(data: Changed) -> RenderableType:
    count = sum(operation.unless is None for operation in data.plan.operations)
    return Text("nothing to do" if not count else f"done: {count} operation{'s' if count > 1 else ''}")


@view.register
def _(data: Started) -> RenderableType:
    parts: list[RenderableType] = []
    if not data.plan:
        parts.append(Text("nothing to do"))
    if data.services:
        parts.append(_services(data.services))
    return Group(*parts)


@view.register
def _(data: Ready) -> RenderableType:
    return _services(data.services)


def _services(services: tuple[ServiceReady, ...]) -> Table:
    table = table_of("SERVICE", "READY", "AFTER", "URL", "")
    for service in services:
        table.add_row(
            Text(service.service, style="bold"),
            Text(service.stage, style=GOOD),
            duration(service.seconds),
            service.url,
            Text(facts_line(service.facts), style=DIM),
        )
    return table


def facts_line(facts: Mapping[str, Any]) -> str:
    """What a service says of itself, in one line."""
    parts = []
    if "model" in facts:
        parts.append(f"{facts['model']}, {facts.get('dimension', '?')} dimensions")
    if "version" in facts:
        parts.append(f"{facts.get('title', 'version')} {facts['version']}")
    points = facts.get("points")
    if isinstance(points, Mapping):
        plural = "" if len(points) == 1 else "s"
        parts.append(f"{sum(points.values())} points in {len(points)} collection{plural}")
    return " · ".join(parts)


@view.register
def _(data: Status) -> RenderableType:
    table = table_of("SERVICE", "STATE", "HEALTH", "STEP", "UPTIME", "CPU", "MEMORY", "RESTARTS", "URL")
    notes: list[RenderableType] = []
    for service in data.services:
        table.add_row(
            Text(service.service, style="bold"),
            Text(service.state, style=_state_style(service)),
            service.health,
            Text(service.stage or "-", style=GOOD if service.stage == "warm" else BUSY),
            "-" if service.uptime is None else duration(service.uptime),
            "-" if service.cpu_percent is None else f"{service.cpu_percent:.0f} %",
            _memory(service),
            str(service.restarts),
            service.url,
        )
        notes.append(Text(_notes(service), style=DIM))
    engine = data.engine
    head = Text(f"project {data.project} on {engine.flavour} {engine.version} ({engine.origin})", style=DIM)
    return Group(head, table, *notes)


@view.register
def _(data: Stats) -> RenderableType:
    services = table_of("SERVICE", "STATE", "STEP", "CPU", "MEMORY")
    for service in data.services:
        services.add_row(
            Text(service.service, style="bold"),
            Text(service.state, style=_state_style(service)),
            service.stage or "-",
            "-" if service.cpu_percent is None else f"{service.cpu_percent:.0f} %",
            _memory(service),
        )
    speed = data.speed
    work = table_of("TEXTS/S", "TOKENS/S", "QUEUED", "OLDEST", "SEARCH P50", "P95", "SCAN P50", "P95")
    queued = "-"
    if speed.queue_requests is not None and speed.queue_texts is not None:
        queued = f"{speed.queue_requests:.0f} requests, {speed.queue_texts:.0f} texts"
    took = (speed.search_p50, speed.search_p95, speed.scan_p50, speed.scan_p95)
    work.add_row(
        *(_number(each) for each in (speed.texts_per_second, speed.tokens_per_second)),
        queued,
        _seconds(speed.oldest_seconds),
        *map(_seconds, took),
    )
    collections = table_of("COLLECTION", "POINTS", "POINTS/S")
    for each in data.collections:
        collections.add_row(each.name, str(each.points), _number(each.per_second))
    errors = [Text(error, style=BAD) for error in data.errors]
    return Group(services, Text(""), work, Text(""), *([collections] if data.collections else []), *errors)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"


def _seconds(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{1000 * value:.0f} ms" if value < 1 else f"{value:.1f} s"


def _notes(service: ServiceStatus) -> str:
    parts = [service.image]
    if service.stand_in:
        parts.append(f"stand-in: {service.stand_in}")
    if facts := facts_line(service.facts):
        parts.append(facts)
    if service.drifted:
        parts.append("definition changed: embctl start")
    if service.unsupervised:
        parts.append("its supervisor is gone: embctl start")
    if service.oom_killed:
        parts.append("was killed for memory")
    if service.exit_code:
        parts.append(f"exited with code {service.exit_code}")
    if service.detail:
        parts.append(service.detail)
    lines = [f"{service.service}: {' · '.join(parts)}"]
    points = service.facts.get("points")
    if isinstance(points, Mapping):
        lines += [f"  {name}: {count} points" for name, count in points.items()]
    return "\n".join(lines)


def _state_style(service: ServiceStatus) -> str:
    if service.state == "running":
        return GOOD
    return DIM if service.state == "absent" else BAD


def _memory(service: ServiceStatus) -> str:
    if service.memory is None:
        return "-"
    return f"{size(service.memory)} / {size(service.memory_limit)}" if service.memory_limit else size(service.memory)
