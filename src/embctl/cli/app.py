"""The command line as a whole: the root options, the commands, and usage errors as results."""

from itertools import pairwise
from typing import Annotated, Any

import typer

from embctl import __version__
from embctl.cli import client, collections, config, data, doctor, stack, vscode, watch
from embctl.cli.options import Options, Output, with_options
from embctl.cli.wiring import report_on
from embctl.errors import Interrupted, UsageError

__all__ = ["app", "run_command_line"]

# Rich help costs a quarter of a second of every `--help`; the plain one costs nothing.
app = typer.Typer(
    name="embctl",
    help="Run Qdrant and a local code-embedding server for AI assistants in VS Code.\n\nExample: embctl start all",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(value: bool) -> None:  # noqa: FBT001 - Typer calls it so
    if value:
        typer.echo(f"embctl {__version__}")
        raise typer.Exit


@app.callback()
@with_options
def root(
    options: Options,  # noqa: ARG001 - the commands find it in their context
    *,
    version: Annotated[  # noqa: ARG001 - its callback does the work
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> int:
    """Common options may stand before or after the command."""
    return 0


for _part in (stack, watch, doctor, data, collections, client, vscode, config):
    _part.register(app)


def run_command_line(arguments: list[str]) -> int:
    """Run one command line; returns its exit code and never raises for what a user can cause."""
    try:
        return int(app(args=arguments or ["--help"], prog_name="embctl", standalone_mode=False) or 0)
    except typer.Abort:
        return Interrupted.exit_code
    except typer.TyperException as error:
        return _report_usage_error(arguments, error)


def _report_usage_error(arguments: list[str], error: Any) -> int:
    from embctl.result import Result

    names = {info.name or info.callback.__name__ for info in app.registered_commands if info.callback} | {
        "client",
        "collections",
        "config",
        "vscode",
    }
    command = next((word for word in arguments if word in names), "")
    wanted = next((o for o in Output if {f"-o{o}", f"--output={o}"} & set(arguments) or _follows(arguments, o)), None)
    usage = error.ctx.get_usage() if getattr(error, "ctx", None) else ""
    failure = UsageError(
        error.format_message(),
        code="usage",
        actions=tuple(filter(None, (usage, " ".join(["See:", "embctl", *filter(None, [command]), "--help"])))),
    )
    result: Result[None] = Result(command=command or "embctl", data=None, error=failure)
    report_on(Options(output=wanted)).finish(result)
    return result.exit_code


def _follows(arguments: list[str], output: str) -> bool:
    pairs = pairwise(arguments)
    return any(flag in ("-o", "--output") and value == output for flag, value in pairs)
