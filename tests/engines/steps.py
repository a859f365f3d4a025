"""The first steps of tests that work on a bench."""

import time
from collections.abc import Callable
from dataclasses import replace
from threading import Event

from embctl.model import ObservedContainer, ServiceSpec, StackSpec
from engines.bench import Bench
from engines.programs import SLEEPS, Program

__all__ = ["create", "never", "started", "until"]


def never() -> Event:
    """A cancellation that does not come."""
    return Event()


def create(bench: Bench, spec: StackSpec) -> str:
    """The stack's network and volume, and its one container."""
    for network in spec.networks:
        bench.engine.create_network(bench.project, network)
    for volume in spec.volumes:
        bench.engine.create_volume(bench.project, volume)
    return bench.engine.create_container(bench.project, spec.services[0])


def started(bench: Bench, program: Program = SLEEPS, **changes: object) -> ObservedContainer:
    """A running container of the bench's service, changed so."""
    spec = bench.stack(program)
    service: ServiceSpec = replace(spec.services[0], **changes)  # type: ignore[arg-type]  # the callers name fields
    container_id = create(bench, replace(spec, services=(service,)))
    bench.engine.start_container(container_id)
    return bench.engine.inspect(container_id)


def until(bench: Bench, container_id: str, met: Callable[[ObservedContainer], bool]) -> ObservedContainer:
    """The container once `met`; what never comes ends with the test's own time."""
    while not met(container := bench.engine.inspect(container_id)):
        time.sleep(0.01)
    return container
