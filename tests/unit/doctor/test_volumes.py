"""Volumes that are not where the data goes, and disks that a database cannot live on."""

from dataclasses import replace
from pathlib import Path

import pytest

from embctl.doctor.volumes import VOLUMES, VolumeFacts, look
from embctl.model import Runtime
from embctl.outcomes import Finding, Verdict
from fakes.fake_engine import FakeEngine
from fakes.scenes import examined, make_scene, running_engine
from fakes.stacks import make_stack

SPEC = make_stack()
FILESYSTEM = VOLUMES.checks[-1]


@pytest.fixture
def engine() -> FakeEngine:
    return running_engine(SPEC)


def qdrant(folder: Path, engine: FakeEngine) -> Finding:
    with make_scene(folder, engine, spec=SPEC) as scene:
        return examined(VOLUMES, scene)["volumes.qdrant"]


def test_a_volume_where_it_belongs_is_well(tmp_path: Path, engine: FakeEngine) -> None:
    seen = qdrant(tmp_path, engine)
    assert (seen.verdict, seen.evidence) == (Verdict.OK, "embctl-qdrant-data at /data")


def test_a_container_without_the_volume_fails_for_its_data_would_be_lost(tmp_path: Path, engine: FakeEngine) -> None:
    engine.named("embctl-qdrant").mounted = {}
    assert qdrant(tmp_path, engine).verdict is Verdict.FAIL


def test_a_container_with_something_else_in_that_place_fails_with_its_name(tmp_path: Path, engine: FakeEngine) -> None:
    engine.named("embctl-qdrant").mounted = {"/data": "/home/ada/qdrant"}
    assert "/home/ada/qdrant" in qdrant(tmp_path, engine).evidence


def test_a_volume_that_is_gone_under_its_container_fails(tmp_path: Path, engine: FakeEngine) -> None:
    del engine.volumes["embctl-qdrant-data"]
    assert "is gone" in qdrant(tmp_path, engine).evidence


def test_a_service_that_does_not_exist_has_no_volumes_to_judge(tmp_path: Path) -> None:
    assert qdrant(tmp_path, FakeEngine()).verdict is Verdict.SKIPPED


@pytest.mark.parametrize(
    ("kind", "verdict"),
    [
        ("ext4", Verdict.OK),
        ("tmpfs", Verdict.OK),
        ("nfs4", Verdict.FAIL),
        ("9p", Verdict.FAIL),
        ("fuse.sshfs", Verdict.FAIL),
        ("fuseblk", Verdict.OK),
        ("", Verdict.SKIPPED),
    ],
)
def test_a_disk_is_judged_by_its_kind(kind: str, verdict: Verdict) -> None:
    facts = VolumeFacts(wanted={}, containers={}, there=frozenset(), data_root="/data", filesystem=kind)
    assert FILESYSTEM.finding(facts).verdict is verdict


def test_the_kind_is_that_of_the_mount_below_which_the_data_is(tmp_path: Path) -> None:
    engine = running_engine(SPEC, Runtime.NATIVE)
    told = replace(engine.info(), data_root="/proc/self")
    engine.info = lambda: told  # type: ignore[method-assign]  # an engine of another kind
    with make_scene(tmp_path, engine, spec=SPEC) as scene:
        assert look(scene).filesystem == "proc"
