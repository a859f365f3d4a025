"""What people see of a command's data: one renderable a kind of data. Reads outcomes, writes nothing."""

from collections.abc import Mapping
from functools import singledispatch
from typing import Any

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from embctl.errors import EmbctlError
from embctl.outcomes import (
    Changed,
    ClientChecked,
    ClientShown,
    ClientsListed,
    ClientWritten,
    CollectionRow,
    CollectionsDropped,
    CollectionsListed,
    ConfigPaths,
    ConfigShown,
    ConfigValid,
    Diagnosis,
    EditorsChanged,
    EditorsSeen,
    Help,
    Migrated,
    Planned,
    Ready,
    ServiceReady,
    ServiceStatus,
    Snippets,
    Started,
    Stats,
    Status,
    Streamed,
    Verdict,
)
from embctl.report.wording import duration, keys, size

__all__ = ["error_view", "view"]

_GOOD, _BAD, _BUSY, _DIM = "green", "red", "yellow", "dim"
_FOLDERS = {"there": "{}", "gone": "{} (gone)", "away": "{} (not there now)", "unknown": "unknown"}
_INSTALLED = {"installed": _GOOD, "outdated": _BUSY, "absent": _DIM}
_VERDICTS = {Verdict.OK: _GOOD, Verdict.WARN: _BUSY, Verdict.FAIL: _BAD, Verdict.SKIPPED: _DIM}


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for column in columns:
        # A URL that is broken over two lines cannot be clicked.
        table.add_column(column, overflow="fold", no_wrap=column == "URL")
    return table


