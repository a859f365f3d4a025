"""A running container gives way to its successor only once that runs, on every engine alike."""

from dataclasses import replace
from threading import Event

import pytest

from embctl.apply import Applied, apply
from embctl.errors import Conflict, Failed
from embctl.model import ObservedContainer, ServiceSpec, StackSpec
from embctl.plan import Goal, Plan, Request
from embctl.reconcile import reconcile
from engines.bench import Bench, free_port
from fakes.fake_clock import FakeClock
from fakes.stacks import with_service

UP = Request(goal=Goal.UP, services=("probe",))


def planned(bench: Bench, spec: StackSpec) -> Plan:
    return reconcile(spec, bench.engine.observe(spec), UP)


def carry_out(bench: Bench, spec: StackSpec, plan: Plan) -> Applied:
    return apply(plan, spec=spec, engine=bench.engine, emit=lambda _: None, clock=FakeClock(), cancel=Event())


def containers(bench: Bench, spec: StackSpec) -> tuple[ObservedContainer, ...]:
    return bench.engine.observe(spec).containers


def running(bench: Bench) -> tuple[StackSpec, ObservedContainer]:
    spec = bench.stack()
    carry_out(bench, spec, planned(bench, spec)).raise_first_error()
    (container,) = containers(bench, spec)
    return spec, container


def changed(spec: StackSpec, **changes: object) -> StackSpec:
    service: ServiceSpec = replace(spec.services[0], config_hash="probe-2", native_hash="probe-2", **changes)  # type: ignore[arg-type]  # the callers name fields
    return replace(spec, services=(service,))


def test_the_successor_takes_over_name_and_port(bench: Bench) -> None:
    spec, before = running(bench)
    successor = changed(spec)
    carry_out(bench, successor, planned(bench, successor)).raise_first_error()
    (after,) = containers(bench, successor)
    assert after.id != before.id
    assert (after.name, after.ports, after.config_hash) == (before.name, before.ports, "probe-2")
    assert after.alive
    assert not planned(bench, successor)


def test_a_successor_that_cannot_be_created_leaves_the_container_as_it_was(bench: Bench) -> None:
    spec, before = running(bench)
    bench.add_foreign(f"{before.name}-next")
    successor = changed(spec)
    with pytest.raises(Conflict) as taken:
        carry_out(bench, successor, planned(bench, successor)).raise_first_error()
    assert taken.value.code == "name_taken"
    assert containers(bench, spec) == (before,)


def test_an_image_that_cannot_be_had_leaves_the_container_as_it_was(bench: Bench) -> None:
    spec, before = running(bench)
    successor = with_service(
        spec, replace(bench.without_image(spec.services[0]), config_hash="probe-2", native_hash="probe-2")
    )
    with pytest.raises(Failed) as failed:
        carry_out(bench, successor, planned(bench, successor)).raise_first_error()
    assert failed.value.code == bench.no_image_code
    assert containers(bench, spec) == (before,)


def test_a_successor_that_cannot_be_started_goes_and_the_container_runs_again(bench: Bench) -> None:
    spec, before = running(bench)
    port = replace(spec.services[0].ports[0], published=free_port())
    successor = changed(spec, ports=(port,))
    plan = planned(bench, successor)
    bench.add_foreign(f"{bench.project}-stranger", port)
    applied = carry_out(bench, successor, plan)
    with pytest.raises(Conflict) as taken:
        applied.raise_first_error()
    assert taken.value.code == "port_taken"
    assert taken.value.details["restored"] == ["probe"]
    (after,) = containers(bench, spec)
    assert (after.id, after.name, after.alive) == (before.id, before.name, True)
