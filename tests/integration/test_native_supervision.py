"""How the native runtime looks after its processes: apart from whoever started them, through stops and crashes."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from embctl.engine.native import stopping
from embctl.engine.native.identity import identify, is_alive
from embctl.errors import Failed
from embctl.model import ContainerState
from engines.native_bench import NativeBench, native_bench
from engines.native_steps import (
    OBEDIENT,
    STUBBORN,
    await_end,
    await_line,
    end,
    lines,
    process_of,
    status_of,
    supervisor_of,
)
from engines.programs import FAILS, Program
from engines.steps import create, never, started, until


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[NativeBench]:
    with native_bench(tmp_path) as bench:
        yield bench


# Life apart from whoever started it.


def test_a_container_survives_the_embctl_and_the_terminal_that_started_it(bench: NativeBench) -> None:
    container_id = create(bench, bench.stack(OBEDIENT))
    code = (
        "import sys; from pathlib import Path; from embctl.engine.native.engine import NativeEngine\n"
        "state, data, server, container = sys.argv[1:]\n"
        "engine = NativeEngine(state=Path(state), data=Path(data), server=Path(server))\n"
        "engine.start_container(container)\n"
    )
    terminal, inner = os.openpty()
    with subprocess.Popen(
        (sys.executable, "-c", code, bench.state, bench.data, bench.server, container_id),
        stdin=inner,
        stdout=inner,
        stderr=inner,
        start_new_session=True,
    ) as starter:
        assert starter.wait() == 0
    os.close(inner)
    os.close(terminal)
    container = bench.engine.inspect(container_id)
    assert container.state is ContainerState.RUNNING
    await_line(bench, container, "ready")
    relatives = {each.pid for each in psutil.Process().children(recursive=True)}
    assert not relatives & {process_of(bench, container).pid, supervisor_of(bench, container).pid}


def test_who_waits_for_the_output_of_a_start_is_not_kept_waiting(bench: NativeBench) -> None:
    container_id = create(bench, bench.stack())
    code = (
        "import sys; from pathlib import Path; from embctl.engine.native.engine import NativeEngine\n"
        "state, data, server, container = sys.argv[1:]\n"
        "NativeEngine(state=Path(state), data=Path(data), server=Path(server)).start_container(container)\n"
        "print('done')\n"
    )
    told = subprocess.run(
        (sys.executable, "-c", code, bench.state, bench.data, bench.server, container_id),
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout == "done\n"
    assert bench.engine.inspect(container_id).alive


def test_starts_and_stops_leave_no_descriptor_and_no_child_behind(bench: NativeBench) -> None:
    container = started(bench)
    bench.engine.stop_container(container.id, 1.0)
    before = psutil.Process().num_fds()
    for _ in range(3):
        bench.engine.start_container(container.id)
        list(bench.engine.logs(container, follow=False, tail=None, since=None, cancel=never()))
        bench.engine.stop_container(container.id, 1.0)
    assert psutil.Process().num_fds() == before
    assert psutil.Process().children() == []


def test_a_process_gets_nothing_but_its_three_streams(bench: NativeBench) -> None:
    container = started(bench)
    process = psutil.Process(process_of(bench, container).pid)
    until(bench, container.id, lambda _: process.name() == "sleep")
    assert process.num_fds() == 3
    assert os.getsid(process.pid) == process.pid


# Stopping.


def test_a_process_may_end_in_its_own_way_when_stopped(bench: NativeBench) -> None:
    container = started(bench, OBEDIENT, restart="always")
    await_line(bench, container, "ready")
    bench.engine.stop_container(container.id, 60.0)
    stopped = bench.engine.inspect(container.id)
    assert (stopped.state, stopped.exit_code, stopped.restarts) == (ContainerState.EXITED, 0, 0)
    assert lines(bench, container) == ["ready", "bye"]
    assert not is_alive(supervisor_of(bench, container))


def test_a_process_that_does_not_end_in_time_is_killed(bench: NativeBench) -> None:
    container = started(bench, STUBBORN, restart="always")
    await_line(bench, container, "ready")
    process = process_of(bench, container)
    bench.engine.stop_container(container.id, 0.2)
    assert bench.engine.inspect(container.id).exit_code == 137
    assert not is_alive(process)
    assert status_of(bench, container).token  # its own supervisor did and told it


def test_what_a_process_brought_about_ends_with_it(bench: NativeBench) -> None:
    container = started(bench, Program(script="sleep 600 & echo $!; wait"))
    log = bench.engine.logs(container, follow=True, tail=None, since=None, cancel=never())
    child = identify(int(next(iter(log)).text))
    assert child
    end(process_of(bench, container))
    until(bench, container.id, lambda now: now.state is ContainerState.EXITED)
    # A moment later than the process itself, whose end can be seen at once.
    await_end(child)


def test_a_supervisor_that_hangs_does_not_keep_its_process_from_being_stopped(
    bench: NativeBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stopping, "MARGIN", 0.2)
    container = started(bench)
    process, supervisor = process_of(bench, container), supervisor_of(bench, container)
    os.kill(supervisor.pid, signal.SIGSTOP)
    bench.engine.stop_container(container.id, 0.2)
    assert bench.engine.inspect(container.id).state is ContainerState.EXITED
    assert not is_alive(process)
    assert not is_alive(supervisor)


def test_a_signal_to_the_supervisor_stops_its_container(bench: NativeBench) -> None:
    container = started(bench, OBEDIENT, restart="always", stop_grace_period=60.0)
    await_line(bench, container, "ready")
    end(supervisor_of(bench, container), signal.SIGTERM)
    stopped = bench.engine.inspect(container.id)
    assert (stopped.state, stopped.exit_code) == (ContainerState.EXITED, 0)


def test_a_container_whose_records_were_taken_away_ends(bench: NativeBench) -> None:
    container = started(bench, restart="always")
    process, supervisor = process_of(bench, container), supervisor_of(bench, container)
    bench.container(container.id).folder.rename(bench.state / "elsewhere")
    await_end(supervisor)
    assert not is_alive(process)


# Crashes.


def test_a_process_that_was_killed_is_started_again_by_its_policy(bench: NativeBench) -> None:
    container = started(bench, restart="unless-stopped")
    first = process_of(bench, container)
    end(first)
    again = until(bench, container.id, lambda now: now.restarts == 1 and now.state is ContainerState.RUNNING)
    assert again.started_at is not None
    assert container.started_at is not None
    assert again.started_at > container.started_at
    assert is_alive(process_of(bench, container))
    assert not is_alive(first)


def test_a_process_that_was_killed_stays_down_without_a_policy(bench: NativeBench) -> None:
    container = started(bench)
    end(process_of(bench, container))
    dead = until(bench, container.id, lambda now: now.state is ContainerState.EXITED)
    assert (dead.exit_code, dead.restarts, dead.error) == (137, 0, "")


def test_between_two_runs_the_exit_code_of_the_last_one_is_told(bench: NativeBench) -> None:
    container = started(bench, FAILS, restart="on-failure")
    waiting = until(bench, container.id, lambda now: now.state is ContainerState.RESTARTING)
    assert (waiting.exit_code, waiting.alive) == (3, True)
    bench.engine.stop_container(container.id, 1.0)
    assert bench.engine.inspect(container.id).state is ContainerState.EXITED


def test_a_start_counts_restarts_from_the_beginning(bench: NativeBench) -> None:
    container = started(bench, restart="always")
    end(process_of(bench, container))
    until(bench, container.id, lambda now: now.restarts == 1 and now.state is ContainerState.RUNNING)
    bench.engine.stop_container(container.id, 1.0)
    assert bench.engine.inspect(container.id).restarts == 1
    bench.engine.start_container(container.id)
    assert bench.engine.inspect(container.id).restarts == 0


def test_a_program_that_cannot_be_run_fails_the_start_and_says_why(bench: NativeBench) -> None:
    container_id = create(bench, bench.stack())
    container = bench.container(container_id)
    definition = container.definition()
    assert definition
    container.define(replace(definition, argv=("/no/such/program",), restart="always"))
    with pytest.raises(Failed, match="No such file or directory: /no/such/program") as failed:
        bench.engine.start_container(container_id)
    assert failed.value.code == "engine_refused"
    seen = bench.engine.inspect(container_id)
    assert (seen.state, seen.exit_code) == (ContainerState.EXITED, 127)
