"""Why a service is down or keeps dying: what `status` tells of it, and what that costs."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from embctl.errors import Failed
from embctl.flows.context import Context
from embctl.flows.start import start
from embctl.flows.status import status
from embctl.flows.stop import stop
from embctl.model import ContainerState, Health, Port
from embctl.outcomes import ServiceStatus
from fakes.contexts import context_on
from fakes.fake_container import FakeContainer
from fakes.fake_engine import Behaviour, FakeEngine
from fakes.http_services import HttpServices, http_services
from fakes.stacks import make_stack, with_service

JINA = "embctl-jina"
GAVE_UP = '{"event": "start_failed", "detail": "no such model"}'


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Jina on an engine in memory, its socket a real one."""

    context: Context
    engine: FakeEngine
    http: HttpServices

    def start(self, behaviour: Behaviour) -> FakeContainer:
        self.engine.behave("jina", behaviour)
        start(self.context, ("jina",), wait=False)
        return self.engine.named(JINA)

    def look(self) -> ServiceStatus:
        (jina,) = status(self.context, ("jina",)).data.services
        return jina

    def logs_read(self) -> int:
        return self.engine.calls.count(("logs", JINA))


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    engine, spec = FakeEngine(), make_stack()
    with http_services() as http:
        port = Port(host_ip="127.0.0.1", published=http.jina_port, target=http.jina_port)
        spec = with_service(spec, replace(spec.service("jina"), ports=(port,)))
        with context_on(engine, spec, tmp_path) as context:
            yield Scene(context=context, engine=engine, http=http)


def brought_up_again(scene: Scene, *, said: str = "") -> None:
    """The restart policy did it, a moment ago: a server that does not serve yet."""
    container = scene.start(Behaviour(lines=(GAVE_UP,)))
    container.restarts, container.started_at = 1, scene.engine._now()
    if said:
        scene.engine.say(JINA, said)
    scene.http.answers["GET", "/readyz"] = (503, {"status": "loading", "detail": "reading weights"})


def test_a_container_in_a_crash_loop_shows_its_servers_own_words_and_exit_code(scene: Scene) -> None:
    scene.start(Behaviour(lines=("starting", GAVE_UP, '{"event": "bye"}'), exit_code=3))
    seen = scene.look()
    assert (seen.state, seen.detail, seen.exit_code) == (ContainerState.RESTARTING, "no such model", 3)


def test_a_container_that_exited_with_an_error_shows_the_last_line_of_any_other_program(scene: Scene) -> None:
    container = scene.start(Behaviour(lines=("thread main panicked",)))
    container.end(101)
    seen = scene.look()
    assert (seen.detail, seen.exit_code) == ("thread main panicked", 101)


def test_what_the_engine_says_of_the_end_goes_before_the_last_line_of_the_log(scene: Scene) -> None:
    container = scene.start(Behaviour(lines=("listening",)))
    container.end(255)
    container.error = "nobody saw it end"
    assert scene.look().detail == "nobody saw it end"


def test_a_server_that_was_brought_up_again_shows_what_is_missing_and_why_it_died_before(scene: Scene) -> None:
    brought_up_again(scene, said="starting once more")
    assert scene.look().detail == "loading: reading weights; before that it died: no such model"


def test_words_of_the_present_run_are_no_last_words(scene: Scene) -> None:
    brought_up_again(scene)
    scene.engine.say(JINA, *(f"layer {number}" for number in range(20)))
    assert scene.look().detail == "loading: reading weights"


def test_a_server_that_serves_again_is_not_reproached(scene: Scene) -> None:
    brought_up_again(scene)
    scene.http.answers["GET", "/readyz"] = (200, {"status": "ready"})
    assert scene.look().detail == ""
    assert scene.logs_read() == 0


def test_on_another_machine_the_engines_own_check_says_that_it_serves_again(scene: Scene) -> None:
    brought_up_again(scene)
    away = replace(scene.engine.info(), local=False)
    scene.engine.info = lambda: away  # type: ignore[method-assign]  # the engine goes away
    assert scene.look().detail == "before that it died: no such model"
    scene.engine.named(JINA).health = Health.HEALTHY
    assert scene.look().detail == ""


def test_a_service_that_was_stopped_has_no_last_words(scene: Scene) -> None:
    scene.start(Behaviour(lines=("listening",)))
    stop(scene.context, ("jina",))
    seen = scene.look()
    assert (seen.state, seen.detail) == (ContainerState.EXITED, "")
    assert scene.logs_read() == 0


def test_a_service_without_its_supervisor_is_said_to_be_until_a_start_gives_it_one(scene: Scene) -> None:
    container = scene.start(Behaviour(lines=("listening",)))
    assert not scene.look().unsupervised
    container.unsupervised = True
    assert scene.look().unsupervised
    start(scene.context, ("jina",), wait=False)
    assert not scene.look().unsupervised


def test_only_a_container_that_died_costs_a_look_into_its_log(scene: Scene) -> None:
    container = scene.start(Behaviour(lines=("listening",)))
    scene.look()
    assert scene.logs_read() == 0
    container.end(1)
    scene.look()
    assert scene.logs_read() == 1


def test_a_log_that_cannot_be_read_does_not_hide_the_status(scene: Scene) -> None:
    scene.start(Behaviour(exit_code=3))
    scene.engine.fail("logs", Failed("The log driver does not support reading.", code="engine_refused"))
    seen = scene.look()
    assert (seen.detail, seen.exit_code) == ("", 3)
