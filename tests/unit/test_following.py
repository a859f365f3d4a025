"""Followed logs on an engine in memory: through restarts and replacements, each line once, until nothing is left."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from embctl.errors import EngineUnreachable, Failed
from embctl.flows.context import Context
from embctl.flows.logs import logs
from embctl.flows.start import start
from embctl.flows.stop import down, stop
from embctl.model import LogLine, ObservedContainer
from embctl.outcomes import Streamed
from embctl.result import Result
from fakes.contexts import context_on
from fakes.fake_clock import FakeClock
from fakes.fake_engine import Behaviour, FakeEngine
from fakes.stacks import make_stack, with_service

JINA = "embctl-jina"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """The project on the engine; its clock moves only while somebody waits for a container."""

    context: Context
    engine: FakeEngine
    clock: FakeClock
    lines: list[LogLine] = field(default_factory=list)

    @property
    def seen(self) -> list[str]:
        """What came, in order."""
        return [line.text for line in self.lines]

    def start(self, *services: str) -> None:
        start(self.context, services or ("jina",), wait=False)

    def stop(self) -> None:
        stop(self.context, ("jina",))

    def down(self) -> None:
        down(self.context)

    def start_and_say(self, *lines: str) -> None:
        self.start()
        self.engine.say(JINA, *lines)

    def remove(self) -> None:
        self.engine.remove_container(self.engine.named(JINA).id)

    def follow(
        self,
        actions: Mapping[str, Callable[[], object]],
        *,
        services: tuple[str, ...] = ("jina",),
        tail: int | None = None,
    ) -> Result[Streamed]:
        """Follow and do what `actions` say once a line has come, until following ends by itself."""

        def show(line: LogLine) -> None:
            self.lines.append(line)
            actions.get(line.text, lambda: None)()

        return logs(self.context, services, show, follow=True, tail=tail)

    def looks(self) -> int:
        return sum(method == "observe" for method, _ in self.engine.calls)


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    engine, clock = FakeEngine(), FakeClock()
    with context_on(engine, make_stack(), tmp_path) as context:
        yield Scene(context=replace(context, clock=clock), engine=engine, clock=clock)


def test_a_restarted_container_is_followed_on_and_no_line_comes_twice(scene: Scene) -> None:
    scene.start_and_say("one", "two")
    scene.clock.at(5, lambda: scene.start_and_say("three"))
    scene.clock.at(9, lambda: scene.start_and_say("four"))
    result = scene.follow({"two": scene.stop, "three": scene.stop, "four": scene.down})
    assert scene.seen == ["one", "two", "three", "four"]
    assert result.data.lines == 4


def test_a_container_that_replaces_another_is_read_from_its_first_line(scene: Scene) -> None:
    def change_definition() -> None:
        scene.engine.behave("jina", Behaviour(lines=("first", "second")))
        newer = with_service(scene.context.spec, replace(scene.context.spec.service("jina"), config_hash="newer"))
        start(replace(scene.context, spec=newer), ("jina",), wait=False)

    scene.start_and_say("old")
    before = scene.engine.named(JINA).id
    scene.follow({"old": change_definition, "second": scene.down})
    assert scene.seen == ["old", "first", "second"]
    assert before not in scene.engine.containers


def test_a_replacement_may_be_missing_for_a_moment(scene: Scene) -> None:
    scene.start_and_say("old")
    scene.clock.at(1.5, scene.remove)
    scene.clock.at(3.5, lambda: scene.start_and_say("new"))
    scene.follow({"old": scene.stop, "new": scene.down})
    assert scene.seen == ["old", "new"]


def test_a_stopped_container_is_waited_for_as_long_as_it_exists(scene: Scene) -> None:
    scene.start_and_say("before")
    scene.stop()
    scene.clock.at(3600, lambda: scene.start_and_say("an hour later"))
    scene.follow({"an hour later": scene.down})
    assert scene.seen == ["before", "an hour later"]


def test_waiting_looks_once_a_second(scene: Scene) -> None:
    scene.start_and_say("one")
    scene.clock.at(60, lambda: scene.start_and_say("two"))
    before = scene.looks()
    scene.follow({"one": lambda: scene.engine.stop_container(scene.engine.named(JINA).id, 1), "two": scene.down})
    # The one it begins with, sixty while it waits, the two commands' own, and those that find nothing in the end.
    assert 60 <= scene.looks() - before <= 70


def test_following_ends_once_the_containers_are_gone_and_nothing_replaces_them(scene: Scene) -> None:
    scene.start_and_say("the only line")
    result = scene.follow({"the only line": scene.down})
    assert scene.seen == ["the only line"]
    assert result.exit_code == 0
    assert result.warnings == ()


def test_services_that_never_had_a_container_end_it_at_once(scene: Scene) -> None:
    result = scene.follow({}, services=("qdrant", "jina"))
    assert scene.looks() == 1
    assert len(result.warnings) == 2


def test_a_service_that_gets_its_container_later_is_followed_too(scene: Scene) -> None:
    scene.start("qdrant")
    scene.engine.say("embctl-qdrant", "alone")
    scene.clock.at(5, lambda: scene.start_and_say("here I am"))
    scene.follow({"here I am": scene.down}, services=("qdrant", "jina"))
    assert sorted(scene.seen) == ["alone", "here I am"]


def test_a_run_that_began_and_ended_between_two_looks_is_not_lost(scene: Scene) -> None:
    def run_shortly() -> None:
        scene.start_and_say("last words")
        scene.stop()

    scene.start_and_say("one")
    scene.clock.at(0.5, run_shortly)
    scene.follow({"one": scene.stop, "last words": scene.down})
    assert scene.seen == ["one", "last words"]


@pytest.mark.parametrize(("tail", "expected"), [(0, ["new", "newer"]), (1, ["two", "new", "newer"])])
def test_a_tail_is_of_the_lines_that_are_there_when_it_begins(scene: Scene, tail: int, expected: list[str]) -> None:
    scene.start_and_say("one", "two")
    scene.stop()
    scene.clock.at(5, lambda: scene.start_and_say("new", "newer"))
    scene.follow({"newer": scene.down}, tail=tail)
    assert scene.seen == expected


def test_a_container_that_goes_before_its_log_is_read_is_waited_for(scene: Scene) -> None:
    scene.start_and_say("one")
    scene.engine.fail("logs", Failed("It no longer exists.", code="container_gone"), times=1)
    scene.follow({"one": scene.down})
    assert scene.seen == ["one"]


def test_a_log_that_cannot_be_read_is_told(scene: Scene) -> None:
    scene.start_and_say("one")
    scene.engine.fail("logs", Failed("The log driver does not support reading.", code="engine_refused"))
    with pytest.raises(Failed, match="does not support reading"):
        scene.follow({})


def test_an_engine_that_goes_away_while_a_container_is_awaited_is_told(scene: Scene) -> None:
    def lose_the_engine() -> None:
        scene.engine.unreachable = True

    scene.start_and_say("one")
    scene.clock.at(5, lose_the_engine)
    with pytest.raises(EngineUnreachable):
        scene.follow({"one": scene.stop})


def test_following_ends_when_it_is_cancelled_while_nothing_runs(scene: Scene) -> None:
    scene.start_and_say("one")
    scene.clock.at(5, scene.context.cancel.set)
    scene.follow({"one": scene.stop})
    assert scene.seen == ["one"]
    assert scene.clock.monotonic() == 5


def test_a_log_is_read_on_from_its_last_line_not_from_its_beginning(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[datetime | None] = []
    read = scene.engine.logs

    def recorded(container: ObservedContainer, **how: Any) -> Iterator[LogLine]:
        asked.append(how["since"])
        return read(container, **how)

    monkeypatch.setattr(scene.engine, "logs", recorded)
    scene.start_and_say("one", "two")
    scene.clock.at(5, lambda: scene.start_and_say("three"))
    scene.follow({"two": scene.stop, "three": scene.down})
    written = {line.text: line.timestamp for line in scene.lines}
    assert asked == [None, written["two"]]
