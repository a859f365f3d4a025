"""The commands about settings: config show, config path, config validate."""

import os
from pathlib import Path
from typing import Annotated

import typer

from embctl.cli.options import Options, with_options
from embctl.cli.wiring import run

__all__ = ["register"]

app = typer.Typer(help="Show and check settings.\n\nExample: embctl config show --origin", rich_markup_mode=None)


@app.command()
@with_options
def show(
    options: Options,
    *,
    origin: Annotated[bool, typer.Option("--origin", help="Say where each value comes from.")] = False,
) -> int:
    """Show every setting in force; secrets are masked.

    Example: embctl config show --origin
    """
    from embctl.flows.config import config_show

    return run("config show", options, lambda context: config_show(context.settings, origin=origin))


@app.command()
@with_options
def path(options: Options) -> int:
    """Show where settings are read from.

    Example: embctl config path
    """
    from embctl.flows.config import config_path

    return run("config path", options, lambda _: config_path(os.environ, Path.cwd()))


@app.command()
@with_options
def validate(options: Options) -> int:
    """Read every settings and compose file and say whether they are right.

    Example: embctl config validate
    """
    from embctl.flows.config import config_validate

    return run(
        "config validate",
        options,
        lambda context: config_validate(os.environ, Path.cwd(), tuple(s.compose_file for s in context.spec.services)),
    )


def register(root: typer.Typer) -> None:
    """Add the group."""
    root.add_typer(app, name="config")
