"""The command that looks for what is wrong: doctor."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from embctl.cli.options import Options, with_options
from embctl.cli.wiring import run, this_machine

__all__ = ["register"]


@with_options
def doctor(
    options: Options,
    *,
    fix: Annotated[
        bool, typer.Option("--fix", help="Put right what can safely be, each after a question or with --yes.")
    ] = False,
    bundle: Annotated[
        Path | None,
        typer.Option("--bundle", metavar="FILE", help="Write a zip for a bug report, without keys and names."),
    ] = None,
) -> int:
    """Look for what is wrong with engine, ports, services, index, model, network and editors.

    Example: embctl doctor --fix
    """
    from embctl.flows.doctor import doctor as flow

    return run("doctor", options, lambda context: flow(context, this_machine(), sys.platform, fix=fix, bundle=bundle))


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(doctor)
