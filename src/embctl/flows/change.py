"""The one path by which anything changes: lock, observe, reconcile, apply. What differs between commands is the
request."""

from collections.abc import Callable
from typing import TypeVar

from embctl.apply import Applied, apply
from embctl.engine.base import Engine
from embctl.flows.context import Context
from embctl.flows.locking import project_lock
from embctl.outcomes import Changed, Planned
from embctl.plan import Plan, Request, reconcile
from embctl.result import Result

__all__ = ["change", "preview", "with_changes"]

T = TypeVar("T")


def preview(context: Context, command: str, request: Request, *, exit_code: bool = False) -> Result[Planned]:
    """The plan, not carried out; with `exit_code` the verdict is 10 when it holds anything."""
    engine = context.connect()
    plan = reconcile(context.spec, engine.observe(context.spec), request)
    return Result(command=command, data=Planned(plan=plan), verdict=10 if exit_code and plan else 0)


def with_changes(context: Context, request: Request, then: Callable[[Engine, Plan, Applied], T]) -> tuple[Plan, T]:
    """Carry out what `request` needs under the project's lock, then call `then` while still holding it."""
    engine = context.connect()
    with project_lock(context):
        plan = reconcile(context.spec, engine.observe(context.spec), request)
        applied = apply(
            plan, spec=context.spec, engine=engine, emit=context.emit, clock=context.clock, cancel=context.cancel
        )
        applied.raise_first_error()
        return plan, then(engine, plan, applied)


def change(context: Context, command: str, request: Request) -> Result[Changed]:
    """Carry out what `request` needs; nothing is waited for."""
    plan, _ = with_changes(context, request, lambda *_: None)
    return Result(command=command, data=Changed(plan=plan), changed=bool(plan))
