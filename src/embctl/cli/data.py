"""The command that moves data: migrate."""

from enum import StrEnum
from typing import Annotated

import typer

from embctl.cli.options import Options, with_options
from embctl.cli.wiring import between_runtimes, run
from embctl.model import Runtime

__all__ = ["register"]


class Target(StrEnum):
    """Where to."""

    DOCKER = Runtime.DOCKER
    NATIVE = Runtime.NATIVE


@with_options
def migrate(
    options: Options, *, to: Annotated[Target, typer.Option("--to", help="The runtime that is to have the index.")]
) -> int:
    """Copy every collection to the other runtime and check the copy; the source stays as it is.

    Example: embctl migrate --to native
    """
    from embctl.flows.migrate import migrate as flow

    target = Runtime(to)
    return run("migrate", options, lambda context: flow(context, target, *between_runtimes(context, target)))


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(migrate)
