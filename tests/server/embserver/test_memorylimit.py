"""The memory that a control group grants, read from trees of files as kernels of both generations lay them out."""

from pathlib import Path

import pytest

from embserver.memorylimit import WORKING_BYTES, granted_bytes, shortage

GIB = 1 << 30


def tree(root: Path, files: dict[str, str]) -> Path:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="ascii")
    return root


def test_without_control_groups_there_is_no_limit(tmp_path: Path) -> None:
    assert granted_bytes(tmp_path) is None


@pytest.mark.parametrize(("said", "limit"), [(f"{GIB}", GIB), ("max", None)])
def test_version_2_says_a_number_or_max(tmp_path: Path, said: str, limit: int | None) -> None:
    tree(tmp_path, {"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": said + "\n"})

    assert granted_bytes(tmp_path) == limit


@pytest.mark.parametrize(("said", "limit"), [(f"{GIB}", GIB), ("9223372036854771712", None)])
def test_version_1_says_a_number_and_a_huge_one_for_none(tmp_path: Path, said: str, limit: int | None) -> None:
    files = {
        "proc/self/cgroup": "12:pids:/\n4:memory:/docker/abc\n0::/\n",
        "sys/fs/cgroup/memory/memory.limit_in_bytes": said + "\n",
    }

    assert granted_bytes(tree(tmp_path, files)) == limit


def test_the_smallest_limit_on_the_way_up_counts(tmp_path: Path) -> None:
    files = {
        "proc/self/cgroup": "0::/user.slice/job\n",
        "sys/fs/cgroup/user.slice/memory.max": f"{GIB}\n",
        "sys/fs/cgroup/user.slice/job/memory.max": f"{2 * GIB}\n",
    }

    assert granted_bytes(tree(tmp_path, files)) == GIB


def test_a_shortage_names_what_there_is_what_is_needed_and_what_to_do() -> None:
    weights = 600 << 20

    said = shortage(700 << 20, weights)

    assert said is not None
    assert "700 MiB" in said
    assert "950 MiB (600 for its weights)" in said
    assert "Raise the memory limit" in said


def test_a_limit_that_suffices_and_none_are_no_shortage() -> None:
    assert shortage(None, 600 << 20) is None
    assert shortage((600 << 20) + WORKING_BYTES, 600 << 20) is None
