"""Looks for what is wrong, puts right what can safely be, and packs what a bug report needs: `doctor`."""

import os
import platform
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from embctl import __version__
from embctl.doctor.bundle import LOG_LINES, archive, documents
from embctl.doctor.examination import Unseen, examine, within
from embctl.doctor.redaction import Redaction, redaction_for
from embctl.doctor.scene import EngineSeen, Scene
from embctl.doctor.table import EXAMINATIONS
from embctl.errors import EmbctlError, Failed
from embctl.flows.context import Context
from embctl.flows.editor_choice import Choice, Machine
from embctl.flows.editors import status as editors_status
from embctl.flows.hints import aimed
from embctl.flows.repairing import repair
from embctl.outcomes import Diagnosis, EditorStatus, Finding, Repair, Verdict
from embctl.result import Result

__all__ = ["doctor"]

# For the engine's own look, for all the others together, and for the logs.
LOOK_SECONDS = 60.0
_BINARY = getattr(os, "O_BINARY", 0)  # Windows would end lines in its own way


@dataclass(frozen=True, slots=True, kw_only=True)
class _Examined:
    """One round of looks."""

    seen: EngineSeen
    findings: tuple[Finding, ...]


def doctor(
    context: Context, machine: Machine, system: str, *, fix: bool = False, bundle: Path | None = None
) -> Result[Diagnosis]:
    """Every check's finding. With `fix` what has a remedy is put right, once it is agreed to, and looked at anew; then
    `bundle` is written. The verdict is 1 when a check failed. `system` as in `sys.platform`."""
    if bundle is not None:
        _refuse_existing(bundle)
    redaction = redaction_for(context.settings, machine.env, machine.home)
    examined = _examine(context, machine, system, redaction)
    repairs: tuple[Repair, ...] = ()
    if fix:
        repairs = repair(context, machine, examined.findings)
        if any(each.done for each in repairs):
            examined = _examine(context, machine, system, redaction)
    if bundle is not None:
        _write(bundle, archive(_documents(context, examined), redaction))
    failed = any(each.verdict is Verdict.FAIL for each in examined.findings)
    return Result(
        command="doctor",
        data=Diagnosis(findings=examined.findings, repairs=repairs, bundle=str(bundle) if bundle else None),
        changed=any(each.done for each in repairs),
        verdict=1 if failed else 0,
    )


def _examine(context: Context, machine: Machine, system: str, redaction: Redaction) -> _Examined:
    look = within({"engine": partial(_look_at_engine, context)}, context.clock, LOOK_SECONDS)["engine"]
    seen = EngineSeen() if isinstance(look, Unseen) else look
    project, observed = context.spec.project, seen.observed
    scene = Scene(
        settings=context.settings,
        spec=context.spec,
        env=machine.env,
        home=machine.home,
        platform=system,
        seen=seen,
        endpoints={
            each.name: context.endpoint(each.name, observed.container_of(project, each.name) if observed else None)
            for each in context.spec.services
        },
        http=context.http,
        cancel=context.cancel,
        editors=partial(_editors, machine),
    )
    found = examine(EXAMINATIONS, scene, context.clock, LOOK_SECONDS)
    return _Examined(seen=seen, findings=tuple(_told(each, context, redaction) for each in found))


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


def _told(finding: Finding, context: Context, redaction: Redaction) -> Finding:
    """For the user's own eyes: names may be seen, secrets may not; commands mean the stack that was looked at."""
    return replace(
        finding,
        evidence=redaction.secretless(finding.evidence),
        fix=redaction.secretless(aimed(finding.fix, context.settings)),
    )


def _documents(context: Context, examined: _Examined) -> Mapping[str, str]:
    return documents(
        versions={
            "embctl": __version__,
            "python": platform.python_version(),
            "system": platform.platform(),
            "machine": platform.machine(),
        },
        findings=examined.findings,
        settings=context.settings,
        spec=context.spec,
        info=examined.seen.info,
        observed=examined.seen.observed,
        logs=_logs(context, examined.seen),
    )


def _logs(context: Context, seen: EngineSeen) -> dict[str, tuple[str, ...]]:
    def read(service: str) -> tuple[str, ...]:
        container = seen.observed.container_of(context.spec.project, service) if seen.observed else None
        if seen.engine is None or container is None:
            return ("(it does not exist yet, or cannot be seen)",)
        lines = seen.engine.logs(container, follow=False, tail=LOG_LINES, since=None, cancel=context.cancel)
        return tuple(line.text for line in lines)

    tasks = {service.name: partial(read, service.name) for service in context.spec.services}
    found = within(tasks, context.clock, LOOK_SECONDS)
    return {name: (f"({lines.reason})",) if isinstance(lines, Unseen) else lines for name, lines in found.items()}


def _refuse_existing(file: Path) -> None:
    """Before anybody waits for the looks."""
    if file.exists():
        raise Failed(
            f"{file} exists already; it was left as it is.",
            code="bundle_exists",
            details={"file": str(file)},
            actions=("Name another file: embctl doctor --bundle FILE",),
        )
    if not file.absolute().parent.is_dir():
        raise Failed(
            f"There is no folder {file.absolute().parent} to write {file.name} into.",
            code="bundle_unwritable",
            details={"file": str(file)},
            actions=("Name a file in a folder that exists: embctl doctor --bundle FILE",),
        )


def _write(file: Path, content: bytes) -> None:
    """Whole or not at all, for the user alone, and never over another file."""
    try:
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY, 0o600), "wb") as written:
            try:
                written.write(content)
                written.flush()
            except BaseException:
                with suppress(OSError):
                    file.unlink()
                raise
    except OSError as error:
        raise Failed(
            f"{file} could not be written: {error.strerror or error}.",
            code="bundle_unwritable",
            details={"file": str(file)},
            actions=("Name a file elsewhere: embctl doctor --bundle FILE",),
        ) from error
