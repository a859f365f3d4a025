"""The disk of the state folder is full: what runs can still be stopped and taken down."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from embctl.engine.native.identity import is_alive
from embctl.errors import Failed
from embctl.flows.context import Context
from embctl.flows.start import start
from embctl.flows.stop import down, stop
from embctl.model import ContainerState, ObservedContainer
from engines.native_bench import NativeBench, native_bench
from engines.native_steps import end, process_of, supervisor_of
from fakes.contexts import context_on
from small_disk import fill, small_disk

PROBE = ("probe",)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path, size="4m") as disk:
        yield disk


@pytest.fixture
def bench(disk: Path) -> Iterator[NativeBench]:
    with native_bench(disk) as bench:
        yield bench


@pytest.fixture
def context(bench: NativeBench, disk: Path) -> Iterator[Context]:
    with context_on(bench.engine, bench.stack(), disk) as context:
        yield context


@pytest.fixture
def running(bench: NativeBench, context: Context, disk: Path) -> ObservedContainer:
    """Started, and then there was no space left. It has said nothing: an output that is read would give some back."""
    start(context, PROBE, wait=False)
    container = observed(bench, context)
    fill(disk)
    return container


def observed(bench: NativeBench, context: Context) -> ObservedContainer:
    container = bench.engine.observe(context.spec).container_of(bench.project, "probe")
    assert container
    return container


def test_a_service_can_be_stopped(bench: NativeBench, context: Context, running: ObservedContainer, disk: Path) -> None:
    # The name of the lock's holder is the first thing that cannot be written.
    (owner,) = (disk / "state" / "locks").glob("*.owner")
    owner.unlink()
    fill(disk)
    process, supervisor = process_of(bench, running), supervisor_of(bench, running)
    assert stop(context, PROBE).changed
    assert not is_alive(process)
    assert not is_alive(supervisor)
    assert observed(bench, context).state is ContainerState.EXITED


def test_a_service_without_supervisor_can_be_stopped(
    bench: NativeBench, context: Context, running: ObservedContainer
) -> None:
    process = process_of(bench, running)
    end(supervisor_of(bench, running))
    assert stop(context, PROBE).changed
    assert not is_alive(process)
    assert observed(bench, context).state is ContainerState.EXITED


def test_everything_can_be_taken_down(bench: NativeBench, context: Context, running: ObservedContainer) -> None:
    process = process_of(bench, running)
    assert down(context).changed
    assert not is_alive(process)
    assert bench.engine.observe(context.spec).containers == ()


@pytest.mark.usefixtures("running")
def test_a_start_is_refused_with_the_reason_and_works_once_there_is_space(
    bench: NativeBench, context: Context, disk: Path
) -> None:
    stop(context, PROBE)
    fill(disk)
    with pytest.raises(Failed, match="the disk is full") as refused:
        start(context, PROBE, wait=False)
    assert refused.value.code == "no_space"
    (disk / "filler").unlink()
    start(context, PROBE, wait=False)
    assert observed(bench, context).alive
