"""The collections of the running Qdrant, and taking some away: `collections list`, `prune` and `drop`. A folder's index
can be made anew, but takes its time: nothing goes unless it was named, and confirmed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from embctl.errors import ConfirmationNeeded, EmbctlError, Failed
from embctl.flows.context import Context
from embctl.flows.readiness import database_elsewhere, not_started
from embctl.outcomes import CollectionRow, CollectionsDropped, CollectionsListed
from embctl.qdrant import Database
from embctl.result import Result
from embctl.workspaces import collection_of, is_index, owners

__all__ = ["drop", "listed", "prune"]

DATABASE = "qdrant"


def listed(context: Context, folders: Sequence[str]) -> Result[CollectionsListed]:
    """Every collection, with the folder that it indexes where that is one of `folders`."""
    return Result(command="collections list", data=CollectionsListed(collections=_rows(context, folders)))


def prune(context: Context, folders: Sequence[str], *, dry_run: bool) -> Result[CollectionsDropped]:
    """Drop the indexes of folders that are gone. A folder that nobody knows is not gone, and neither is one whose
    parent is not there: that is a disk or a share which is away."""
    rows = [row for row in _rows(context, folders) if row.folder and row.folder_state == "gone"]
    return _drop(context, "collections prune", rows, dry_run=dry_run)


def drop(context: Context, wanted: Sequence[str], *, dry_run: bool) -> Result[CollectionsDropped]:
    """Drop the collections of those names, or of those folders. Raises Failed(code="collection_missing") before
    anything is dropped when one of them does not exist."""
    folders = [str(Path(each).absolute()) for each in wanted if not is_index(each)]
    rows = {row.name: row for row in _rows(context, folders)}
    chosen, missing = dict[str, CollectionRow](), list[str]()
    for each in wanted:
        name = each if each in rows else collection_of(str(Path(each).absolute()))
        if name in rows:
            chosen[name] = rows[name]
        else:
            missing.append(each)
    if missing:
        raise Failed(
            f"There is no collection {', '.join(missing)}, and none of a folder of that path. Nothing was dropped.",
            code="collection_missing",
            details={"missing": missing, "collections": sorted(rows)},
            actions=("See their names: embctl collections list",),
        )
    return _drop(context, "collections drop", list(chosen.values()), dry_run=dry_run)


def _drop(
    context: Context, command: str, rows: Sequence[CollectionRow], *, dry_run: bool
) -> Result[CollectionsDropped]:
    data = CollectionsDropped(collections=tuple(rows), dropped=(), dry_run=dry_run)
    if dry_run or not rows:
        return Result(command=command, data=data)
    _confirm(context, command, rows)
    database, dropped = _database(context), list[str]()
    for row in rows:
        try:
            database.delete(row.name)
        except EmbctlError as error:
            error.details = {**error.details, "dropped": dropped, "left": [each.name for each in rows[len(dropped) :]]}
            raise
        dropped.append(row.name)
    return Result(command=command, data=replace(data, dropped=tuple(dropped)), changed=True)


def _confirm(context: Context, command: str, rows: Sequence[CollectionRow]) -> None:
    told = ", ".join(f"{row.name} ({row.folder or 'folder unknown'}, {row.points} points)" for row in rows)
    if context.confirm(f"Drop {told}?"):
        return
    raise ConfirmationNeeded(
        f"Dropping {told} deletes these indexes; that was not confirmed. Nothing was changed.",
        code="not_confirmed",
        details={"collections": [row.name for row in rows]},
        actions=(
            f"See what would go: embctl {command}{_names(command, rows)} --dry-run",
            f"Confirm on the command line: embctl {command}{_names(command, rows)} --yes",
        ),
    )


def _names(command: str, rows: Iterable[CollectionRow]) -> str:
    return "".join(f" {row.name}" for row in rows) if command.endswith("drop") else ""


def _rows(context: Context, folders: Sequence[str]) -> tuple[CollectionRow, ...]:
    database = _database(context)
    names = database.collections()
    indexed, sizes = owners(names, folders), database.sizes()
    rows = []
    for name in names:
        description = database.describe(name)
        if description is None:
            continue  # dropped a moment ago
        size, distance = _vectors(description)
        folder = indexed.get(name)
        rows.append(
            CollectionRow(
                name=name,
                points=database.count(name),
                dimension=size,
                distance=distance,
                fits=None if size is None or context.dimension is None else size == context.dimension,
                bytes=sizes.get(name),
                indexed_at=database.indexed_at(name),
                folder=folder,
                folder_state=_state(folder),
            )
        )
    return tuple(rows)


def _vectors(description: Mapping[str, object]) -> tuple[int | None, str | None]:
    """Dimension and distance; None for a collection of several named vectors, which no client makes."""
    value: object = description
    for key in ("config", "params", "vectors"):
        value = value.get(key) if isinstance(value, Mapping) else None
    if not isinstance(value, Mapping) or "size" not in value:
        return None, None
    return int(value["size"]), str(value.get("distance"))


def _state(folder: str | None) -> str:
    if folder is None:
        return "unknown"
    path = Path(folder)
    if path.is_dir():
        return "there"
    return "gone" if path.parent.is_dir() else "away"


def _database(context: Context) -> Database:
    engine = context.connect()
    if not engine.info().local:
        raise database_elsewhere()
    running = engine.observe(context.spec).container_of(context.spec.project, DATABASE)
    if running is None or not running.alive:
        raise not_started(DATABASE, "its collections cannot be seen while it does not run")
    return Database(endpoint=context.endpoint(DATABASE, running), http=context.http)
