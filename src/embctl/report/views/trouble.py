"""What is wrong: the doctor's findings, and an error."""

from rich.console import Group, RenderableType
from rich.text import Text

from embctl.errors import EmbctlError
from embctl.outcomes import Diagnosis, Verdict
from embctl.report.views.view import BAD, BUSY, DIM, GOOD, table_of, view

__all__ = ["error_view"]

_VERDICTS = {Verdict.OK: GOOD, Verdict.WARN: BUSY, Verdict.FAIL: BAD, Verdict.SKIPPED: DIM}


@view.register
def _(data: Diagnosis) -> RenderableType:
    table = table_of("CHECK", "VERDICT", "SEEN")
    for each in data.findings:
        seen = Text(each.evidence, style=DIM if each.verdict in {Verdict.OK, Verdict.SKIPPED} else "")
        if each.fix:
            seen.append("\n→ ", style="cyan").append(each.fix)
        table.add_row(each.id, Text(each.verdict, style=_VERDICTS[each.verdict]), seen)
    counts = {verdict: sum(each.verdict is verdict for each in data.findings) for verdict in Verdict}
    parts: list[RenderableType] = [table]
    for repair in data.repairs:
        subject = f"{repair.remedy.kind} {repair.remedy.subject}"
        parts.append(Text(f"fixed: {subject}" if repair.done else f"not fixed: {subject}: {repair.detail}"))
    parts.append(Text(" · ".join(f"{count} {verdict}" for verdict, count in counts.items()), style="bold"))
    if data.bundle:
        parts.append(Text(f"written for a bug report, without keys and names: {data.bundle}"))
    return Group(*parts)


def error_view(error: EmbctlError) -> RenderableType:
    """What happened and why, the last log lines where there are some, and what to do."""
    text = Text()
    text.append("error: ", style=f"bold {BAD}")
    text.append(error.message)
    for message in error.details.get("also_failed", ()):
        text.append(f"\nalso: {message}")
    for service in error.details.get("restored", ()):
        text.append(f"\n{service} runs again as it did before")
    for line in error.details.get("log", ()):
        text.append(f"\n  | {line}", style=DIM)
    for action in error.actions:
        text.append("\n  → ", style="cyan")
        text.append(action)
    return text
