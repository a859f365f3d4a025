"""The command `doctor` around an engine in memory: its verdicts, its repairs and its exit codes."""

import io
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from embctl.errors import Failed
from embctl.flows.context import Context
from embctl.flows.doctor import doctor
from embctl.flows.editor_choice import Machine
from embctl.flows.start import start
from embctl.flows.stop import stop
from embctl.model import ContainerState, Label, Port
from embctl.outcomes import Diagnosis, Finding, Verdict
from embctl.report.choose import choose_reporter
from embctl.result import Result
from embctl.vscode.hotkeys import System
from fakes.contexts import context_on
from fakes.fake_engine import FakeEngine
from fakes.http_services import http_services
from fakes.scenes import NOBODY
from fakes.stacks import make_stack, with_service


@dataclass(slots=True, kw_only=True)
class Scene:
    """A project on an engine in memory; `asked` are the questions, all of which get the `answer`."""

    context: Context
    engine: FakeEngine
    machine: Machine
    asked: list[str] = field(default_factory=list)
    answer: bool = True

    def doctor(self, *, fix: bool = False) -> Result[Diagnosis]:
        def confirm(question: str) -> bool:
            self.asked.append(question)
            return self.answer

        return doctor(replace(self.context, confirm=confirm), self.machine, "linux", fix=fix)

    def finding(self, name: str, result: Result[Diagnosis] | None = None) -> Finding:
        found = (result or self.doctor()).data.findings
        return next(each for each in found if each.id == name)


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    engine = FakeEngine()
    machine = Machine(
        env={}, home=tmp_path / "home", system=System.LINUX, called="embctl", executable="/nowhere/python"
    )
    spec = make_stack()
    with http_services() as http:
        for name, number in (("qdrant", http.qdrant_port), ("jina", http.jina_port)):
            port = Port(host_ip="127.0.0.1", published=number, target=number)
            spec = with_service(spec, replace(spec.service(name), ports=(port,)))
        with context_on(engine, spec, tmp_path) as context:
            yield Scene(context=context, engine=engine, machine=machine)


def test_a_check_that_fails_is_the_exit_code_and_no_error(scene: Scene) -> None:
    port = scene.context.spec.service("qdrant").ports[0].published
    scene.engine.add_process(port, "nginx", 7)
    result = scene.doctor()
    assert (result.exit_code, result.error) == (1, None)
    assert scene.finding("ports.qdrant", result).verdict is Verdict.FAIL


def test_warnings_alone_are_no_failure(scene: Scene) -> None:
    result = scene.doctor()
    assert scene.finding("containers.qdrant", result).verdict is Verdict.WARN
    assert (result.exit_code, result.changed) == (0, False)
    assert scene.engine.mutations == []


def test_without_any_engine_the_rest_is_looked_at(scene: Scene) -> None:
    def nobody() -> FakeEngine:
        raise NOBODY

    scene.context = replace(scene.context, connect=nobody)
    result = scene.doctor()
    assert result.exit_code == 1
    assert scene.finding("engine.reachable", result).verdict is Verdict.FAIL
    assert scene.finding("containers.drift", result).verdict is Verdict.SKIPPED


def test_an_engine_whose_state_cannot_be_read_is_named(scene: Scene) -> None:
    scene.engine.fail("observe", Failed("A record cannot be read: /x.", code="engine_refused", actions=("rm /x",)))
    seen = scene.finding("engine.reachable")
    assert (seen.verdict, seen.evidence, seen.fix) == (Verdict.FAIL, "A record cannot be read: /x.", "rm /x")


def test_fix_starts_what_is_down_once_that_is_agreed_to(scene: Scene) -> None:
    start(scene.context, ("qdrant", "jina"), wait=False)
    stop(scene.context, ("jina",))
    result = scene.doctor(fix=True)
    assert scene.asked == ["Start jina?"]
    assert scene.engine.named("embctl-jina").state is ContainerState.RUNNING
    assert result.changed


def test_fix_changes_nothing_that_is_not_agreed_to(scene: Scene) -> None:
    scene.answer = False
    result = scene.doctor(fix=True)
    assert scene.engine.mutations == []
    assert not result.changed
    assert [repair.done for repair in result.data.repairs] == [False, False]
    assert "--yes" in result.data.repairs[0].detail


def test_fix_removes_what_an_interrupted_run_left_behind_and_nothing_else(scene: Scene) -> None:
    start(scene.context, ("qdrant", "jina"), wait=False)
    own = {Label.PROJECT.value: "embctl"}
    scene.engine.add_container("embctl-jina-run-1", labels=own, state=ContainerState.EXITED)
    before = set(scene.engine.volumes)
    result = scene.doctor(fix=True)
    assert scene.finding("containers.leftovers", result).verdict is Verdict.OK
    assert [each.name for each in scene.engine.containers.values()] == ["embctl-qdrant", "embctl-jina"]
    assert set(scene.engine.volumes) == before


def test_a_repair_that_fails_says_why_and_is_no_end_of_the_others(scene: Scene) -> None:
    scene.engine.fail("pull_image", Failed("No such image.", code="pull_failed"))
    result = scene.doctor(fix=True)
    first = result.data.repairs[0]
    assert (first.remedy.subject, first.done, first.detail) == ("qdrant", False, "No such image.")
    assert scene.asked == ["Start qdrant?", "Start jina?"]


def test_people_read_what_was_seen_what_to_do_and_how_much_of_each(scene: Scene) -> None:
    out, err = io.StringIO(), io.StringIO()
    reporter = choose_reporter("text", quiet=False, timestamps=False, stdout=out, stderr=err)
    reporter.finish(scene.doctor())
    text = out.getvalue()
    assert "containers.jina" in text
    assert "→ Start it: embctl start jina" in text
    assert " warn · 0 fail · " in text
