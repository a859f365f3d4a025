"""Supervisors that were killed, and records of processes that are gone: nothing is lost, and nobody else is touched."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from embctl.apply import apply
from embctl.engine.native.identity import identify, is_alive
from embctl.engine.native.locking import hold
from embctl.engine.native.records import Phase, Status
from embctl.errors import Failed
from embctl.model import ContainerState, ObservedContainer
from embctl.plan import Goal, Request
from embctl.reconcile import reconcile
from engines.native_bench import NativeBench, native_bench
from engines.native_steps import (
    OBEDIENT,
    STUBBORN,
    TELLS,
    await_line,
    end,
    lines,
    process_of,
    status_of,
    supervisor_of,
)
from engines.programs import SLEEPS, Program
from engines.steps import create, never, started, until
from fakes.fake_clock import FakeClock

UP = Request(goal=Goal.UP, services=("probe",))


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[NativeBench]:
    with native_bench(tmp_path) as bench:
        yield bench


def orphaned(bench: NativeBench, program: Program = SLEEPS, **changes: object) -> ObservedContainer:
    """A container whose supervisor was killed."""
    container = started(bench, program, **changes)
    end(supervisor_of(bench, container))
    return bench.engine.inspect(container.id)


def test_a_process_whose_supervisor_was_killed_runs_on(bench: NativeBench) -> None:
    container = orphaned(bench, TELLS)
    await_line(bench, container, "ready")
    assert container.state is ContainerState.RUNNING
    os.kill(process_of(bench, container).pid, signal.SIGUSR1)
    await_line(bench, container, "heard")
    with pytest.raises(Failed) as refused:
        bench.engine.remove_container(container.id)
    assert refused.value.code == "container_running"
    assert bench.engine.observe(bench.stack()).port_owners == ()


def test_a_process_whose_supervisor_was_killed_can_be_stopped(bench: NativeBench) -> None:
    container = orphaned(bench, OBEDIENT)
    await_line(bench, container, "ready")
    bench.engine.stop_container(container.id, 60.0)
    stopped = bench.engine.inspect(container.id)
    assert (stopped.state, stopped.exit_code, stopped.error) == (ContainerState.EXITED, 143, "")
    assert lines(bench, container) == ["ready", "bye"]
    bench.engine.remove_container(container.id)


def test_a_stubborn_process_whose_supervisor_was_killed_is_killed(bench: NativeBench) -> None:
    container = orphaned(bench, STUBBORN)
    await_line(bench, container, "ready")
    bench.engine.stop_container(container.id, 0.2)
    assert bench.engine.inspect(container.id).exit_code == 137


def test_a_start_gives_a_process_without_supervisor_a_new_one(bench: NativeBench) -> None:
    container = orphaned(bench, TELLS, restart="always")
    await_line(bench, container, "ready")
    process = process_of(bench, container)
    bench.engine.start_container(container.id)
    assert is_alive(supervisor_of(bench, container))
    assert process_of(bench, container) == process
    assert bench.engine.inspect(container.id).started_at == container.started_at
    os.kill(process.pid, signal.SIGUSR1)
    await_line(bench, container, "heard")
    assert lines(bench, container) == ["ready", "heard"]
    end(process)
    until(bench, container.id, lambda now: now.restarts == 1 and now.state is ContainerState.RUNNING)


def test_a_plain_start_heals_what_lost_its_supervisor_without_stopping_it(bench: NativeBench) -> None:
    spec = bench.stack()
    spec = replace(spec, services=(replace(spec.services[0], restart="unless-stopped"),))
    container = started(bench, restart="unless-stopped")
    assert not reconcile(spec, bench.engine.observe(spec), UP)
    process = process_of(bench, container)
    end(supervisor_of(bench, container))
    plan = reconcile(spec, bench.engine.observe(spec), UP)
    assert str(plan) == "#1 service:probe, StartContainer, its supervisor is gone"
    apply(plan, spec=spec, engine=bench.engine, emit=lambda _: None, clock=FakeClock(), cancel=never())
    assert not reconcile(spec, bench.engine.observe(spec), UP)
    assert process_of(bench, container) == process
    assert is_alive(process)
    end(process)
    until(bench, container.id, lambda now: now.restarts == 1 and now.state is ContainerState.RUNNING)


def test_the_end_of_a_process_without_supervisor_is_told_as_unseen(bench: NativeBench) -> None:
    container = orphaned(
        bench, Program(script="trap 'echo last words; exit 4' USR1; echo ready; while :; do sleep 0.02; done")
    )
    await_line(bench, container, "ready")
    end(process_of(bench, container), signal.SIGUSR1)
    dead = until(bench, container.id, lambda now: now.state is ContainerState.EXITED)
    assert dead.exit_code == 255
    assert "nobody saw it end" in dead.error
    assert lines(bench, container) == ["ready", "last words"]
    bench.engine.start_container(container.id)
    assert bench.engine.inspect(container.id).alive
    assert lines(bench, container)[:2] == ["ready", "last words"]


def test_after_the_machine_was_restarted_a_container_is_down_and_starts_again(bench: NativeBench) -> None:
    container = started(bench, restart="always")
    status = status_of(bench, container)
    end(supervisor_of(bench, container))
    end(process_of(bench, container))
    # Another boot may have given both numbers to somebody else.
    ours = identify(os.getpid())
    assert ours
    strangers = replace(ours, started="another-boot:1")
    bench.container(container.id).tell(replace(status, supervisor=strangers, process=strangers))
    down = bench.engine.inspect(container.id)
    assert (down.state, down.exit_code) == (ContainerState.EXITED, 255)
    bench.engine.stop_container(container.id, 1.0)
    bench.engine.start_container(container.id)
    assert bench.engine.inspect(container.id).alive


def test_a_process_that_has_the_pid_of_another_one_is_left_alone(bench: NativeBench) -> None:
    container = started(bench)
    status = status_of(bench, container)
    end(supervisor_of(bench, container))
    end(process_of(bench, container))
    with subprocess.Popen(("sleep", "600"), start_new_session=True) as bystander:
        identity = identify(bystander.pid)
        assert identity
        forged = replace(identity, started="at another time")
        bench.container(container.id).tell(replace(status, supervisor=forged, process=forged))
        assert bench.engine.inspect(container.id).state is ContainerState.EXITED
        assert bench.engine.stats(container.id).memory_anonymous == 0
        bench.engine.stop_container(container.id, 0.0)
        bench.engine.remove_container(container.id)
        bystander.send_signal(signal.SIGUSR1)
        assert bystander.wait() == -signal.SIGUSR1  # whatever had come before would have ended it


def test_a_supervisor_that_comes_too_late_does_nothing(bench: NativeBench) -> None:
    container_id = create(bench, bench.stack())
    container = bench.container(container_id)
    container.tell(Status(phase=Phase.STARTING, token="killed-starter"))  # noqa: S106 - no password
    bench.engine.stop_container(container_id, 1.0)
    assert bench.engine.inspect(container_id).state is ContainerState.CREATED
    assert supervise(container.folder, "killed-starter") == ""
    with hold(container.lock, patience=1.0) as nobody_supervises:
        assert nobody_supervises
    assert bench.engine.inspect(container_id).state is ContainerState.CREATED


def test_a_start_takes_over_from_a_starter_that_was_killed(bench: NativeBench) -> None:
    container_id = create(bench, bench.stack())
    bench.container(container_id).tell(Status(phase=Phase.STARTING, token="killed-starter"))  # noqa: S106 - no password
    bench.engine.start_container(container_id)
    assert bench.engine.inspect(container_id).alive


def test_a_second_supervisor_of_one_container_does_nothing(bench: NativeBench) -> None:
    container = started(bench)
    before = status_of(bench, container)
    assert supervise(bench.container(container.id).folder, before.token) == ""
    assert status_of(bench, container) == before


def supervise(folder: Path, token: str) -> str:
    """What a supervisor says that is started so; it is gone when this returns."""
    return subprocess.run(
        (sys.executable, "-P", "-m", "embctl.engine.native.supervisor", folder, token),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=True,
    ).stdout
