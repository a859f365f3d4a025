"""Walking a plan: order, concurrency, failure and interruption."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from embctl.apply import Applied, apply
from embctl.engine.base import Cancel
from embctl.errors import Failed, Interrupted
from embctl.events import Event, OperationFailed, OperationFinished, OperationProgress, OperationStarted
from embctl.model import StackSpec
from embctl.plan import Goal, Plan, Request
from embctl.reconcile import reconcile
from fakes.fake_clock import FakeClock
from fakes.fake_engine import Behaviour, FakeEngine
from fakes.stacks import make_stack, with_service


@pytest.fixture
def spec() -> StackSpec:
    return make_stack()


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


def up(engine: FakeEngine, spec: StackSpec) -> Plan:
    return reconcile(spec, engine.observe(spec), Request(goal=Goal.UP, services=("qdrant", "jina")))


def walk(
    plan: Plan, engine: FakeEngine, spec: StackSpec, events: list[Event] | None = None, cancel: Cancel | None = None
) -> Applied:
    emit = (events if events is not None else []).append
    return apply(plan, spec=spec, engine=engine, emit=emit, clock=FakeClock(), cancel=cancel or Cancel())


def test_each_operation_is_one_engine_call_in_an_order_that_respects_the_plan(
    engine: FakeEngine, spec: StackSpec
) -> None:
    plan = up(engine, spec)
    walk(plan, engine, spec)
    calls = engine.mutations
    assert len(calls) == len(plan.operations)
    for name in ("embctl-qdrant", "embctl-jina"):
        assert calls.index(("create_container", name)) < calls.index(("start_container", name))
    assert calls.index(("build_image", "example/jina:1")) < calls.index(("create_container", "embctl-jina"))


def test_independent_chains_run_side_by_side(engine: FakeEngine, spec: StackSpec) -> None:
    both_at_once = threading.Barrier(2)

    def meet() -> None:
        both_at_once.wait(timeout=30)

    engine.on("pull_image", meet)
    engine.on("build_image", meet)
    assert not walk(up(engine, spec), engine, spec).failed


def test_a_failure_skips_what_depends_on_it_and_nothing_else(engine: FakeEngine, spec: StackSpec) -> None:
    engine.fail("build_image", Failed("no space", code="no_space"))
    applied = walk(up(engine, spec), engine, spec)
    assert engine.named("embctl-qdrant").alive
    assert [error.code for error in applied.failed.values()] == ["no_space"]
    assert len(applied.skipped) == 2
    with pytest.raises(Failed, match="no space"):
        applied.raise_first_error()


def test_several_failures_are_all_told(engine: FakeEngine, spec: StackSpec) -> None:
    engine.fail("build_image", Failed("build broke", code="build_failed"))
    engine.fail("pull_image", Failed("pull broke", code="pull_failed"))
    with pytest.raises(Failed, match="pull broke") as caught:
        walk(up(engine, spec), engine, spec).raise_first_error()
    assert caught.value.details["also_failed"] == ["build broke"]


def test_every_operation_tells_its_beginning_progress_and_end(engine: FakeEngine, spec: StackSpec) -> None:
    events: list[Event] = []
    plan = up(engine, spec)
    walk(plan, engine, spec, events)
    ids = {operation.id for operation in plan.operations}
    assert {event.id for event in events if isinstance(event, OperationStarted)} == ids
    assert {event.id for event in events if isinstance(event, OperationFinished)} == ids
    assert {event.target for event in events if isinstance(event, OperationProgress)} == {
        "image:example/qdrant:1",
        "image:example/jina:1",
    }


def test_a_failed_operation_is_told_with_its_message(engine: FakeEngine, spec: StackSpec) -> None:
    engine.fail("pull_image", Failed("pull broke", code="pull_failed"))
    events: list[Event] = []
    walk(up(engine, spec), engine, spec, events)
    assert [event.message for event in events if isinstance(event, OperationFailed)] == ["pull broke"]


def test_once_cancelled_nothing_new_begins(engine: FakeEngine, spec: StackSpec) -> None:
    cancel = Cancel()
    engine.on("create_network", cancel.set)
    applied = walk(up(engine, spec), engine, spec, cancel=cancel)
    assert any(isinstance(error, Interrupted) for error in applied.failed.values())
    assert not engine.containers


def test_ctrl_c_while_a_container_is_replaced_puts_the_old_one_back_before_the_command_ends(
    engine: FakeEngine, spec: StackSpec
) -> None:
    walk(up(engine, spec), engine, spec).raise_first_error()
    before = engine.named("embctl-qdrant")
    changed = with_service(spec, replace(spec.service("qdrant"), config_hash="qdrant-2"))
    plan = up(engine, changed)
    engine.on("stop_container", lambda: signal.raise_signal(signal.SIGINT))
    with ctrl_c_raises(), pytest.raises(KeyboardInterrupt):
        walk(plan, engine, changed)
    assert engine.named("embctl-qdrant") is before
    assert before.alive
    assert {container.name for container in engine.containers.values()} == {"embctl-qdrant", "embctl-jina"}


@contextmanager
def ctrl_c_raises() -> Iterator[None]:
    """A shell that runs the tests in the background lets them ignore the signal."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_server_that_runs_is_not_stopped_for_a_model_that_cannot_be_fetched(
    engine: FakeEngine, spec: StackSpec
) -> None:
    walk(up(engine, spec), engine, spec).raise_first_error()
    before = engine.named("embctl-jina")
    changed = with_service(spec, replace(spec.service("jina"), config_hash="another model"))
    engine.behave("jina", Behaviour(once_lines=("hub unreachable",), once_exit_code=1))
    with pytest.raises(Failed, match="hub unreachable"):
        walk(up(engine, changed), engine, changed).raise_first_error()
    assert engine.named("embctl-jina") is before
    assert before.alive
    assert len(engine.containers) == 2


def test_a_model_that_would_not_be_served_is_no_failure_to_fetch_it(engine: FakeEngine, spec: StackSpec) -> None:
    refusal = '{"event": "model_refused", "detail": "/m has no tokenizer.json"}'
    engine.behave("jina", Behaviour(once_lines=(refusal,), once_exit_code=3))
    plan = reconcile(spec, engine.observe(spec), Request(goal=Goal.FETCHED, services=("jina",)))
    with pytest.raises(Failed, match=r"minilm cannot be served: /m has no tokenizer\.json") as caught:
        walk(plan, engine, spec).raise_first_error()
    assert (caught.value.code, caught.value.retryable) == ("model_unusable", False)


def test_a_model_that_cannot_be_fetched_fails_with_the_last_lines_and_the_ways_out(
    engine: FakeEngine, spec: StackSpec
) -> None:
    engine.behave("jina", Behaviour(once_lines=("fetching", "hub unreachable"), once_exit_code=1))
    plan = reconcile(spec, engine.observe(spec), Request(goal=Goal.FETCHED, services=("jina",)))
    with pytest.raises(Failed, match="hub unreachable") as caught:
        walk(plan, engine, spec).raise_first_error()
    assert caught.value.code == "model_fetch_failed"
    assert any("EMBCTL_HUB_MIRROR" in action for action in caught.value.actions)
