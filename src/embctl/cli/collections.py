"""The commands about what is in Qdrant: collections list, prune and drop."""

import os
from pathlib import Path
from typing import Annotated

import typer

from embctl.cli.options import Options, with_model, with_options
from embctl.cli.wiring import run

__all__ = ["register"]

app = typer.Typer(
    help="The collections in Qdrant and the folders that they index.\n\nExample: embctl collections list",
    rich_markup_mode=None,
)

Folders = Annotated[
    list[Path] | None,
    typer.Option("--folder", help="A folder that a collection may index, with those beside it; repeatable."),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would go and drop nothing.")]


def _folders(given: list[Path] | None) -> tuple[str, ...]:
    """Absolute paths: those given and what lies directly in them, this folder and those above it, and what the editors
    have opened."""
    from embctl.vscode.editors import editors
    from embctl.vscode.folders import opened_folders
    from embctl.vscode.hotkeys import this_system

    roots = [Path(os.path.abspath(each)) for each in given or ()]  # noqa: PTH100 - links stay as the editor saw them
    inside = [each for root in roots if root.is_dir() for each in sorted(root.iterdir()) if each.is_dir()]
    here = Path.cwd()
    opened = opened_folders(editors(os.environ, Path.home(), this_system()))
    return tuple(dict.fromkeys([*map(str, [*roots, *inside, here, *here.parents]), *opened]))


@app.command("list")
@with_model
def list_(options: Options, *, folder: Folders = None) -> int:
    """List every collection: points, size, last write, dimension, and the folder that it indexes.

    Example: embctl collections list --folder ~/projects
    """
    from embctl.flows.collections import listed

    folders = _folders(folder)
    return run("collections list", options, lambda context: listed(context, folders))


@app.command()
@with_options
def prune(options: Options, *, folder: Folders = None, dry_run: DryRun = False) -> int:
    """Drop the indexes of folders that are gone, once confirmed.

    Example: embctl collections prune --dry-run
    """
    from embctl.flows.collections import prune as flow

    folders = _folders(folder)
    return run("collections prune", options, lambda context: flow(context, folders, dry_run=dry_run))


@app.command()
@with_options
def drop(
    options: Options,
    wanted: Annotated[list[str], typer.Argument(metavar="NAME|FOLDER...", help="Collections, or the folders of them.")],
    *,
    dry_run: DryRun = False,
) -> int:
    """Drop collections by name or folder, once confirmed.

    Example: embctl collections drop ws-0123456789abcdef
    """
    from embctl.flows.collections import drop as flow

    return run("collections drop", options, lambda context: flow(context, wanted, dry_run=dry_run))


def register(root: typer.Typer) -> None:
    """Add the group."""
    root.add_typer(app, name="collections")
