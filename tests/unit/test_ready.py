"""The wait for a service and its three verdicts."""

from dataclasses import replace
from threading import Event as Flag

import pytest

from embctl.errors import EngineUnreachable, Interrupted
from embctl.events import Event, Stage, StageProgress, StageReached
from embctl.http import Reply
from embctl.model import ContainerState
from embctl.ready import Endpoint, Verdict, wait_until_ready
from fakes.fake_clock import FakeClock
from fakes.fake_engine import Behaviour, FakeEngine
from fakes.scripted_http import ScriptedHttp, json_reply
from fakes.stacks import make_stack

NAME = "embctl-jina"
ENDPOINT = Endpoint(service="jina", url="http://127.0.0.1:4000")
ALIVE = json_reply({"status": "alive"})
READY = json_reply({"status": "ready"})
DOWNLOADING = json_reply({"status": "downloading", "detail": "", "done": 1, "total": 2}, 503)
LOADING = json_reply({"status": "loading"}, 503)
VECTOR = Reply(status=200, body={"data": [{"embedding": [1.0, 0.0]}]}, text="")


class Scene:
    """One container on a fake engine, its service's answers, and a wait of ten seconds for it."""

    def __init__(self, behaviour: Behaviour | None = None, restart: str = "unless-stopped") -> None:
        self.engine = FakeEngine(images=("example/jina:1",))
        self.http = ScriptedHttp()
        self.clock = FakeClock()
        self.cancel = Flag()
        self.events: list[Event] = []
        self.engine.behave("jina", behaviour or Behaviour())
        spec = make_stack()
        self.engine.create_network("embctl", spec.networks[0])
        self.id = self.engine.create_container("embctl", replace(spec.service("jina"), restart=restart))
        self.engine.start_container(self.id)

    def serve(self) -> None:
        """The service becomes ready at once."""
        self.http.answer("/livez", ALIVE)
        self.http.answer("/readyz", READY)
        self.http.answer("/info", json_reply({"dimension": 2}))
        self.http.answer("/v1/embeddings", VECTOR)

    def wait(self, until: Stage = Stage.WARM) -> Verdict:
        return wait_until_ready(
            engine=self.engine,
            container_id=self.id,
            endpoint=ENDPOINT,
            http=self.http,
            clock=self.clock,
            deadline=10.0,
            until=until,
            emit=self.events.append,
            cancel=self.cancel,
        )

    @property
    def stages(self) -> list[tuple[Stage, float]]:
        return [(event.stage, event.seconds) for event in self.events if isinstance(event, StageReached)]


def test_a_ready_service_passes_all_four_steps_and_hands_over_its_facts() -> None:
    scene = Scene()
    scene.serve()
    verdict = scene.wait()
    assert (verdict.outcome, verdict.stage, verdict.facts) == ("ready", Stage.WARM, {"dimension": 2})
    assert [stage for stage, _ in scene.stages] == [Stage.CREATED, Stage.LISTENING, Stage.LOADED, Stage.WARM]


def test_each_step_is_told_once_and_when_it_was_reached() -> None:
    scene = Scene()
    scene.serve()
    scene.http.answer("/livez", None, None, ALIVE)
    scene.http.answer("/readyz", LOADING, LOADING, READY)
    assert scene.wait().seconds == 1.0
    assert scene.stages == [
        (Stage.CREATED, 0.0),
        (Stage.LISTENING, 0.5),
        (Stage.LOADED, 1.0),
        (Stage.WARM, 1.0),
    ]


def test_the_wait_ends_at_the_step_asked_for() -> None:
    scene = Scene()
    scene.serve()
    assert scene.wait(until=Stage.LISTENING).stage is Stage.LISTENING
    assert "/v1/embeddings" not in scene.http.asked


def test_a_download_is_told_when_it_moves() -> None:
    scene = Scene()
    scene.serve()
    scene.http.answer("/readyz", DOWNLOADING, DOWNLOADING, READY)
    scene.wait()
    told = [event.progress for event in scene.events if isinstance(event, StageProgress)]
    assert [(progress.done, progress.total) for progress in told] == [(1, 2)]


def test_a_service_that_never_answers_times_out_with_what_was_last_seen() -> None:
    scene = Scene(Behaviour(lines=("starting",)))
    verdict = scene.wait()
    assert (verdict.outcome, verdict.stage) == ("timed_out", Stage.CREATED)
    assert (verdict.seconds, verdict.last_seen, verdict.log_tail) == (10.0, "connection refused", ("starting",))


def test_a_paused_container_is_named_when_time_is_up() -> None:
    scene = Scene()
    scene.engine.pause(scene.id)
    assert scene.wait().last_seen == "it is paused"


