"""The commands that look and wait: status, stats, top, logs, wait, warmup."""

import re
import sys
from datetime import datetime, timedelta
from typing import Annotated

import typer

from embctl.cli.options import Options, Output, Services, chosen, with_options
from embctl.cli.wiring import report_on, run
from embctl.clock import now

__all__ = ["register"]

WATCH_INTERVAL = 2.0
STATS_INTERVAL = 1.0
_AGO = re.compile(r"(\d+)([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def moment(text: str) -> datetime:
    """A point in time: an age such as 10m, 2h or 1d, or ISO 8601 (local time where no zone is given)."""
    try:
        if age := _AGO.fullmatch(text):
            return now() - timedelta(**{_UNITS[age[2]]: int(age[1])})
        return datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError):
        raise typer.BadParameter(
            f'"{text}" is no point in time: give an age such as 10m, 2h or 1d, or a time such as 2026-01-31T08:00.'
        ) from None


@with_options
def status(
    options: Options,
    services: Services = None,
    *,
    watch: Annotated[bool, typer.Option("--watch", help="Show it anew every two seconds until Ctrl-C.")] = False,
) -> int:
    """Show what runs, what it uses and what it holds.

    Example: embctl status --watch
    """
    from embctl.flows.status import status as flow
    from embctl.flows.status import watch as watch_flow

    if not watch:
        return run("status", options, lambda context: flow(context, chosen(services)))
    if options.output is Output.JSON:
        raise typer.BadParameter("--watch writes many documents: use it with -o jsonl or text.")
    from embctl.report.choose import choose_frames

    show = choose_frames(options.output or Output.TEXT, sys.stdout)
    return run(
        "status",
        options,
        lambda context: watch_flow(context, chosen(services), show, WATCH_INTERVAL),
        endless=True,
    )


@with_options
def stats(options: Options) -> int:
    """Say what both services do: speed, queue, how long answers take, points, memory, the last errors.

    Example: embctl stats -o json
    """
    from embctl.flows.stats import stats as flow

    return run("stats", options, lambda context: flow(context, STATS_INTERVAL))


@with_options
def top(options: Options) -> int:
    """Show the same anew every two seconds, until Ctrl-C.

    Example: embctl top
    """
    from embctl.flows.stats import top as flow
    from embctl.report.choose import choose_frames

    if options.output is Output.JSON:
        raise typer.BadParameter("top writes many documents: use it with -o jsonl or text, or take stats.")
    show = choose_frames(options.output or Output.TEXT, sys.stdout)
    return run("top", options, lambda context: flow(context, show, WATCH_INTERVAL), endless=True)


@with_options
def logs(
    options: Options,
    services: Services = None,
    *,
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Go on until Ctrl-C, through restarts too.")] = False,
    tail: Annotated[int | None, typer.Option("-n", "--tail", min=0, help="Only the last lines of each.")] = None,
    since: Annotated[
        datetime | None, typer.Option(parser=moment, metavar="TIME", help="Only from then on: 10m, 2h, ISO 8601.")
    ] = None,
    timestamps: Annotated[
        bool, typer.Option("-t", "--timestamps", help="Begin each line with its time (UTC).")
    ] = False,
) -> int:
    """Show the services' output, interleaved by time.

    Example: embctl logs jina -f -n 50
    """
    from embctl.flows.logs import logs as flow

    if follow and options.output is Output.JSON:
        raise typer.BadParameter("--follow has no end, so no one document: use it with -o jsonl or text.")
    reporter = report_on(options, timestamps=timestamps)
    return run(
        "logs",
        options,
        lambda context: flow(context, chosen(services), reporter.log, follow=follow, tail=tail, since=since),
        reporter=reporter,
        endless=follow,
    )


@with_options
def wait(options: Options, services: Services = None) -> int:
    """Wait until running services are ready; change nothing.

    Example: embctl wait all --timeout 300
    """
    from embctl.flows.warm import wait as flow

    return run("wait", options, lambda context: flow(context, chosen(services)))


@with_options
def warmup(options: Options, services: Services = None) -> int:
    """Have running services answer a real request, so that the next one is fast.

    Example: embctl warmup
    """
    from embctl.flows.warm import warmup as flow

    return run("warmup", options, lambda context: flow(context, chosen(services)))


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(status)
    app.command("ps", hidden=True)(status)
    for command in (stats, top, logs, wait, warmup):
        app.command()(command)
