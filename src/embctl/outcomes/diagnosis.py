"""What the doctor found, and what it did about it."""

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Diagnosis", "Finding", "Remedy", "RemedyKind", "Repair", "Verdict"]


class Verdict(StrEnum):
    """What a check came to. SKIPPED is one that could not look, or had nothing to look at: it is never OK."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"
    SKIPPED = "skipped"


class RemedyKind(StrEnum):
    """What embctl can put right by itself; none of them deletes data."""

    START = "start"
    TIDY = "tidy"
    HOTKEYS = "hotkeys"


@dataclass(frozen=True, slots=True, kw_only=True)
class Remedy:
    """A repair that embctl offers: start the service `subject`, remove the project's leftovers, or renew the tasks and
    keybindings of the editor `subject` in its `profile`."""

    kind: RemedyKind
    subject: str
    profile: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One check: `evidence` is what was seen, or for SKIPPED why nothing was; `fix` what to do, empty for nothing;
    `remedies` what `--fix` would do."""

    id: str
    verdict: Verdict
    evidence: str
    fix: str
    remedies: tuple[Remedy, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """What became of a remedy; `detail` says why it was not `done`."""

    remedy: Remedy
    done: bool
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """All findings, after the repairs where there were some; `bundle` is the file that was written, if one was."""

    findings: tuple[Finding, ...]
    repairs: tuple[Repair, ...]
    bundle: str | None