class _Verbatim:
    """Text for other programs and for pasting: no line is wrapped, no tab becomes blanks."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield Segment(self._text)


@singledispatch
def view(data: object) -> RenderableType | None:
    """The renderable for a command's data; None when there is nothing to say."""
    raise TypeError(f"no view for {type(data).__name__}")


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
    table = _table("SERVICE", "READY", "AFTER", "URL", "")
    for service in services:
        table.add_row(
            Text(service.service, style="bold"),
            Text(service.stage, style=_GOOD),
            duration(service.seconds),
            service.url,
            Text(facts_line(service.facts), style=_DIM),
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
    table = _table("SERVICE", "STATE", "HEALTH", "STEP", "UPTIME", "CPU", "MEMORY", "RESTARTS", "URL")
    notes: list[RenderableType] = []
    for service in data.services:
        table.add_row(
            Text(service.service, style="bold"),
            Text(service.state, style=_state_style(service)),
            service.health,
            Text(service.stage or "-", style=_GOOD if service.stage == "warm" else _BUSY),
            "-" if service.uptime is None else duration(service.uptime),
            "-" if service.cpu_percent is None else f"{service.cpu_percent:.0f} %",
            _memory(service),
            str(service.restarts),
            service.url,
        )
        notes.append(Text(_notes(service), style=_DIM))
    engine = data.engine
    head = Text(f"project {data.project} on {engine.flavour} {engine.version} ({engine.origin})", style=_DIM)
    return Group(head, table, *notes)


@view.register
def _(data: Stats) -> RenderableType:
    services = _table("SERVICE", "STATE", "STEP", "CPU", "MEMORY")
    for service in data.services:
        services.add_row(
            Text(service.service, style="bold"),
            Text(service.state, style=_state_style(service)),
            service.stage or "-",
            "-" if service.cpu_percent is None else f"{service.cpu_percent:.0f} %",
            _memory(service),
        )
    speed = data.speed
    work = _table("TEXTS/S", "TOKENS/S", "QUEUED", "OLDEST", "SEARCH P50", "P95", "SCAN P50", "P95")
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
    collections = _table("COLLECTION", "POINTS", "POINTS/S")
    for each in data.collections:
        collections.add_row(each.name, str(each.points), _number(each.per_second))
    errors = [Text(error, style=_BAD) for error in data.errors]
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
        return _GOOD
    return _DIM if service.state == "absent" else _BAD


def _memory(service: ServiceStatus) -> str:
    if service.memory is None:
        return "-"
    return f"{size(service.memory)} / {size(service.memory_limit)}" if service.memory_limit else size(service.memory)


@view.register
def _(data: Migrated) -> RenderableType:
    table = _table("COLLECTION", "POINTS", "COPIED NOW")
    for each in data.collections:
        table.add_row(each.collection, str(each.points), str(each.copied))
    head = f"the same in both now, {data.source} untouched; to switch over to {data.target}:"
    return Group(table, Text(head), *(Text(f"  → {command}", style="cyan") for command in data.next))


@view.register
def _(data: ClientsListed) -> RenderableType:
    table = _table("CLIENT", "FOR", "FILE", "WHAT IT IS", "VECTORS IN")
    for row in data.clients:
        table.add_row(Text(row.name, style="bold"), row.title, row.file, row.format, row.vectors)
    return table


@view.register
def _(data: ClientShown) -> RenderableType:
    return Group(Text(data.file, style="bold"), _Verbatim(f"{data.text.rstrip()}\n"), *_clicks(data.clicks))


@view.register
def _(data: ClientWritten) -> RenderableType:
    backup = [Text(f"  before: {data.backup}", style=_DIM)] if data.backup else []
    return Group(Text(f"{data.file}: {data.change}"), *backup, *_clicks(data.clicks))


def _clicks(clicks: tuple[str, ...]) -> list[Text]:
    return [Text(f"{number}. {click}") for number, click in enumerate(clicks, start=1)]


@view.register
def _(data: ClientChecked) -> RenderableType:
    table = _table("", "STEP", "")
    for each in data.steps:
        mark = Text("ok", style=_GOOD) if each.ok else Text("fails", style=_BAD)
        table.add_row(mark, each.step, Text(each.detail, style=_DIM))
    return table


@view.register
def _(data: CollectionsListed) -> RenderableType:
    return _collections(data.collections) if data.collections else Text("there is no collection")


@view.register
def _(data: CollectionsDropped) -> RenderableType:
    if not data.collections:
        return Text("nothing to drop")
    chosen, known = data.collections, [row.bytes for row in data.collections if row.bytes is not None]
    total = f"{len(chosen)} collection{'s' if len(chosen) > 1 else ''}, {sum(row.points for row in chosen)} points"
    if known:
        total += f", {size(sum(known))}"
    return Group(_collections(chosen), Text(f"{'would drop' if data.dry_run else 'dropped'} {total}"))


def _collections(rows: tuple[CollectionRow, ...]) -> Table:
    table = _table("COLLECTION", "POINTS", "SIZE", "INDEXED", "DIMENSION", "FOLDER")
    for row in rows:
        table.add_row(
            Text(row.name, style="bold"),
            str(row.points),
            "-" if row.bytes is None else size(row.bytes),
            "-" if row.indexed_at is None else f"{row.indexed_at.astimezone():%Y-%m-%d %H:%M}",
            Text("-" if row.dimension is None else str(row.dimension), style=_BAD if row.fits is False else ""),
            Text(_FOLDERS[row.folder_state].format(row.folder), style="" if row.folder_state == "there" else _DIM),
        )
    return table


@view.register
def _(data: ConfigShown) -> RenderableType:
    origins = any(row.origin for row in data.settings)
    table = _table("SETTING", "VALUE", "ORIGIN") if origins else _table("SETTING", "VALUE")
    for row in data.settings:
        table.add_row(row.key, _written(row.value), *([row.origin or ""] if origins else []))
    return table


def _written(value: object) -> str:
    """As a settings file has it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


@view.register
def _(data: ConfigPaths) -> RenderableType:
    table = _table("WHAT", "WHERE")
    table.add_row("user settings", data.user_file)
    table.add_row("project settings", data.project_file or "none (.embctl.toml in this folder or above)")
    table.add_row("state", data.state_dir)
    table.add_row("definition of the services", data.bundle)
    return table


@view.register
def _(data: ConfigValid) -> RenderableType:
    return Text("\n".join(f"valid: {file}" for file in data.files))


@view.register
def _(data: EditorsChanged) -> RenderableType:
    parts: list[RenderableType] = []
    for each in data.files:
        parts.append(Text(f"{each.file}: {each.change}"))
        if each.backup:
            parts.append(Text(f"  before: {each.backup}", style=_DIM))
        if each.diff:
            parts.append(_Verbatim(each.diff))
    return Group(*parts)


@view.register
def _(data: EditorsSeen) -> RenderableType:
    table = _table("EDITOR", "PROFILE", "TASKS", "HOTKEYS", "RUNS")
    notes = []
    for each in data.editors:
        table.add_row(
            Text(each.editor, style="bold"),
            each.profile or "Default",
            Text(each.tasks, style=_INSTALLED.get(each.tasks, _BAD)),
            Text(each.keybindings, style=_INSTALLED.get(each.keybindings, _BAD)),
            each.command or "-",
        )
        if each.taken:
            notes.append(f"{each.editor}: your own rules use {', '.join(each.taken)}")
        if each.command and not each.command_found:
            notes.append(f"{each.editor}: {each.command} is gone: embctl install-vscode")
        elif "outdated" in {each.tasks, each.keybindings}:
            notes.append(f"{each.editor}: made by another embctl, or with other options: embctl install-vscode")
        if each.detail:
            notes.append(f"{each.editor}: {each.detail}")
    return Group(table, *(Text(note, style=_DIM) for note in notes))


@view.register
def _(data: Snippets) -> RenderableType:
    return Group(
        Text("Tasks: Open User Tasks", style="bold"),
        _Verbatim(f"{data.tasks}\n"),
        Text("Preferences: Open Keyboard Shortcuts (JSON)", style="bold"),
        _Verbatim(f"{data.keybindings}\n"),
    )


@view.register
def _(data: Help) -> RenderableType:
    table = _table("KEYS", "DOES", "TASK")
    for row in data.hotkeys:
        table.add_row(Text(keys(row.chords[0]), style="bold cyan"), row.does, Text(row.task, style=_DIM))
        if row.chords[-1] != row.chords[0] and "[" not in row.chords[-1]:
            table.add_row(Text(keys(row.chords[-1]), style="bold cyan"), Text("the same", style=_DIM), "")
    services = [
        Text.assemble(
            (f"{service.service:<8}", "bold"),
            (service.stage or service.state, _GOOD if service.stage == "warm" else _BUSY),
            (f"  {service.url}  {facts_line(service.facts)}".rstrip(), _DIM),
        )
        for service in data.services
    ]
    trouble = [Text(f"The services cannot be seen: {data.trouble}", style=_BUSY)] if data.trouble else []
    return Group(table, Text(""), *services, *trouble)


@view.register
def _(data: Diagnosis) -> RenderableType:
    table = _table("CHECK", "VERDICT", "SEEN")
    for each in data.findings:
        seen = Text(each.evidence, style=_DIM if each.verdict in {Verdict.OK, Verdict.SKIPPED} else "")
        if each.fix:
            seen.append("\n→ ", style="cyan").append(each.fix)
        table.add_row(each.id, Text(each.verdict, style=_VERDICTS[each.verdict]), seen)
    counts = {verdict: sum(each.verdict is verdict for each in data.findings) for verdict in Verdict}
    parts: list[RenderableType] = [table]
    for repair in data.repairs:
        subject = f"{repair.remedy.kind} {repair.remedy.subject}"
        parts.append(Text(f"fixed: {subject}" if repair.done else f"not fixed: {subject}: {repair.detail}"))
    parts.append(Text(" · ".join(f"{count} {verdict}" for verdict, count in counts.items()), style="bold"))
    if data.bundle:
        parts.append(Text(f"written for a bug report, without keys and names: {data.bundle}"))
    return Group(*parts)


def error_view(error: EmbctlError) -> RenderableType:
    """What happened and why, the last log lines where there are some, and what to do."""
    text = Text()
    text.append("error: ", style=f"bold {_BAD}")
    text.append(error.message)
    for message in error.details.get("also_failed", ()):
        text.append(f"\nalso: {message}")
    for service in error.details.get("restored", ()):
        text.append(f"\n{service} runs again as it did before")
    for line in error.details.get("log", ()):
        text.append(f"\n  | {line}", style=_DIM)
    for action in error.actions:
        text.append("\n  → ", style="cyan")
        text.append(action)
    return text
