"""Several embctl on the same folders at once: each sees the truth, and nothing comes about twice."""

import errno
import os
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from threading import Barrier

import psutil
import pytest

from embctl.engine.native import home
from embctl.engine.native.child import Launch, spawn
from embctl.engine.native.identity import Identity
from embctl.errors import Conflict, EmbctlError
from embctl.model import ContainerState
from engines.native_bench import NativeBench, native_bench
from engines.native_steps import process_of
from engines.programs import SPEAKS
from engines.steps import create, until


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[NativeBench]:
    with native_bench(tmp_path) as bench:
        yield bench


def at_once(*acts: Callable[[], object]) -> list[object]:
    """What each gives, or the error that it raises, when all begin at the same moment."""
    barrier = Barrier(len(acts))

    def run(act: Callable[[], object]) -> object:
        barrier.wait()
        try:
            return act()
        except EmbctlError as error:
            return error

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def processes(bench: NativeBench) -> list[int]:
    """What runs of the bench's program, a process that is only about to begin excepted."""
    found = psutil.process_iter(["environ", "name"])
    return [
        each.pid
        for each in found
        if (each.info["environ"] or {}).get("BENCH") == bench.project and each.info["name"] == "sleep"
    ]


def test_another_embctl_sees_stops_and_removes_what_one_started(bench: NativeBench) -> None:
    spec, other = bench.stack(SPEAKS), bench.another_engine()
    container_id = create(bench, spec)
    bench.engine.start_container(container_id)
    seen = other.observe(spec).container_of(bench.project, "probe")
    assert seen == bench.engine.inspect(container_id)
    other.stop_container(container_id, 1.0)
    assert bench.engine.inspect(container_id).state is ContainerState.EXITED
    other.remove_container(container_id)
    assert bench.engine.observe(spec).containers == ()


def test_of_two_who_give_a_name_at_once_one_gets_it(bench: NativeBench) -> None:
    spec, other = bench.stack(), bench.another_engine()
    creations = (partial(engine.create_container, bench.project, spec.services[0]) for engine in [bench.engine, other])
    results = at_once(*[*creations] * 3)
    assert len([result for result in results if isinstance(result, str)]) == 1
    assert {result.code for result in results if isinstance(result, Conflict)} == {"name_taken"}


def test_of_many_starts_at_once_one_process_comes(bench: NativeBench) -> None:
    container_id, other = create(bench, bench.stack()), bench.another_engine()
    starts = [partial(engine.start_container, container_id) for engine in [bench.engine, other] * 3]
    assert at_once(*starts) == [None] * 6
    until(bench, container_id, lambda _: bool(processes(bench)))
    assert processes(bench) == [process_of(bench, bench.engine.inspect(container_id)).pid]


def test_of_two_containers_that_start_on_one_port_at_once_one_gets_it(bench: NativeBench) -> None:
    spec = bench.stack()
    service = replace(spec.services[0], networks=())
    names = (f"{bench.project}-a", f"{bench.project}-b")
    ids = [bench.engine.create_container(bench.project, replace(service, container_name=name)) for name in names]
    results = at_once(*(partial(bench.engine.start_container, each) for each in ids))
    (refusal,) = [result for result in results if result is not None]
    assert isinstance(refusal, Conflict)
    assert refusal.code == "port_taken"
    assert refusal.details["owner"]["name"] in names


def test_starts_and_stops_at_once_end_in_a_state_that_is_true(bench: NativeBench) -> None:
    container_id, other = create(bench, bench.stack()), bench.another_engine()
    for _ in range(4):
        results = at_once(
            lambda: bench.engine.start_container(container_id),
            lambda: other.stop_container(container_id, 1.0),
            lambda: other.start_container(container_id),
            lambda: bench.engine.stop_container(container_id, 1.0),
        )
        assert {result.code for result in results if isinstance(result, EmbctlError)} <= {"locked"}
        seen = bench.engine.inspect(container_id)
        if seen.alive:
            until(bench, container_id, lambda _: bool(processes(bench)))
            assert processes(bench) == [process_of(bench, seen).pid]
        else:
            assert processes(bench) == []
    bench.engine.stop_container(container_id, 1.0)
    assert bench.engine.inspect(container_id).state is not ContainerState.RUNNING
    bench.engine.remove_container(container_id)


def test_who_finds_the_runtime_locked_for_long_is_told_so(bench: NativeBench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(home, "PATIENCE", 0.05)
    with bench.home.locked(), pytest.raises(Conflict) as locked:
        bench.another_engine().create_network(bench.project, bench.stack().networks[0])
    assert locked.value.code == "locked"


def test_a_process_of_which_no_record_could_be_written_never_begins(tmp_path: Path) -> None:
    def refuse(_: Identity) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    ran = tmp_path / "ran"
    output = (os.open(os.devnull, os.O_WRONLY), os.open(os.devnull, os.O_WRONLY))
    launch = Launch(
        argv=(sys.executable, "-c", f"open({str(ran)!r}, 'w')"),
        environment=dict(os.environ),
        folder=tmp_path,
        output=output,
        open_files=1024,
    )
    open_before = len(os.listdir("/proc/self/fd")) - len(output)  # noqa: PTH208 - names that vanish while one looks
    with pytest.raises(OSError, match="No space left"):
        spawn(launch, refuse)
    assert not ran.exists()
    assert len(os.listdir("/proc/self/fd")) == open_before  # noqa: PTH208 - see above
