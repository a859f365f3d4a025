"""Containers that died, stopped, drifted or were left behind."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from embctl.doctor.containers import CONTAINERS
from embctl.model import ContainerState, Label
from embctl.outcomes import Finding, Remedy, RemedyKind, Verdict
from fakes.fake_container import FakeContainer
from fakes.fake_engine import FakeEngine
from fakes.scenes import examined, make_scene
from fakes.stacks import make_stack, with_service

START = Remedy(kind=RemedyKind.START, subject="jina")
SPEC = make_stack()


@pytest.fixture
def engine() -> FakeEngine:
    """Jina runs on it, and nothing else."""
    engine = FakeEngine()
    service = replace(SPEC.service("jina"), networks=())
    engine.create_volume(SPEC.project, SPEC.volumes[1])
    engine.add_image(service.image)
    engine.start_container(engine.create_container(SPEC.project, service))
    return engine


def found(folder: Path, engine: FakeEngine) -> dict[str, Finding]:
    with make_scene(folder, engine, spec=SPEC) as scene:
        return examined(CONTAINERS, scene)


def restarting(container: FakeContainer) -> None:
    container.state, container.restarts = ContainerState.RESTARTING, 3


def killed_for_memory(container: FakeContainer) -> None:
    container.end(137)
    container.oom_killed = True


def unsupervised(container: FakeContainer) -> None:
    container.unsupervised = True


def restarted(container: FakeContainer) -> None:
    container.restarts = 2


@pytest.mark.parametrize(
    ("breaking", "verdict", "words"),
    [
        (lambda _: None, Verdict.OK, "jina runs"),
        (lambda container: container.end(143), Verdict.WARN, "exited"),
        (lambda container: container.end(1), Verdict.FAIL, "exit code 1"),
        (killed_for_memory, Verdict.FAIL, "memory limit"),
        (restarting, Verdict.FAIL, "again and again"),
        (unsupervised, Verdict.WARN, "supervisor is gone"),
        (restarted, Verdict.WARN, "2 restarts"),
    ],
)
def test_a_container_is_judged_by_how_it_stands(
    tmp_path: Path, engine: FakeEngine, breaking: Callable[[FakeContainer], None], verdict: Verdict, words: str
) -> None:
    breaking(engine.named("embctl-jina"))
    seen = found(tmp_path, engine)["containers.jina"]
    assert seen.verdict is verdict
    assert words in seen.evidence


@pytest.mark.parametrize(
    ("breaking", "remedies"),
    [
        (lambda container: container.end(143), (START,)),
        (lambda container: container.end(1), (START,)),
        (unsupervised, (START,)),
        (restarting, ()),
        (killed_for_memory, ()),
    ],
)
def test_a_start_is_offered_where_a_start_helps(
    tmp_path: Path, engine: FakeEngine, breaking: Callable[[FakeContainer], None], remedies: tuple[Remedy, ...]
) -> None:
    breaking(engine.named("embctl-jina"))
    assert found(tmp_path, engine)["containers.jina"].remedies == remedies


def test_a_service_that_was_never_created_can_be_started(tmp_path: Path, engine: FakeEngine) -> None:
    seen = found(tmp_path, engine)["containers.qdrant"]
    assert (seen.verdict, seen.remedies) == (Verdict.WARN, (Remedy(kind=RemedyKind.START, subject="qdrant"),))


def test_a_container_made_from_another_definition_is_named(tmp_path: Path, engine: FakeEngine) -> None:
    assert found(tmp_path, engine)["containers.drift"].verdict is Verdict.OK
    changed = with_service(SPEC, replace(SPEC.service("jina"), config_hash="jina-2"))
    with make_scene(tmp_path, engine, spec=changed) as scene:
        seen = examined(CONTAINERS, scene)["containers.drift"]
    assert seen.verdict is Verdict.WARN
    assert seen.evidence.endswith("present one: jina")


def test_what_an_interrupted_run_left_behind_can_be_removed(tmp_path: Path, engine: FakeEngine) -> None:
    own = {Label.PROJECT.value: SPEC.project}
    engine.add_container("embctl-jina-run-1", labels=own, state=ContainerState.EXITED)
    engine.add_container("embctl-jina-run-2", labels=own)  # at work
    seen = found(tmp_path, engine)["containers.leftovers"]
    assert seen.verdict is Verdict.WARN
    assert seen.remedies == (Remedy(kind=RemedyKind.TIDY, subject="embctl-jina-run-1"),)


def test_without_an_engine_nothing_is_said_of_containers(tmp_path: Path) -> None:
    with make_scene(tmp_path) as scene:
        assert {each.verdict for each in examined(CONTAINERS, scene).values()} == {Verdict.SKIPPED}
