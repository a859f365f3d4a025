"""The commands that change the stack: start, stop, restart, down, pull, and plan, which only says what start would
do."""

from collections.abc import Callable
from typing import Annotated

import typer

from embctl.cli.options import Options, Services, chosen, with_model, with_options
from embctl.cli.wiring import run

__all__ = ["register"]

DryRun = Annotated[bool, typer.Option("--dry-run", help="Print the plan and change nothing.")]

START = """Bring services up, wait until they are ready and warm them.

Example: embctl start all
"""
RESTART = """Stop services that run, start them again and wait until they are ready.

Example: embctl restart qdrant
"""


def bring_up(command: str, *, restart: bool) -> Callable[..., int]:
    """The command `start`, or `restart`, which differs in what it does to services that run."""

    @with_model
    def command_line(
        options: Options,
        services: Services = None,
        *,
        no_wait: Annotated[bool, typer.Option("--no-wait", help="Return once the services run.")] = False,
        no_warmup: Annotated[bool, typer.Option("--no-warmup", help="Return once the model is loaded.")] = False,
        dry_run: DryRun = False,
    ) -> int:
        from embctl.flows.start import start

        return run(
            command,
            options,
            lambda context: start(
                context,
                chosen(services),
                restart=restart,
                wait=not no_wait,
                warmup=not no_warmup,
                dry_run=dry_run,
            ),
        )

    return command_line


@with_options
def stop(options: Options, services: Services = None, *, dry_run: DryRun = False) -> int:
    """Stop services gracefully; nothing is removed.

    Example: embctl stop jina
    """
    from embctl.flows.stop import stop as flow

    return run("stop", options, lambda context: flow(context, chosen(services), dry_run=dry_run))


@with_options
def down(
    options: Options,
    *,
    volumes: Annotated[bool, typer.Option("--volumes", help="Delete the indexes and models too.")] = False,
    dry_run: DryRun = False,
) -> int:
    """Remove the project's services and network; its data only with --volumes.

    Example: embctl down --volumes --yes
    """
    from embctl.flows.stop import down as flow

    return run("down", options, lambda context: flow(context, volumes=volumes, dry_run=dry_run))


@with_model
def pull(options: Options, services: Services = None, *, dry_run: DryRun = False) -> int:
    """Fetch what the services need ahead of time, images and the model; start nothing.

    Example: embctl pull all
    """
    from embctl.flows.pull import pull as flow

    return run("pull", options, lambda context: flow(context, chosen(services), dry_run=dry_run))


@with_model
def plan(
    options: Options,
    services: Services = None,
    *,
    exit_code: Annotated[bool, typer.Option("--exit-code", help="Exit with 10 when there is something to do.")] = False,
) -> int:
    """Say what start would do, each step with its cause; change nothing.

    Example: embctl plan --exit-code
    """
    from embctl.flows.change import preview
    from embctl.plan import Goal, Request

    request = Request(goal=Goal.UP, services=chosen(services))
    return run("plan", options, lambda context: preview(context, "plan", request, exit_code=exit_code))


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("start", help=START)(bring_up("start", restart=False))
    app.command()(stop)
    app.command("restart", help=RESTART)(bring_up("restart", restart=True))
    for command in (down, pull, plan):
        app.command()(command)
