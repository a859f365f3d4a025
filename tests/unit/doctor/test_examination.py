"""Looks side by side: one that fails, breaks or hangs hides no other, and is never taken for good news."""

from collections.abc import Callable
from pathlib import Path
from threading import Event

import pytest

from embctl.clock import SystemClock
from embctl.doctor.check import Check, Judgement, ok
from embctl.doctor.examination import Examination, examine
from embctl.doctor.scene import Scene
from embctl.errors import Failed
from embctl.outcomes import Finding, Verdict
from fakes.scenes import make_scene


def examination(noun: str, look: Callable[[Scene], str], judge: Callable[[str], Judgement] = ok) -> Examination[str]:
    return Examination(noun=noun, look=look, checks=(Check(id=f"{noun}.x", looks_at="nothing", judge=judge),))


def broken(_: object) -> str:
    raise ZeroDivisionError("by zero")


def refused(_: object) -> str:
    raise Failed("The database said no.", code="database_failed")


def broken_judge(_: str) -> Judgement:
    raise KeyError("version")


def examine_all(folder: Path, *chosen: Examination[str], seconds: float = 60.0) -> list[Finding]:
    with make_scene(folder) as scene:
        return list(examine(chosen, scene, SystemClock(), seconds))


WELL = examination("well", lambda _: "seen")


@pytest.mark.parametrize(
    ("sick", "reason"),
    [
        (examination("sick", broken), "the look itself broke: ZeroDivisionError: by zero"),
        (examination("sick", refused), "The database said no."),
        (examination("sick", lambda _: "", broken_judge), "the check itself broke: KeyError: 'version'"),
    ],
)
def test_what_breaks_is_skipped_with_its_reason_and_hides_nothing(
    tmp_path: Path, sick: Examination[str], reason: str
) -> None:
    first, second = examine_all(tmp_path, sick, WELL)
    assert (first.id, first.verdict, first.evidence) == ("sick.x", Verdict.SKIPPED, reason)
    assert (second.id, second.verdict, second.evidence) == ("well.x", Verdict.OK, "seen")


def test_what_hangs_is_skipped_when_its_time_is_up_and_hides_nothing(tmp_path: Path) -> None:
    never = Event()

    def hang(_: Scene) -> str:
        never.wait()
        return ""

    first, second = examine_all(tmp_path, examination("sick", hang), WELL, seconds=1.0)
    never.set()
    assert (first.verdict, first.evidence) == (Verdict.SKIPPED, "no answer within 1 s")
    assert second.verdict is Verdict.OK


def test_looks_go_on_side_by_side(tmp_path: Path) -> None:
    met = Event()

    def wait(_: Scene) -> str:
        return "met" if met.wait(60) else "alone"

    def come(_: Scene) -> str:
        met.set()
        return "met"

    assert {found.evidence for found in examine_all(tmp_path, examination("a", wait), examination("b", come))} == {
        "met"
    }
