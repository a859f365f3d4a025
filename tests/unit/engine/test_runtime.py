"""Which runtime is chosen, and what the user hears of it."""

import pytest

from embctl.engine.base import Engine
from embctl.engine.runtime import choose
from embctl.errors import EngineUnreachable
from embctl.model import Runtime
from fakes.fake_engine import FakeEngine


def unreachable() -> Engine:
    raise EngineUnreachable("No container engine answers.", code="engine_unreachable")


@pytest.fixture
def docker() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def native() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def told() -> list[str]:
    return []


def test_a_runtime_that_was_named_is_taken_without_a_word(
    docker: FakeEngine, native: FakeEngine, told: list[str]
) -> None:
    for runtime, engine in ((Runtime.DOCKER, docker), (Runtime.NATIVE, native)):
        assert choose(runtime, docker=lambda: docker, native=lambda: native, tell=told.append) is engine
    assert not told


def test_docker_that_was_asked_for_and_does_not_answer_is_an_error(native: FakeEngine, told: list[str]) -> None:
    with pytest.raises(EngineUnreachable):
        choose(Runtime.DOCKER, docker=unreachable, native=lambda: native, tell=told.append)


def test_by_itself_a_container_engine_that_answers_is_taken(
    docker: FakeEngine, native: FakeEngine, told: list[str]
) -> None:
    assert choose(Runtime.AUTO, docker=lambda: docker, native=lambda: native, tell=told.append) is docker
    assert not told


def test_without_a_container_engine_processes_serve_and_the_reason_is_told(native: FakeEngine, told: list[str]) -> None:
    assert choose(Runtime.AUTO, docker=unreachable, native=lambda: native, tell=told.append) is native
    assert told == ["native runtime: no container engine answers"]


def test_an_engine_that_the_user_named_is_never_replaced(native: FakeEngine, told: list[str]) -> None:
    def unreachable_there() -> Engine:
        raise EngineUnreachable("It does not answer.", code="engine_unreachable", details={"named": True})

    with pytest.raises(EngineUnreachable):
        choose(Runtime.AUTO, docker=unreachable_there, native=lambda: native, tell=told.append)
