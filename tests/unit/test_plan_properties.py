"""What holds for every plan, whatever was there before and wherever it was interrupted."""

import itertools
from collections.abc import Callable
from dataclasses import replace
from threading import Lock

from hypothesis import given
from hypothesis import strategies as st

from embctl.apply import apply
from embctl.engine.base import Cancel
from embctl.errors import Failed
from embctl.model import ContainerState, Label, StackSpec
from embctl.plan import Goal, Plan, Request
from embctl.reconcile import reconcile
from fakes.fake_clock import FakeClock
from fakes.fake_engine import FakeEngine
from fakes.stacks import make_stack, with_service

SPEC = make_stack()
NAMES = tuple(service.name for service in SPEC.services)
requests = st.builds(
    Request,
    goal=st.sampled_from([Goal.UP, Goal.STOPPED, Goal.ABSENT]),
    services=st.sampled_from([NAMES, NAMES[:1], NAMES[1:], ()]),
)


@st.composite
def engines(draw: st.DrawFn) -> FakeEngine:
    """An engine on which any part of the stack exists, in any state, of the present definition or an older one."""
    engine = FakeEngine(images=tuple(s.image for s in SPEC.services if draw(st.booleans())))
    for volume in SPEC.volumes:
        if draw(st.booleans()):
            engine.create_volume(SPEC.project, volume)
    for network in SPEC.networks:
        if draw(st.booleans()):
            engine.create_network(SPEC.project, network)
    names = [(service, service.container_name + suffix) for service in SPEC.services for suffix in ("", "-next")]
    for service, name in names:
        if draw(st.booleans()):
            labels: dict[str, str] = {
                Label.PROJECT: SPEC.project,
                Label.SERVICE: service.name,
                Label.CONFIG_HASH: draw(st.sampled_from([service.config_hash, "older"])),
            }
            state = draw(st.sampled_from([s for s in ContainerState if s is not ContainerState.REMOVING]))
            container = engine.add_container(name, labels=labels, state=state, image=service.image)
            container.unsupervised = state is ContainerState.RUNNING and draw(st.booleans())
    if draw(st.booleans()):
        engine.add_container("embctl-jina-run-9", labels={Label.PROJECT: SPEC.project})
    for index in range(draw(st.integers(0, 2))):
        engine.add_container(f"foreign-{index}", state=draw(st.sampled_from(ContainerState)))
    return engine


def plan_for(engine: FakeEngine, request: Request, spec: StackSpec = SPEC) -> Plan:
    return reconcile(spec, engine.observe(spec), request)


def carry_out(engine: FakeEngine, plan: Plan) -> None:
    emitted = apply(plan, spec=SPEC, engine=engine, emit=lambda _: None, clock=FakeClock(), cancel=Cancel())
    emitted.raise_first_error()


@given(engines(), requests)
def test_applying_a_plan_leaves_an_empty_second_plan(engine: FakeEngine, request: Request) -> None:
    carry_out(engine, plan_for(engine, request))
    assert not plan_for(engine, request)


@given(engines(), requests)
def test_foreign_containers_never_appear_in_a_plan(engine: FakeEngine, request: Request) -> None:
    foreign = {container.id for container in engine.containers.values() if Label.PROJECT not in container.labels}
    plan = plan_for(engine, replace(request, volumes=True))
    assert not foreign & {operation.name for operation in plan.operations}


@given(engines(), requests)
def test_no_volume_goes_unasked(engine: FakeEngine, request: Request) -> None:
    assert not [op for op in plan_for(engine, request).operations if op.verb == "RemoveVolume"]


@given(engines(), requests)
def test_every_operation_comes_after_what_it_waits_for(engine: FakeEngine, request: Request) -> None:
    for operation in plan_for(engine, request).operations:
        assert all(earlier < operation.id for earlier in operation.after)


@given(engines(), st.integers(0, 12))
def test_any_prefix_of_an_interrupted_start_is_healed_by_the_next(engine: FakeEngine, length: int) -> None:
    request = Request(goal=Goal.UP, services=NAMES)
    plan = plan_for(engine, request)
    carry_out(engine, Plan(operations=plan.operations[:length]))
    carry_out(engine, plan_for(engine, request))
    assert not plan_for(engine, request)
    assert all(engine.named(service.container_name).alive for service in SPEC.services)


@given(engines())
def test_a_change_of_one_service_leaves_the_other_alone(engine: FakeEngine) -> None:
    carry_out(engine, plan_for(engine, Request(goal=Goal.UP, services=NAMES)))
    changed = with_service(SPEC, replace(SPEC.service("qdrant"), config_hash="newer"))
    plan = plan_for(engine, Request(goal=Goal.UP, services=NAMES), changed)
    assert {operation.service for operation in plan.operations} == {"qdrant"}


CHANGED = replace(
    SPEC,
    services=tuple(
        replace(service, config_hash="newer", build=service.build and replace(service.build, digest="newer"))
        for service in SPEC.services
    ),
)
on_containers = st.sampled_from(
    ["build_image", "create_container", "stop_container", "start_container", "remove_container", "rename_container"]
)


def nth_time(number: int, act: Callable[[], None]) -> Callable[[], None]:
    """Acts when it is called for the `number`th time, counted from 0."""
    calls = itertools.count()
    lock = Lock()

    def count() -> None:
        with lock:
            due = next(calls) == number
        if due:
            act()

    return count


def refuse() -> None:
    raise Failed("the engine refuses", code="engine_refused")


@given(on_containers, st.integers(0, 1))
def test_whatever_fails_while_running_services_are_replaced_each_of_them_runs_afterwards(
    method: str, number: int
) -> None:
    engine = FakeEngine()
    carry_out(engine, plan_for(engine, Request(goal=Goal.UP, services=NAMES)))
    plan = plan_for(engine, Request(goal=Goal.UP, services=NAMES), CHANGED)
    engine.on(method, nth_time(number, refuse))
    apply(plan, spec=CHANGED, engine=engine, emit=lambda _: None, clock=FakeClock(), cancel=Cancel())
    assert [name for name in NAMES if not living(engine, name)] == []


@given(on_containers, st.integers(0, 1))
def test_whenever_a_replacement_is_cancelled_each_service_runs_afterwards(method: str, number: int) -> None:
    engine, cancel = FakeEngine(), Cancel()
    carry_out(engine, plan_for(engine, Request(goal=Goal.UP, services=NAMES)))
    plan = plan_for(engine, Request(goal=Goal.UP, services=NAMES), CHANGED)
    engine.on(method, nth_time(number, cancel.set))
    apply(plan, spec=CHANGED, engine=engine, emit=lambda _: None, clock=FakeClock(), cancel=cancel)
    assert [name for name in NAMES if not living(engine, name)] == []


def living(engine: FakeEngine, service: str) -> bool:
    container = engine.observe(SPEC).container_of(SPEC.project, service)
    return container is not None and container.alive
