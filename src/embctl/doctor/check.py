"""A check as data, and what it may come to. A check judges facts; it looks at nothing by itself."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from embctl.outcomes import Finding, Remedy, Verdict

__all__ = ["Check", "Judgement", "fail", "ok", "skipped", "warn"]

F = TypeVar("F")


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """A verdict with its reason; see `Finding`, which is this under a check's name."""

    verdict: Verdict
    evidence: str
    fix: str = ""
    remedies: tuple[Remedy, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Check(Generic[F]):
    """`judge` is pure; `looks_at` is half a sentence for the documentation."""

    id: str
    looks_at: str
    judge: Callable[[F], Judgement]

    def finding(self, facts: F) -> Finding:
        """What the facts come to. A check that breaks has seen nothing, and must not hide the others."""
        try:
            found = self.judge(facts)
        except Exception as error:  # noqa: BLE001 - see above
            found = skipped(f"the check itself broke: {type(error).__name__}: {error}")
        return self.named(found)

    def named(self, found: Judgement) -> Finding:
        """The judgement under this check's name."""
        return Finding(
            id=self.id, verdict=found.verdict, evidence=found.evidence, fix=found.fix, remedies=found.remedies
        )


def ok(evidence: str) -> Judgement:
    """All is well."""
    return Judgement(verdict=Verdict.OK, evidence=evidence)


def warn(evidence: str, fix: str, *remedies: Remedy) -> Judgement:
    """It works, and deserves attention."""
    return Judgement(verdict=Verdict.WARN, evidence=evidence, fix=fix, remedies=remedies)


def fail(evidence: str, fix: str, *remedies: Remedy) -> Judgement:
    """It does not work."""
    return Judgement(verdict=Verdict.FAIL, evidence=evidence, fix=fix, remedies=remedies)


def skipped(reason: str) -> Judgement:
    """Nothing could be seen, or there was nothing to see."""
    return Judgement(verdict=Verdict.SKIPPED, evidence=reason)