def test_an_instantly_dying_container_is_seen_at_once() -> None:
    scene = Scene(Behaviour(exit_code=3, lines=tuple(f"line {number}" for number in range(30))), restart="no")
    verdict = scene.wait()
    assert (verdict.outcome, verdict.exit_code, verdict.seconds) == ("exited", 3, 0.0)
    assert verdict.log_tail == tuple(f"line {number}" for number in range(10, 30))
    assert scene.http.asked == []


def test_a_crash_loop_is_an_exit_although_the_engine_keeps_trying() -> None:
    verdict = Scene(Behaviour(exit_code=1)).wait()
    assert (verdict.outcome, verdict.exit_code, verdict.seconds) == ("exited", 1, 0.0)


def test_a_kill_for_memory_is_told_as_such() -> None:
    scene = Scene()
    scene.clock.at(2.0, lambda: scene.engine.crash(NAME, exit_code=137, oom_killed=True))
    verdict = scene.wait()
    assert (verdict.outcome, verdict.exit_code, verdict.oom_killed) == ("exited", 137, True)
    assert verdict.seconds == 2.0


def test_a_restart_between_two_looks_is_not_missed() -> None:
    scene = Scene()

    def restarted() -> None:
        scene.engine.named(NAME).restarts += 1

    scene.clock.at(1.0, restarted)
    scene.clock.at(1.5, lambda: scene.engine.crash(NAME, exit_code=137, oom_killed=True))
    verdict = scene.wait()
    assert (verdict.outcome, verdict.exit_code, verdict.oom_killed) == ("exited", 137, True)


def test_a_restart_whose_exit_code_never_shows_is_still_an_exit() -> None:
    scene = Scene()
    scene.serve()
    scene.http.answer("/readyz", LOADING)

    def restarted() -> None:
        scene.engine.named(NAME).restarts += 1

    scene.clock.at(1.0, restarted)
    verdict = scene.wait()
    assert (verdict.outcome, verdict.exit_code, verdict.restarts) == ("exited", None, 1)
    assert verdict.stage is Stage.LISTENING


def test_restarts_before_the_wait_do_not_count() -> None:
    scene = Scene()
    scene.serve()
    scene.engine.named(NAME).restarts = 5
    assert scene.wait().outcome == "ready"


def test_a_removed_container_ends_the_wait() -> None:
    scene = Scene()

    def removed() -> None:
        scene.engine.stop_container(scene.id, 0.0)
        scene.engine.remove_container(scene.id)

    scene.clock.at(1.0, removed)
    verdict = scene.wait()
    assert (verdict.outcome, verdict.last_seen) == ("exited", "it was removed")


def test_a_container_that_is_stopped_by_somebody_ends_the_wait() -> None:
    scene = Scene()
    scene.clock.at(1.0, lambda: scene.engine.stop_container(scene.id, 1.0))
    verdict = scene.wait()
    assert (verdict.outcome, verdict.last_seen) == ("exited", f"it is {ContainerState.EXITED}")


def test_a_service_that_was_brought_up_again_is_told_with_the_words_of_the_run_that_died() -> None:
    scene = Scene(Behaviour(lines=("loading", "no such model")))

    def brought_up_again() -> None:
        container = scene.engine.named(NAME)
        container.restarts, container.started_at = 1, scene.engine._now()
        scene.engine.say(NAME, "loading")

    scene.clock.at(1.0, brought_up_again)
    verdict = scene.wait()
    assert (verdict.outcome, verdict.log_tail) == ("exited", ("loading", "no such model"))


def test_a_service_that_times_out_is_told_without_the_words_of_earlier_runs() -> None:
    scene = Scene(Behaviour(lines=("starting",)))
    scene.engine.stop_container(scene.id, 1.0)
    scene.engine.behave("jina", Behaviour())
    scene.engine.start_container(scene.id)
    verdict = scene.wait()
    assert (verdict.outcome, verdict.log_tail) == ("timed_out", ())


def test_a_log_that_cannot_be_read_does_not_hide_the_verdict() -> None:
    scene = Scene(Behaviour(exit_code=3), restart="no")
    scene.engine.fail("logs", EngineUnreachable("gone", code="engine_unreachable"))
    verdict = scene.wait()
    assert (verdict.outcome, verdict.log_tail) == ("exited", ())


def test_cancelling_interrupts_the_wait() -> None:
    scene = Scene()
    scene.clock.at(1.0, scene.cancel.set)
    with pytest.raises(Interrupted):
        scene.wait()
    assert scene.clock.monotonic() == 1.0


def test_an_engine_that_goes_away_ends_the_wait_as_such() -> None:
    scene = Scene()

    def gone() -> None:
        scene.engine.unreachable = True

    scene.clock.at(1.0, gone)
    with pytest.raises(EngineUnreachable):
        scene.wait()
