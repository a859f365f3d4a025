"""The commands about assistants: client list, show, write, patch and check."""

from pathlib import Path
from typing import Annotated

import typer

from embctl.cli.options import Options, with_options
from embctl.cli.wiring import known_models, run

__all__ = ["register"]

app = typer.Typer(
    help="Settings of the assistants that index with these services.\n\nExample: embctl client write zoo-code",
    rich_markup_mode=None,
)

Name = Annotated[str, typer.Argument(metavar="NAME", help="A client of `embctl client list`.")]
File = Annotated[Path | None, typer.Option("--file", metavar="FILE", help="Where to write instead.")]


def _threshold(model: str) -> float | None:
    from embctl.catalogue import threshold_of

    return threshold_of(model, known_models())


@app.command("list")
@with_options
def list_(options: Options) -> int:
    """List the assistants that are known, and what is written for each.

    Example: embctl client list
    """
    from embctl.flows.clients import listed

    return run("client list", options, lambda _: listed())


@app.command()
@with_options
def show(options: Options, name: Name) -> int:
    """Print an assistant's settings for what runs, and the clicks that remain; write nothing.

    Example: embctl client show zoo-code
    """
    from embctl.flows.clients import show as flow

    return run("client show", options, lambda context: flow(context, name, _threshold))


@app.command()
@with_options
def write(options: Options, name: Name, *, file: File = None) -> int:
    """Write the file to import, or put our part into the file that the assistant reads; a backup stays beside it.

    Example: embctl client write kilo-code
    """
    from embctl.flows.clients import write as flow

    return run("client write", options, lambda context: flow(context, name, file, Path.home(), _threshold))


@app.command()
@with_options
def patch(
    options: Options,
    name: Name,
    export: Annotated[Path, typer.Argument(metavar="EXPORT", help="What the assistant exported.")],
    *,
    file: File = None,
) -> int:
    """Complete your own export, API key included, in place or as another file; import it again afterwards.

    Example: embctl client patch zoo-code roo-code-settings.json
    """
    from embctl.flows.clients import patch as flow

    return run("client patch", options, lambda context: flow(context, name, export, file, _threshold))


@app.command()
@with_options
def check(options: Options, name: Name) -> int:
    """Play an assistant against what runs: its requests for vectors, its calls to Qdrant, its search.

    Example: embctl client check roo-code
    """
    from embctl.flows.client_check import check as flow

    return run("client check", options, lambda context: flow(context, name, _threshold))


def register(root: typer.Typer) -> None:
    """Add the group."""
    root.add_typer(app, name="client")
