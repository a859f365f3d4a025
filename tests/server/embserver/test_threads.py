"""The cores that a control group grants, read from trees of files as kernels of both generations lay them out."""

from pathlib import Path

import pytest

from embserver.threads import granted_cores


def tree(root: Path, files: dict[str, str]) -> Path:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="ascii")
    return root


def test_without_any_limit_it_is_the_processors_this_process_may_use(tmp_path: Path) -> None:
    assert granted_cores(tmp_path, affinity=6) == 6
    assert granted_cores() >= 1


@pytest.mark.parametrize(
    ("quota", "cores"), [("200000 100000", 2), ("150000 100000", 2), ("50000 100000", 1), ("max 100000", 16)]
)
def test_a_quota_of_version_2_is_rounded_up_to_whole_cores(tmp_path: Path, quota: str, cores: int) -> None:
    tree(tmp_path, {"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": quota + "\n"})

    assert granted_cores(tmp_path, affinity=16) == cores


@pytest.mark.parametrize("mount", ["cpu", "cpu,cpuacct"])
@pytest.mark.parametrize(("quota", "cores"), [("300000", 3), ("-1", 16)])
def test_a_quota_of_version_1_is_read_too(tmp_path: Path, mount: str, quota: str, cores: int) -> None:
    files = {
        "proc/self/cgroup": "12:pids:/\n4:cpu,cpuacct:/docker/abc\n",
        f"sys/fs/cgroup/{mount}/cpu.cfs_quota_us": quota + "\n",
        f"sys/fs/cgroup/{mount}/cpu.cfs_period_us": "100000\n",
    }

    assert granted_cores(tree(tmp_path, files), affinity=16) == cores


def test_the_smallest_quota_on_the_way_up_counts(tmp_path: Path) -> None:
    files = {
        "proc/self/cgroup": "0::/user.slice/job\n",
        "sys/fs/cgroup/user.slice/cpu.max": "400000 100000\n",
        "sys/fs/cgroup/user.slice/job/cpu.max": "max 100000\n",
    }

    assert granted_cores(tree(tmp_path, files), affinity=16) == 4


def test_a_quota_above_the_machine_grants_no_more_than_the_machine(tmp_path: Path) -> None:
    tree(tmp_path, {"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "6400000 100000\n"})

    assert granted_cores(tmp_path, affinity=4) == 4
