"""Takes the index from one runtime to the other: `migrate`. The source is only read; switching over is the user's."""

from dataclasses import replace

from embctl.engine.base import Engine
from embctl.errors import Failed
from embctl.events import Progress, Stage, StageProgress
from embctl.flows.change import carry_out
from embctl.flows.context import Context
from embctl.flows.copying import copy
from embctl.flows.readiness import await_services, containers_of, not_started
from embctl.model import Runtime, StackSpec
from embctl.outcomes import Migrated
from embctl.plan import Goal, Request
from embctl.qdrant import Database
from embctl.result import Result

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
            raise Failed(
                "The engine is on another machine, and its database cannot be reached from here.",
                code="engine_remote",
                actions=("Run embctl on that machine.",),
            )
    origin = replace(context, connect=lambda: source_engine)
    running = source_engine.observe(context.spec).container_of(context.spec.project, *DATABASE)
    if running is None or not running.alive:
        raise not_started(*DATABASE, f"there is nothing to copy from while it does not run ({source} runtime)")
    await_services(origin, source_engine, containers_of(origin, source_engine, DATABASE), Stage.LOADED)

    destination = replace(context, connect=lambda: target_engine, spec=beside)
    carry_out(destination, Request(goal=Goal.UP, services=DATABASE))
    try:
        await_services(destination, target_engine, containers_of(destination, target_engine, DATABASE), Stage.LOADED)
        copied = copy(
            Database(endpoint=origin.endpoint(*DATABASE), http=context.http),
            Database(endpoint=destination.endpoint(*DATABASE), http=context.http),
            context.state_dir / "migrations" / f"{context.spec.project}-to-{target}.json",
            tell=lambda name, done, total: context.emit(
                StageProgress(
                    service="qdrant", progress=Progress(text=f"copying {name}", done=done, total=total, unit="points")
                )
            ),
            may_replace=lambda name, points: context.confirm(
                f"{name} is on the {target} runtime already, with {points} other points. Replace it there?"
            ),
        )
    finally:
        carry_out(destination, Request(goal=Goal.STOPPED, services=DATABASE))
    of_project = "" if context.spec.project == "embctl" else f" --project {context.spec.project}"
    return Result(
        command="migrate",
        data=Migrated(
            source=str(source),
            target=str(target),
            collections=copied,
            next=(
                f"embctl down --runtime {source}{of_project}",
                f"embctl start all --runtime {target}{of_project}",
            ),
        ),
        changed=any(each.copied for each in copied),
    )
