"""Carries out what `doctor` may put right: flows that exist by themselves, each after a yes. Deletes no data."""

from collections.abc import Iterable

from embctl.errors import EmbctlError
from embctl.flows.change import carry_out
from embctl.flows.context import Context
from embctl.flows.editor_choice import Choice, Machine
from embctl.flows.editors import install
from embctl.flows.start import start
from embctl.outcomes import Finding, Remedy, RemedyKind, Repair
from embctl.plan import Goal, Request

__all__ = ["repair"]


def repair(context: Context, machine: Machine, findings: Iterable[Finding]) -> tuple[Repair, ...]:
    """Each remedy once; one that fails, or is not agreed to, does not keep the others from being tried."""
    remedies = dict.fromkeys(remedy for finding in findings for remedy in finding.remedies)
    return tuple(_tried(context, machine, remedy) for remedy in remedies)


def _tried(context: Context, machine: Machine, remedy: Remedy) -> Repair:
    if not context.confirm(_question(remedy)):
        return Repair(remedy=remedy, done=False, detail="not confirmed; with --yes nobody is asked")
    try:
        _carry_out(context, machine, remedy)
    except EmbctlError as error:
        return Repair(remedy=remedy, done=False, detail=error.message)
    return Repair(remedy=remedy, done=True, detail="")


def _question(remedy: Remedy) -> str:
    match remedy.kind:
        case RemedyKind.START:
            return f"Start {remedy.subject}?"
        case RemedyKind.TIDY:
            return f"Remove {remedy.subject}, left behind by an interrupted run?"
        case RemedyKind.HOTKEYS:
            return f"Renew embctl's tasks and hotkeys in {remedy.subject} {remedy.profile}".rstrip() + "?"


def _carry_out(context: Context, machine: Machine, remedy: Remedy) -> None:
    match remedy.kind:
        case RemedyKind.START:
            start(context, (remedy.subject,))
        case RemedyKind.TIDY:
            # Bringing up nothing begins, as every start does, with the removal of what was left over.
            carry_out(context, Request(goal=Goal.UP, services=()))
        case RemedyKind.HOTKEYS:
            result = install(context, machine, Choice(editors=(remedy.subject,), profile=remedy.profile))
            if result.error:
                raise result.error
