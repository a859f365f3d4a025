"""Looks for what is wrong, and puts right what can safely be: `doctor`."""

from collections.abc import Iterable
from dataclasses import replace
from functools import partial

from embctl.doctor.examination import Unseen, examine, within
from embctl.doctor.scene import EngineSeen, Scene
from embctl.doctor.table import EXAMINATIONS
from embctl.errors import EmbctlError
from embctl.flows.context import Context
from embctl.flows.editor_choice import Choice, Machine
from embctl.flows.editors import status as editors_status
from embctl.flows.hints import aimed
from embctl.flows.repairing import repair
from embctl.outcomes import Diagnosis, EditorStatus, Finding, Repair, Verdict
from embctl.paths import data_dir
from embctl.result import Result

__all__ = ["doctor"]

# For the engine's own look, and then for all the others together.
LOOK_SECONDS = 60.0


def doctor(context: Context, machine: Machine, platform: str, *, fix: bool = False) -> Result[Diagnosis]:
    """Every check's finding. With `fix` what has a remedy is put right, once it is agreed to, and looked at anew. The
    verdict is 1 when a check failed."""
    findings = _examine(context, machine, platform)
    repairs: tuple[Repair, ...] = ()
    if fix:
        repairs = repair(context, machine, findings)
        if any(each.done for each in repairs):
            findings = _examine(context, machine, platform)
    failed = any(each.verdict is Verdict.FAIL for each in findings)
    return Result(
        command="doctor",
        data=Diagnosis(findings=findings, repairs=repairs, bundle=None),
        changed=any(each.done for each in repairs),
        verdict=1 if failed else 0,
    )


def _examine(context: Context, machine: Machine, platform: str) -> tuple[Finding, ...]:
    seen = within({"engine": partial(_look_at_engine, context)}, context.clock, LOOK_SECONDS)["engine"]
    engine = EngineSeen() if isinstance(seen, Unseen) else seen
    scene = Scene(
        settings=context.settings,
        spec=context.spec,
        env=machine.env,
        home=machine.home,
        platform=platform,
        seen=engine,
        endpoints={
            service.name: context.endpoint(
                service.name,
                engine.observed.container_of(context.spec.project, service.name) if engine.observed else None,
            )
            for service in context.spec.services
        },
        http=context.http,
        cancel=context.cancel,
        data_dir=data_dir(machine.env),
        editors=partial(_editors, machine),
    )
    found = examine(EXAMINATIONS, scene, context.clock, LOOK_SECONDS)
    return tuple(_aimed(found, context))


def _look_at_engine(context: Context) -> EngineSeen:
    try:
        engine = context.connect()
        info = engine.info()
    except EmbctlError as error:
        return EngineSeen(trouble=error)
    try:
        return EngineSeen(engine=engine, info=info, observed=engine.observe(context.spec))
    except EmbctlError as error:
        return EngineSeen(engine=engine, info=info, trouble=error)


def _editors(machine: Machine) -> tuple[EditorStatus, ...]:
    return editors_status(machine, Choice()).data.editors


def _aimed(findings: Iterable[Finding], context: Context) -> Iterable[Finding]:
    return (replace(each, fix=aimed(each.fix, context.settings)) for each in findings)
