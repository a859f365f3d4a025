"""Builds what a flow needs from options and environment, runs it, and hands whatever came of it to a reporter."""

import os
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from threading import Event as Cancel
from typing import TYPE_CHECKING, Any

import typer

from embctl.cli.options import Options, Output
from embctl.model import Runtime

if TYPE_CHECKING:
    from embctl.catalogue import CatalogueEntry
    from embctl.engine.base import Engine
    from embctl.events import Event
    from embctl.flows.context import Context
    from embctl.flows.editor_choice import Machine
    from embctl.model import StackSpec
    from embctl.report.base import Reporter
    from embctl.result import Result
    from embctl.settings import Settings

__all__ = ["between_runtimes", "load_settings", "report_on", "run", "this_machine"]

# The one that a package of the package index carries.
EMBEDDED_MODEL = "minilm"


def load_settings(options: Options, env: Mapping[str, str], cwd: Path) -> "Settings":
    """Flags over environment over files over defaults."""
    from embctl.paths import project_config_file, remembered_file, user_config_file
    from embctl.settings import load

    runtime, model = _runtime(options), options.model
    if options.embedded:
        model = model or EMBEDDED_MODEL
    flags = {
        "project": options.project,
        "port_offset": options.port_offset,
        "engine.context": options.context,
        "engine.host": options.host,
        "timeout": options.timeout,
        "runtime": runtime,
        "model": model,
        "jina.device": options.device,
    }
    return load(
        flags=flags,
        env=env,
        user_file=user_config_file(env),
        project_file=project_config_file(cwd),
        catalogue=known_models(),
        remembered_file=partial(remembered_file, env),
    )


def _runtime(options: Options) -> Runtime | None:
    """The runtime that the flags mean: an engine that is named there is a container engine."""
    from embctl.errors import UsageError

    meant = {
        "--runtime": options.runtime,
        "--embedded": Runtime.NATIVE if options.embedded else None,
        "--host": Runtime.DOCKER if options.host else None,
        "--context": Runtime.DOCKER if options.context else None,
    }
    said = {flag: runtime for flag, runtime in meant.items() if runtime}
    if options.runtime is Runtime.AUTO and not options.embedded:
        return Runtime.AUTO
    if len(set(said.values())) > 1:
        raise UsageError(
            f"{', '.join(f'{flag} means the {runtime} runtime' for flag, runtime in said.items())}: choose one.",
            code="usage",
            actions=(f"Leave out {' or '.join(said)}.",),
        )
    return next(iter(said.values()), None)


@cache
def known_models() -> "tuple[CatalogueEntry, ...]":
    """The catalogue that the embedding server carries."""
    from embctl.catalogue import read
    from embctl.paths import bundle

    return read(bundle() / "server" / "embserver" / "catalogue.toml")


@contextmanager
def _open_context(options: Options, emit: "Callable[[Event], None]") -> "Iterator[Context]":
    from embctl.catalogue import dimension_of
    from embctl.clock import SystemClock
    from embctl.compose import load_stack
    from embctl.engine.base import Engine
    from embctl.engine.runtime import choose
    from embctl.events import Note
    from embctl.flows.context import Context
    from embctl.http import Http
    from embctl.paths import bundle, remembered_file, state_dir

    env = os.environ
    settings = load_settings(options, env, Path.cwd())
    spec = load_stack(bundle() / "compose", settings.variables())
    with ExitStack() as stack:

        @cache
        def dial() -> Engine:
            engine = choose(
                Runtime(settings.runtime),
                docker=lambda: _docker_engine(settings, env),
                native=lambda: _native_engine(env),
                tell=lambda message: emit(Note(message=message)),
            )
            stack.callback(engine.close)
            return engine

        yield Context(
            settings=settings,
            spec=spec,
            connect=dial,
            http=stack.enter_context(Http()),
            clock=SystemClock(),
            emit=emit,
            cancel=Cancel(),
            state_dir=state_dir(env),
            remembered_file=remembered_file(env, settings.project),
            wait_for_lock=not options.no_wait_lock,
            confirm=(lambda _: True) if options.yes else _ask,
            dimension=dimension_of(settings.model, known_models()),
        )


