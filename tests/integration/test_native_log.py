"""The log of a native container: whole lines with their times, whatever the process writes, and however much."""

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from embctl.model import ContainerState, LogLine, ObservedContainer
from engines.native_bench import NativeBench, native_bench
from engines.native_steps import await_line, end, lines, process_of
from engines.programs import Program
from engines.steps import never, started, until
from small_disk import small_disk


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[NativeBench]:
    with native_bench(tmp_path) as bench:
        yield bench


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of a megabyte."""
    with small_disk(tmp_path, size="1m") as disk:
        yield disk


def python(code: str) -> Program:
    """A program in Python, for what a shell cannot write."""
    return Program(script=f"exec python3 -c '{code}'")


def followed(bench: NativeBench, container: ObservedContainer) -> list[LogLine]:
    return list(bench.engine.logs(container, follow=True, tail=None, since=None, cancel=never()))


def test_the_streams_are_told_apart(bench: NativeBench) -> None:
    said = followed(bench, started(bench, Program(script="echo one; echo two >&2")))
    assert sorted((line.stream, line.text) for line in said) == [("stderr", "two"), ("stdout", "one")]


def test_what_python_prints_shows_at_once(bench: NativeBench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)
    await_line(bench, started(bench, python('import time; print("one"); time.sleep(600)')), "one")


def test_a_huge_line_stays_one_line(bench: NativeBench) -> None:
    container = started(bench, python('print("é" * 200_000); print("next")'))
    assert [line.text for line in followed(bench, container)] == ["é" * 200_000, "next"]


def test_what_is_no_text_is_kept_readable(bench: NativeBench) -> None:
    code = 'import sys; sys.stdout.buffer.write(b"a\\xffb\\r\\n\\n \\t\\x00c 2026-01-01 stdout F d\\nlast")'
    assert [line.text for line in followed(bench, started(bench, python(code)))] == [
        "a\ufffdb",
        "",
        " \t\x00c 2026-01-01 stdout F d",
        "last",
    ]


def test_a_long_log_is_cut_at_its_oldest_end_and_a_follower_sees_all_of_it(bench: NativeBench) -> None:
    # Each thousand waits until the one before was read: a follower that is slower than the log is long loses lines.
    script = """
    i=0
    while [ $i -lt 5000 ]; do
        i=$((i + 1)); echo "line $i of many, many lines to come"
        case $i in *000) while ! [ -e "$DATA/$i" ]; do sleep 0.01; done;; esac
    done
    """
    container = started(bench, Program(script=script), log_options={"max-size": "100k", "max-file": "2"})
    said = []
    for line in bench.engine.logs(container, follow=True, tail=None, since=None, cancel=never()):
        said.append(line.text)
        if len(said) % 1000 == 0:
            (bench.home.volume(f"{bench.project}-qdrant-data") / str(len(said))).touch()
    assert said == [f"line {number} of many, many lines to come" for number in range(1, 5001)]
    files = list(bench.container(container.id).log.iterdir())
    assert len(files) == 2
    assert max(file.stat().st_size for file in files) <= 100_000
    kept = lines(bench, container)
    assert 1000 < len(kept) < 5000
    assert kept == said[-len(kept) :]
    tail = bench.engine.logs(container, follow=False, tail=3, since=None, cancel=never())
    assert [line.text for line in tail] == said[-3:]


def test_a_follower_goes_on_through_a_crash(bench: NativeBench) -> None:
    script = (
        'n=$(($(cat "$DATA/n" 2>/dev/null || echo 0) + 1)); echo $n >"$DATA/n"; echo run $n; [ $n -lt 3 ] && exit 1'
    )
    container = started(bench, Program(script=f"{script}; exit 0"), restart="on-failure")
    assert [line.text for line in followed(bench, container)] == ["run 1", "run 2", "run 3"]


def test_every_line_of_a_run_is_older_than_the_next_run(bench: NativeBench) -> None:
    container = started(bench, Program(script="echo one; exec sleep 600"), restart="always")
    await_line(bench, container, "one")
    end(process_of(bench, container))
    again = until(bench, container.id, lambda now: now.restarts == 1 and now.state is ContainerState.RUNNING)
    assert again.started_at is not None
    old = bench.engine.logs(container, follow=False, tail=1, since=None, cancel=never())
    assert [line.timestamp < again.started_at for line in old if line.timestamp] == [True]


def test_a_process_that_closed_its_streams_runs_on(bench: NativeBench) -> None:
    container = started(bench, Program(script="echo one; exec sleep 600 >&- 2>&-"))
    await_line(bench, container, "one")
    process = psutil.Process(process_of(bench, container).pid)
    until(bench, container.id, lambda _: process.name() == "sleep")
    assert process.num_fds() == 1
    assert bench.engine.inspect(container.id).state is ContainerState.RUNNING
    assert lines(bench, container) == ["one"]


def test_many_short_lines_at_once_stay_within_the_limit_of_a_file(bench: NativeBench) -> None:
    program = Program(script="yes 2>/dev/null | head -n 200000; echo end")
    container = started(bench, program, log_options={"max-size": "1m", "max-file": "2"})
    assert followed(bench, container)[-1].text == "end"
    assert max(file.stat().st_size for file in bench.container(container.id).log.iterdir()) <= 1_000_000


def test_a_flood_neither_fills_the_disk_nor_keeps_the_container_from_being_stopped(bench: NativeBench) -> None:
    container = started(bench, Program(script="exec yes"), log_options={"max-size": "1m", "max-file": "2"})
    output = bench.container(container.id).output("stdout")
    given_up = "bytes of output were given up"
    for line in bench.engine.logs(container, follow=True, tail=None, since=None, cancel=never()):
        if given_up in line.text:
            break
    bench.engine.stop_container(container.id, 5.0)
    assert bench.engine.inspect(container.id).exit_code == 143
    assert sum(file.stat().st_size for file in bench.container(container.id).log.iterdir()) <= 2_000_000
    assert output.stat().st_size == 0


def test_a_full_disk_holds_up_lines_and_nothing_else(disk: Path) -> None:
    with native_bench(disk) as bench:
        working = Program(script="trap 'exit 0' TERM; while :; do echo working; sleep 0.01; done")
        container = started(bench, working, restart="always")
        await_line(bench, container, "working")
        folder = bench.container(container.id)
        filler = disk / "filler"
        with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
            while True:
                file.write(b"x" * 4096)
        output, taken = folder.output("stdout"), folder.output("stdout.taken")
        while output.stat().st_size < int(taken.read_bytes()) + 500:
            time.sleep(0.01)  # until the log has refused several turns
        held = len(lines(bench, container))
        assert bench.engine.inspect(container.id).state is ContainerState.RUNNING
        end(process_of(bench, container))
        filler.unlink()
        until(bench, container.id, lambda now: now.restarts == 1 and now.state is ContainerState.RUNNING)
        bench.engine.stop_container(container.id, 60.0)
        assert bench.engine.inspect(container.id).exit_code == 0
        assert len(lines(bench, container)) >= held + 500 // len("working\n")
