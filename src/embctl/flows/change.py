"""The one path by which anything changes: lock, observe, reconcile, apply. Commands differ in what they request."""

from collections.abc import Callable

from embctl.apply import Applied, apply
from embctl.flows.context import Context
from embctl.flows.locking import project_lock
from embctl.outcomes import Changed, Planned
from embctl.plan import Plan, Request
from embctl.reconcile import reconcile
from embctl.result import Result

__all__ = ["carry_out", "change", "preview"]


def preview(context: Context, command: str, request: Request, *, exit_code: bool = False) -> Result[Planned]:
    """The plan, not carried out; with `exit_code` the verdict is 10 when it holds anything."""
    engine = context.connect()
    plan = reconcile(context.spec, engine.observe(context.spec), request)
    return Result(command=command, data=Planned(plan=plan), verdict=10 if exit_code and plan else 0)


def carry_out(
    context: Context, request: Request, approve: Callable[[Plan], None] = lambda _: None
) -> tuple[Plan, Applied]:
    """Do what `request` needs under the project's lock; `approve` sees the plan first and may raise.

    The lock is free again on return: waiting for services changes nothing, and must not keep anybody from stopping
    them.
    """
    engine = context.connect()
    with project_lock(context):
        plan = reconcile(context.spec, engine.observe(context.spec), request)
        approve(plan)
        applied = apply(
            plan, spec=context.spec, engine=engine, emit=context.emit, clock=context.clock, cancel=context.cancel
        )
    applied.raise_first_error()
    return plan, applied


def change(
    context: Context, command: str, request: Request, approve: Callable[[Plan], None] = lambda _: None
) -> Result[Changed]:
    """Do what `request` needs; nothing is waited for."""
    plan, applied = carry_out(context, request, approve)
    return Result(command=command, data=Changed(plan=plan), changed=applied.changed)
