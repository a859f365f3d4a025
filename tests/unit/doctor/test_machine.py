"""Disks that are full, limits that are low, and little memory, by a system that says so: no test fills a machine's."""

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from embctl.doctor.machine import GIB, MACHINE, MachineFacts, Room, look
from embctl.model import Runtime, Ulimit
from embctl.outcomes import Verdict
from fakes.fake_engine import FakeEngine
from fakes.scenes import examined, make_scene, running_engine
from fakes.stacks import make_stack, with_service
from small_disk import fill, small_disk

FACTS = MachineFacts(
    elsewhere=False,
    memory=Room(free=10 * GIB, total=16 * GIB),
    limits={"qdrant": 2 * GIB, "jina": 6 * GIB},
    down=(),
    data_root="/data",
    disk=Room(free=10 * GIB, total=100 * GIB),
    open_files=None,
    needed_files=0,
)
MEMORY, DISK, FILES = MACHINE.checks


def being_at(folder: Path, runtime: Runtime = Runtime.DOCKER) -> FakeEngine:
    engine = running_engine(make_stack(), runtime)
    told = replace(engine.info(), data_root=str(folder))
    engine.info = lambda: told  # type: ignore[method-assign]  # an engine of another kind
    return engine


@pytest.mark.parametrize(
    ("down", "free", "verdict"),
    [
        ((), 1 * GIB, Verdict.OK),
        ((), GIB // 5, Verdict.WARN),
        (("jina",), 2 * GIB, Verdict.OK),
        (("jina",), GIB, Verdict.WARN),
        (("jina", "qdrant"), GIB // 2, Verdict.FAIL),
    ],
)
def test_free_memory_is_held_against_what_has_yet_to_start(down: tuple[str, ...], free: int, verdict: Verdict) -> None:
    facts = replace(FACTS, down=down, memory=Room(free=free, total=16 * GIB))
    assert MEMORY.finding(facts).verdict is verdict


def test_limits_beyond_the_machines_memory_are_a_warning() -> None:
    facts = replace(FACTS, memory=Room(free=4 * GIB, total=6 * GIB))
    assert MEMORY.finding(facts).verdict is Verdict.WARN
    assert MEMORY.finding(replace(facts, limits={})).verdict is Verdict.OK


def test_the_machine_at_hand_has_memory(tmp_path: Path) -> None:
    with make_scene(tmp_path, running_engine(make_stack())) as scene:
        memory = look(scene).memory
    assert 0 < memory.free <= memory.total


@pytest.mark.skipif(sys.platform != "linux", reason="Linux tells its memory in a file")
@pytest.mark.parametrize(("left_mb", "verdict"), [(100, Verdict.FAIL), (1800, Verdict.WARN), (4000, Verdict.OK)])
def test_a_machine_with_little_memory_left_is_told_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, left_mb: int, verdict: Verdict
) -> None:
    told = Path("/proc/meminfo").read_text(encoding="ascii")
    low = re.sub(r"(?m)^MemAvailable:.*", f"MemAvailable: {left_mb * 1000} kB", told)
    (tmp_path / "meminfo").write_text(re.sub(r"(?m)^MemTotal:.*", "MemTotal: 16000000 kB", low), encoding="ascii")
    monkeypatch.setattr("psutil.PROCFS_PATH", str(tmp_path))
    spec = make_stack()

    with make_scene(tmp_path / "home", FakeEngine(), spec=spec) as scene:
        seen = examined(MACHINE, scene)["machine.memory"]

    assert seen.verdict is verdict
    assert "to start qdrant, jina" in seen.evidence


def test_a_full_disk_under_the_data_fails(tmp_path: Path) -> None:
    with small_disk(tmp_path, size="1m") as disk, make_scene(tmp_path, being_at(disk)) as scene:
        fill(disk)
        seen = examined(MACHINE, scene)["machine.disk"]
    assert seen.verdict is Verdict.FAIL
    assert str(disk) in seen.evidence


def test_a_data_folder_that_is_yet_to_be_made_counts_as_the_disk_it_will_be_on(tmp_path: Path) -> None:
    with make_scene(tmp_path, being_at(tmp_path / "a" / "b", Runtime.NATIVE)) as scene:
        assert examined(MACHINE, scene)["machine.disk"].verdict in {Verdict.OK, Verdict.WARN}


def test_a_disk_that_only_the_engine_sees_is_skipped(tmp_path: Path) -> None:
    with make_scene(tmp_path, being_at(tmp_path / "in-a-virtual-machine")) as scene:
        assert examined(MACHINE, scene)["machine.disk"].verdict is Verdict.SKIPPED


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")
def test_a_process_whose_limit_was_lowered_sees_that() -> None:
    asking = "from embctl.doctor.machine import hard_limit_of_open_files as limit; print(limit())"
    seen = subprocess.run(
        ["sh", "-c", f"ulimit -n 256; {sys.executable} -c '{asking}'"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    low = int(seen)
    assert low == 256
    assert FILES.finding(replace(FACTS, open_files=low, needed_files=10000)).verdict is Verdict.WARN


def test_open_files_matter_natively_alone(tmp_path: Path) -> None:
    spec = make_stack()
    limit = Ulimit(name="nofile", soft=1, hard=1)
    spec = with_service(spec, replace(spec.service("qdrant"), ulimits=(limit,)))
    with make_scene(tmp_path, being_at(tmp_path), spec=spec) as scene:
        assert examined(MACHINE, scene)["machine.open-files"].verdict is Verdict.SKIPPED
    with make_scene(tmp_path, being_at(tmp_path, Runtime.NATIVE), spec=spec) as scene:
        assert examined(MACHINE, scene)["machine.open-files"].verdict is Verdict.OK
