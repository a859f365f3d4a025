"""What the server's own check of its files comes to."""

from dataclasses import replace
from pathlib import Path

import pytest

from embctl.doctor.modelcache import MODELCACHE
from embctl.outcomes import Finding, Verdict
from fakes.fake_engine import Behaviour, FakeEngine
from fakes.scenes import examined, make_scene, running_engine
from fakes.stacks import make_stack

SPEC = make_stack()


def found(folder: Path, engine: FakeEngine) -> Finding:
    with make_scene(folder, engine, spec=SPEC) as scene:
        return examined(MODELCACHE, scene)["modelcache.complete"]


@pytest.mark.parametrize(
    ("code", "verdict"),
    [(0, Verdict.OK), (1, Verdict.WARN), (2, Verdict.SKIPPED), (3, Verdict.FAIL), (137, Verdict.SKIPPED)],
)
def test_the_verdict_is_that_of_the_check_with_its_words(tmp_path: Path, code: int, verdict: Verdict) -> None:
    engine = running_engine(SPEC)
    engine.behave(
        "jina", Behaviour(once_lines=('{"event": "x", "detail": "weights are cut off"}',), once_exit_code=code)
    )
    seen = found(tmp_path, engine)
    assert seen.verdict is verdict
    assert ("weights are cut off" in seen.evidence) == (code != 0)


def test_nothing_is_made_for_a_look(tmp_path: Path) -> None:
    engine = FakeEngine(images=(SPEC.service("jina").image,))
    assert found(tmp_path, engine).verdict is Verdict.SKIPPED
    assert engine.mutations == []


def test_without_an_image_there_is_nothing_to_look_with(tmp_path: Path) -> None:
    engine = running_engine(replace(SPEC, services=()))
    assert found(tmp_path, engine).verdict is Verdict.SKIPPED
