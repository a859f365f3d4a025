"""Takes the index from one runtime to the other: `migrate`. The source is only read; switching over is the user's."""

from dataclasses import replace
from pathlib import Path

from embctl.engine.base import Cancel, Engine
from embctl.errors import Conflict
from embctl.events import Progress, Stage, StageProgress
from embctl.flows.change import carry_out
from embctl.flows.context import Context
from embctl.flows.copying import copy
from embctl.flows.hints import aimed
from embctl.flows.locking import project_lock
from embctl.flows.readiness import await_services, containers_of, database_elsewhere, not_started
from embctl.model import Runtime, StackSpec
from embctl.outcomes import CollectionCopied, Migrated
from embctl.plan import Goal, Request
from embctl.qdrant import Database
from embctl.result import Result
from embctl.settings import Settings, Source

__all__ = ["migrate"]

DATABASE = ("qdrant",)


def migrate(
    context: Context, target: Runtime, source_engine: Engine, target_engine: Engine, beside: StackSpec
) -> Result[Migrated]:
    """Copy all collections to the `target` runtime, whose database runs meanwhile as `beside` defines it: on another
    port. Raises NotReady when the source's database does not run."""
    source = Runtime.NATIVE if target is Runtime.DOCKER else Runtime.DOCKER
    for engine in (source_engine, target_engine):
        if not engine.info().local:
            raise database_elsewhere()
    origin = replace(context, connect=lambda: source_engine)
    running = source_engine.observe(context.spec).container_of(context.spec.project, *DATABASE)
    if running is None or not running.alive:
        raise not_started(*DATABASE, f"there is nothing to copy from while it does not run ({source} runtime)")
    await_services(origin, source_engine, containers_of(origin, source_engine, DATABASE), Stage.LOADED)
    destination = replace(context, connect=lambda: target_engine, spec=beside)
    progress = context.state_dir / "migrations" / f"{context.spec.project}-to-{target}.json"
    data = Database(endpoint=origin.endpoint(*DATABASE, running), http=origin.http)
    with project_lock(context, ".migrate"):
        _refuse_running(destination, target, progress)
        copied, changed = _copy_over(origin, data, destination, target, progress)
    return Result(
        command="migrate",
        data=Migrated(
            source=str(source),
            target=str(target),
            collections=copied,
            next=_commands(context.settings, source, target),
        ),
        changed=changed,
    )


def _refuse_running(destination: Context, target: Runtime, progress: Path) -> None:
    """A database that runs there is in use, unless a copy that was killed left it."""
    there = destination.connect().observe(destination.spec).container_of(destination.spec.project, *DATABASE)
    if there and there.alive and not progress.exists():
        raise Conflict(
            f"Qdrant runs on the {target} runtime already, and is left as it is.",
            code="target_running",
            details={"runtime": str(target), "container": there.name},
            actions=(f"Stop it first: embctl stop qdrant --runtime {target}",),
        )


def _copy_over(
    origin: Context, data: Database, destination: Context, target: Runtime, progress: Path
) -> tuple[tuple[CollectionCopied, ...], bool]:
    engine = destination.connect()
    try:
        _, applied = carry_out(destination, Request(goal=Goal.UP, services=DATABASE))
        await_services(destination, engine, containers_of(destination, engine, DATABASE), Stage.LOADED)
        copied = copy(
            data,
            Database(endpoint=destination.endpoint(*DATABASE), http=origin.http),
            progress,
            tell=lambda name, done, total: origin.emit(
                StageProgress(
                    service="qdrant", progress=Progress(text=f"copying {name}", done=done, total=total, unit="points")
                )
            ),
            may_replace=lambda name, points: origin.confirm(
                f"{name} is on the {target} runtime already, with {points} other points. Replace it there?"
            ),
        )
    finally:
        # Its container goes, whatever happened: switching over is the user's, and the data is in the volumes.
        carry_out(replace(destination, cancel=Cancel()), Request(goal=Goal.ABSENT, services=DATABASE))
    return copied, applied.changed


def _commands(settings: Settings, source: Runtime, target: Runtime) -> tuple[str, ...]:
    """What switches over."""
    # What the last start named is remembered until this one; it is said again for whoever pastes it elsewhere.
    model = f" --model {settings.model}" if settings.origins["model"].source is Source.REMEMBERED else ""
    commands = (f"embctl down --runtime {source}", f"embctl start all --runtime {target}{model}")
    return tuple(aimed(command, settings) for command in commands)
