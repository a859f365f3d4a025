"""The use cases on an engine in memory and services on real sockets: what each changes, waits for and says."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from embctl.clock import SystemClock
from embctl.errors import ConfirmationNeeded, Conflict, Failed, NotReady
from embctl.events import Event, Note, StageReached
from embctl.flows.change import preview
from embctl.flows.context import Context
from embctl.flows.locking import project_lock
from embctl.flows.logs import logs
from embctl.flows.pull import pull
from embctl.flows.start import start
from embctl.flows.status import status
from embctl.flows.stop import down, stop
from embctl.flows.warm import wait, warmup
from embctl.http import Http
from embctl.model import ContainerState, LogLine, Port
from embctl.outcomes import Changed, Planned, Started
from embctl.plan import Goal, Request
from fakes.fake_clock import FakeClock
from fakes.fake_engine import Behaviour, FakeEngine
from fakes.http_services import HttpServices, http_services
from fakes.stacks import make_stack, with_service
from settings_layers import from_layers

ALL = ("qdrant", "jina")


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def services() -> Iterator[HttpServices]:
    with http_services() as running:
        yield running


@pytest.fixture
def events() -> list[Event]:
    return []


@pytest.fixture
def context(engine: FakeEngine, services: HttpServices, events: list[Event], tmp_path: Path) -> Iterator[Context]:
    spec = make_stack()
    for name, port in (("qdrant", services.qdrant_port), ("jina", services.jina_port)):
        published = (Port(host_ip="127.0.0.1", published=port, target=port),)
        spec = with_service(spec, replace(spec.service(name), ports=published))
    settings = from_layers(tmp_path, flags={"timeout": 30})
    with Http() as http:
        yield Context(
            settings=settings,
            spec=spec,
            connect=lambda: engine,
            http=http,
            clock=SystemClock(),
            emit=events.append,
            cancel=threading.Event(),
            state_dir=tmp_path / "state",
            remembered_file=tmp_path / "remembered.toml",
            wait_for_lock=True,
            confirm=lambda _: False,
            dimension=None,
        )


def test_start_makes_everything_ready_and_says_what_each_service_is(context: Context) -> None:
    result = start(context, ALL)
    assert isinstance(result.data, Started)
    assert result.changed
    assert [(s.service, s.stage) for s in result.data.services] == [("qdrant", "warm"), ("jina", "warm")]
    assert result.data.services[1].facts["dimension"] == 4
    assert result.data.services[0].facts["points"] == {"ws-1": 7}


def test_a_second_start_changes_nothing(context: Context, engine: FakeEngine) -> None:
    start(context, ALL)
    before = list(engine.mutations)
    second = start(context, ALL)
    assert not second.changed
    assert engine.mutations == before


def test_the_four_steps_are_told_in_order(context: Context, events: list[Event]) -> None:
    start(context, ("jina",))
    steps = [event.stage for event in events if isinstance(event, StageReached)]
    assert steps == ["created", "listening", "loaded", "warm"]


def test_which_engine_was_chosen_by_itself_is_told_with_its_origin(context: Context, events: list[Event]) -> None:
    start(context, ("qdrant",), wait=False)
    told = [event.message for event in events if isinstance(event, Note)]
    assert told == ["docker runtime: Fake Engine 1.0 answers (test)"]


def test_without_warmup_no_embedding_is_asked_for(context: Context, services: HttpServices) -> None:
    result = start(context, ("jina",), warmup=False)
    assert isinstance(result.data, Started)
    assert ("POST", "/v1/embeddings") not in services.requests
    assert result.data.services[0].stage == "loaded"


def test_without_waiting_nothing_is_asked(context: Context, services: HttpServices) -> None:
    start(context, ALL, wait=False)
    assert services.requests == []


def test_a_dry_run_plans_and_changes_nothing(context: Context, engine: FakeEngine) -> None:
    result = start(context, ALL, dry_run=True)
    assert isinstance(result.data, Planned)
    assert result.data.plan
    assert engine.mutations == []


def test_a_service_that_dies_at_once_is_an_error_with_its_last_lines(context: Context, engine: FakeEngine) -> None:
    engine.behave("jina", Behaviour(lines=("no such model",), exit_code=1))
    with pytest.raises(NotReady, match="exited with code 1 before it was ready: no such model") as caught:
        start(context, ALL)
    assert caught.value.code == "service_exited"
    assert caught.value.details["log"] == ["no such model"]


def test_a_service_killed_for_memory_names_its_limit(context: Context, engine: FakeEngine) -> None:
    engine.behave("jina", Behaviour(exit_code=137, oom_killed=True))
    with pytest.raises(NotReady, match="memory limit of 1024 MiB") as caught:
        start(context, ("jina",))
    assert caught.value.code == "out_of_memory"


def test_a_service_that_stays_silent_times_out_with_what_was_last_seen(
    context: Context, services: HttpServices
) -> None:
    services.answers["GET", "/readyz"] = (503, {"status": "loading", "detail": "reading weights"})
    with pytest.raises(NotReady, match="reading weights") as caught:
        start(replace(context, clock=FakeClock()), ("jina",))
    assert caught.value.code == "timed_out"
    assert caught.value.retryable


def test_what_failed_leaves_the_other_service_running(context: Context, engine: FakeEngine) -> None:
    engine.fail("build_image", Failed("no space left", code="no_space"))
    with pytest.raises(Failed, match="no space"):
        start(context, ALL)
    assert engine.named("embctl-qdrant").alive


def test_restart_starts_again_what_runs(context: Context, engine: FakeEngine) -> None:
    start(context, ALL)
    result = start(context, ("qdrant",), restart=True)
    assert result.command == "restart"
    assert engine.mutations[-2:] == [("stop_container", "embctl-qdrant"), ("start_container", "embctl-qdrant")]


def test_stop_keeps_containers_and_volumes(context: Context, engine: FakeEngine) -> None:
    start(context, ALL)
    assert stop(context, ("jina",)).changed
    assert engine.named("embctl-jina").state is ContainerState.EXITED
    assert engine.named("embctl-qdrant").alive
    assert len(engine.volumes) == 2


def test_down_with_volumes_asks_first_and_a_no_changes_nothing(context: Context, engine: FakeEngine) -> None:
    start(context, ALL)
    before = list(engine.mutations)
    with pytest.raises(ConfirmationNeeded, match="embctl-qdrant-data"):
        down(context, volumes=True)
    assert engine.mutations == before


def test_down_with_volumes_removes_all_once_confirmed(context: Context, engine: FakeEngine) -> None:
    start(context, ALL)
    down(replace(context, confirm=lambda _: True), volumes=True)
    assert (engine.containers, engine.volumes, engine.networks) == ({}, {}, {})


def test_down_without_volumes_asks_nothing_and_keeps_them(context: Context, engine: FakeEngine) -> None:
    start(context, ALL)
    down(context)
    assert engine.containers == {}
    assert len(engine.volumes) == 2


def test_pull_fetches_images_and_model_and_starts_nothing(context: Context, engine: FakeEngine) -> None:
    result = pull(context, ALL)
    assert isinstance(result.data, Changed)
    made = {method for method, _ in engine.mutations}
    assert made == {"pull_image", "build_image", "create_network", "create_volume", "run_once"}
    assert engine.containers == {}


def test_wait_and_warmup_name_a_service_that_was_never_started(context: Context) -> None:
    for flow in (wait, warmup):
        with pytest.raises(NotReady, match="nothing in the project embctl") as caught:
            flow(context, ("jina",))
        assert caught.value.code == "not_started"


def test_waiting_for_a_stopped_service_is_refused_at_once(context: Context) -> None:
    start(context, ALL)
    stop(context, ("jina",))
    with pytest.raises(NotReady, match="it is exited") as caught:
        wait(context, ALL)
    assert caught.value.code == "not_started"


def test_warmup_asks_for_a_real_vector(context: Context, services: HttpServices) -> None:
    start(context, ("jina",), warmup=False)
    assert warmup(context, ("jina",)).data.services[0].stage == "warm"
    assert ("POST", "/v1/embeddings") in services.requests


def test_status_of_nothing_is_absent_services(context: Context) -> None:
    found = status(context, ALL).data.services
    assert [(s.service, s.state, s.stage) for s in found] == [("qdrant", "absent", None), ("jina", "absent", None)]


def test_what_runs_is_asked_at_the_port_that_it_was_made_with(context: Context, services: HttpServices) -> None:
    start(context, ALL)
    spec = context.spec
    for service in spec.services:
        moved = (Port(host_ip="127.0.0.1", published=1, target=service.ports[0].target),)
        spec = with_service(spec, replace(service, ports=moved, config_hash="moved"))
    later = replace(context, spec=spec)
    found = status(later, ALL).data.services
    assert [service.stage for service in found] == ["warm", "warm"]
    assert found[0].url == f"http://127.0.0.1:{services.qdrant_port}"
    assert wait(later, ALL).data.services[1].url == f"http://127.0.0.1:{services.jina_port}"


def test_status_of_a_running_stack_has_its_figures(context: Context) -> None:
    start(context, ALL)
    qdrant, jina = status(context, ALL).data.services
    assert (qdrant.state, qdrant.stage, qdrant.facts["version"]) == ("running", "warm", "1.19.0")
    assert jina.facts["model"]
    assert jina.memory
    assert jina.memory_limit == 2**30


def test_status_asks_a_busy_server_for_no_work(context: Context, services: HttpServices) -> None:
    start(context, ALL, wait=False)
    assert status(context, ALL).data.services[1].stage == "warm"
    assert ("POST", "/v1/embeddings") not in services.requests


def test_a_server_that_has_not_embedded_yet_is_loaded_but_not_warm(context: Context, services: HttpServices) -> None:
    services.answers["GET", "/info"][1]["counters"]["texts"] = 0
    start(context, ALL, wait=False)
    assert status(context, ALL).data.services[1].stage == "loaded"


def test_status_says_when_the_definition_has_changed(context: Context) -> None:
    start(context, ALL)
    newer = with_service(context.spec, replace(context.spec.service("jina"), config_hash="newer"))
    qdrant, jina = status(replace(context, spec=newer), ALL).data.services
    assert (qdrant.drifted, jina.drifted) == (False, True)


def test_the_logs_of_several_services_are_interleaved_by_time(context: Context, engine: FakeEngine) -> None:
    start(context, ALL)
    engine.say("embctl-jina", "one")
    engine.say("embctl-qdrant", "two")
    engine.say("embctl-jina", "three")
    lines: list[LogLine] = []
    result = logs(context, ALL, lines.append)
    assert [line.text for line in lines] == ["one", "two", "three"]
    assert result.data.lines == 3


def test_logs_of_an_absent_service_are_a_warning(context: Context) -> None:
    assert logs(context, ("jina",), lambda _: None).warnings == ("jina does not exist yet, so it has no log",)


def test_a_plan_with_changes_has_the_verdict_ten_when_asked(context: Context) -> None:
    request = Request(goal=Goal.UP, services=ALL)
    assert preview(context, "plan", request, exit_code=True).exit_code == 10
    assert preview(context, "plan", request).exit_code == 0


def test_a_held_lock_is_a_conflict_that_names_its_holder(context: Context) -> None:
    with project_lock(context), pytest.raises(Conflict, match="pid") as caught:
        start(replace(context, wait_for_lock=False), ALL)
    assert caught.value.code == "locked"


def test_a_held_lock_is_waited_for_with_a_message(context: Context, events: list[Event]) -> None:
    holding, release = threading.Event(), threading.Event()

    def hold() -> None:
        with project_lock(context):
            holding.set()
            release.wait(timeout=30)

    holder = threading.Thread(target=hold)
    holder.start()
    holding.wait(timeout=30)
    clock = FakeClock()
    clock.at(0.1, release.set)
    clock.at(0.3, holder.join)
    start(replace(context, clock=clock), ("qdrant",), wait=False)
    assert next(event.message for event in events if isinstance(event, Note)).startswith("waiting: another embctl")


def test_a_lock_does_not_hold_another_project(context: Context) -> None:
    with project_lock(context):
        other = replace(context, spec=make_stack("other"), wait_for_lock=False)
        assert start(other, ("qdrant",), wait=False).changed


def test_an_interrupt_ends_a_wait(context: Context, services: HttpServices) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    services.answers["GET", "/readyz"] = (503, {"status": "loading"})
    clock = FakeClock()
    clock.at(2, interrupt)
    with pytest.raises(KeyboardInterrupt):
        start(replace(context, clock=clock), ("jina",))


def test_a_service_that_dies_is_told_while_the_other_still_loads(
    context: Context, engine: FakeEngine, services: HttpServices
) -> None:
    services.answers["GET", "/collections"] = (503, {"status": "loading"})
    engine.behave("jina", Behaviour(lines=("no such model",), exit_code=1))
    with pytest.raises(NotReady, match="jina exited with code 1"):
        start(context, ALL)


def test_the_lock_is_free_while_a_start_waits(context: Context, engine: FakeEngine, services: HttpServices) -> None:
    def stop_it() -> None:
        stop(replace(context, wait_for_lock=False), ("jina",))

    services.answers["GET", "/readyz"] = (503, {"status": "loading"})
    clock = FakeClock()
    clock.at(2, stop_it)
    with pytest.raises(NotReady, match="jina"):
        start(replace(context, clock=clock), ("jina",))
    assert not engine.named("embctl-jina").alive


def test_a_second_pull_finds_the_model_there(context: Context, engine: FakeEngine) -> None:
    engine.behave("jina", Behaviour(once_lines=('{"event": "progress", "done": 1, "total": 2}',)))
    assert pull(context, ALL).changed
    engine.behave("jina", Behaviour(once_lines=('{"event": "fetched"}',)))
    assert not pull(context, ALL).changed


def test_down_with_volumes_asks_nothing_where_there_are_none(context: Context) -> None:
    assert not down(context, volumes=True).changed


def test_services_of_a_remote_engine_are_not_looked_for_on_this_machine(
    context: Context, engine: FakeEngine, services: HttpServices
) -> None:
    here = engine.info()
    away = replace(here, local=False)
    engine.info = lambda: away  # type: ignore[method-assign]  # the engine goes away
    result = start(context, ALL)
    assert services.requests == []
    assert "ssh -N -L" in result.warnings[0]
    assert status(context, ALL).data.services[0].stage is None
    with pytest.raises(Failed, match="another machine"):
        wait(context, ALL)
