"""The command that moves data: migrate."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from embctl.cli.options import Options, with_options
from embctl.cli.wiring import between_runtimes, run
from embctl.model import Runtime

if TYPE_CHECKING:
    from embctl.flows.context import Context
    from embctl.outcomes import Migrated
    from embctl.result import Result

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
    from contextlib import closing

    from embctl.flows.migrate import migrate as flow

    target = Runtime(to)

    def migration(context: "Context") -> "Result[Migrated]":
        source, destination, beside = between_runtimes(context, target)
        with closing(source), closing(destination):
            return flow(context, target, source, destination, beside)

    return run("migrate", options, migration)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(migrate)