def between_runtimes(context: "Context", target: Runtime) -> "tuple[Engine, Engine, StackSpec]":
    """The engines to copy from and to, and the definition by which the target's Qdrant runs beside the source's."""
    from embctl.compose import load_stack
    from embctl.engine.ports import free_port
    from embctl.paths import bundle

    env = os.environ
    engines = (_docker_engine(context.settings, env), _native_engine(env))
    source, other = engines if target is Runtime.NATIVE else reversed(engines)
    beside = replace(context.settings, qdrant_port=free_port() - context.settings.port_offset)
    return source, other, load_stack(bundle() / "compose", beside.variables())


def this_machine() -> "Machine":
    """What the flows about editors and about this machine know of it."""
    from embctl.flows.editor_choice import Machine
    from embctl.vscode.hotkeys import this_system

    return Machine(
        env=os.environ, home=Path.home(), system=this_system(), called=sys.argv[0], executable=sys.executable
    )


def _docker_engine(settings: "Settings", env: Mapping[str, str]) -> "Engine":
    from embctl.engine.connect import connect

    return connect(host=settings.engine_host, context=settings.engine_context, env=env, home=Path.home())


def _native_engine(env: Mapping[str, str]) -> "Engine":
    from embctl.engine.native.engine import NativeEngine
    from embctl.paths import bundle, data_dir, state_dir

    return NativeEngine(state=state_dir(env) / "native", data=data_dir(env), server=bundle() / "server")


def _ask(question: str) -> bool:
    try:
        return sys.stdin.isatty() and sys.stderr.isatty() and typer.confirm(question, err=True)
    except typer.Abort:
        raise KeyboardInterrupt from None


def report_on(options: Options, *, timestamps: bool = False) -> "Reporter":
    """The renderer that the options ask for, on this process's streams."""
    from embctl.report.choose import choose_reporter

    return choose_reporter(
        options.output or Output.TEXT,
        quiet=bool(options.quiet),
        timestamps=timestamps,
        stdout=sys.stdout,
        stderr=sys.stderr,
    )


def run(
    command: str,
    options: Options,
    flow: "Callable[[Context], Result[Any]]",
    *,
    reporter: "Reporter | None" = None,
    endless: bool = False,
) -> int:
    """Run `flow` in its context and report its result, or the error that ended it; returns the exit code.

    An `endless` flow goes on until Ctrl-C: being interrupted is its verdict then, and no failure to tell anybody.
    """
    from embctl.errors import EmbctlError, Failed, Interrupted
    from embctl.events import OperationFinished
    from embctl.flows.hints import aimed
    from embctl.result import Result

    reporter = reporter or report_on(options)
    changed = False
    warnings: tuple[str, ...] = ()
    settings: Settings | None = None

    def emit(event: "Event") -> None:
        nonlocal changed
        changed = changed or isinstance(event, OperationFinished)
        reporter.emit(event)

    result: Result[Any]
    try:
        with _open_context(options, emit) as context:
            settings = context.settings
            warnings = settings.warnings
            result = flow(context)
    except EmbctlError as error:
        if settings:
            error.actions = tuple(aimed(hint, settings) for hint in error.actions)
        result = Result(command=command, data=None, changed=changed, error=error)
    except KeyboardInterrupt:
        stopped = Interrupted(
            "Interrupted. What is healthy keeps running; a start finishes what is missing.", code="interrupted"
        )
        verdict = stopped.exit_code if endless else 0
        result = Result(command=command, data=None, changed=changed, error=stopped, verdict=verdict)
    except OSError as error:
        failure = Failed(
            f"{error.strerror or error}: {error.filename or 'unknown file'}",
            code="io_error",
            actions=("Check the file's permissions and the free space of its disk.",),
        )
        result = Result(command=command, data=None, changed=changed, error=failure)
    except Exception as error:  # noqa: BLE001 - programs are promised one envelope, whatever happens
        trace = traceback.format_exc().splitlines()
        failure = Failed(
            f"embctl itself failed: {type(error).__name__}: {error}",
            code="internal_error",
            details={"log": trace[-20:]},
            actions=("Please report this with the lines above.",),
        )
        result = Result(command=command, data=None, changed=changed, error=failure)
    reporter.finish(replace(result, warnings=(*warnings, *result.warnings)))
    return result.exit_code
