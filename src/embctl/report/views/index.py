"""The index: collections, and the assistants that make them."""

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from embctl.outcomes import (
    ClientChecked,
    ClientShown,
    ClientsListed,
    ClientWritten,
    CollectionRow,
    CollectionsDropped,
    CollectionsListed,
    Migrated,
)
from embctl.report.views.view import BAD, DIM, GOOD, Verbatim, table_of, view
from embctl.report.wording import size

_FOLDERS = {"there": "{}", "gone": "{} (gone)", "away": "{} (not there now)", "unknown": "unknown"}


@view.register
def _(data: Migrated) -> RenderableType:
    table = table_of("COLLECTION", "POINTS", "COPIED NOW")
    for each in data.collections:
        table.add_row(each.collection, str(each.points), str(each.copied))
    head = f"the same in both now, {data.source} untouched; to switch over to {data.target}:"
    return Group(table, Text(head), *(Text(f"  → {command}", style="cyan") for command in data.next))


@view.register
def _(data: ClientsListed) -> RenderableType:
    table = table_of("CLIENT", "FOR", "FILE", "WHAT IT IS", "VECTORS IN")
    for row in data.clients:
        table.add_row(Text(row.name, style="bold"), row.title, row.file, row.format, row.vectors)
    return table


@view.register
def _(data: ClientShown) -> RenderableType:
    return Group(Text(data.file, style="bold"), Verbatim(f"{data.text.rstrip()}\n"), *_clicks(data.clicks))


@view.register
def _(data: ClientWritten) -> RenderableType:
    backup = [Text(f"  before: {data.backup}", style=DIM)] if data.backup else []
    return Group(Text(f"{data.file}: {data.change}"), *backup, *_clicks(data.clicks))


def _clicks(clicks: tuple[str, ...]) -> list[Text]:
    return [Text(f"{number}. {click}") for number, click in enumerate(clicks, start=1)]


@view.register
def _(data: ClientChecked) -> RenderableType:
    table = table_of("", "STEP", "")
    for each in data.steps:
        mark = Text("ok", style=GOOD) if each.ok else Text("fails", style=BAD)
        table.add_row(mark, each.step, Text(each.detail, style=DIM))
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
    table = table_of("COLLECTION", "POINTS", "SIZE", "INDEXED", "DIMENSION", "FOLDER")
    for row in rows:
        table.add_row(
            Text(row.name, style="bold"),
            str(row.points),
            "-" if row.bytes is None else size(row.bytes),
            "-" if row.indexed_at is None else f"{row.indexed_at.astimezone():%Y-%m-%d %H:%M}",
            Text("-" if row.dimension is None else str(row.dimension), style=BAD if row.fits is False else ""),
            Text(_FOLDERS[row.folder_state].format(row.folder), style="" if row.folder_state == "there" else DIM),
        )
    return table
