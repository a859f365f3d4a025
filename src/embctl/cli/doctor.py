"""The command that looks for what is wrong: doctor."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from embctl.cli.options import Options, with_options
from embctl.cli.wiring import run

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
    from embctl.flows.editor_choice import Machine
    from embctl.vscode.hotkeys import this_system

    machine = Machine(
        env=os.environ, home=Path.home(), system=this_system(), called=sys.argv[0], executable=sys.executable
    )
    return run("doctor", options, lambda context: flow(context, machine, sys.platform, fix=fix, bundle=bundle))


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(doctor)
