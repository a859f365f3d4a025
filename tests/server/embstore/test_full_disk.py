"""A full disk: a clear 500, a living process, nothing lost, and writing again once there is room."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from embstore_process import StoreProcess

SIZE = 768
CREATE = {"vectors": {"size": SIZE, "distance": "Cosine", "on_disk": True}}


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    if os.name == "nt" or os.geteuid() != 0:
        pytest.skip("mounting a small tmpfs takes root")
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=112m", "none", disk], capture_output=True, text=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip(f"a tmpfs cannot be mounted here: {mounted.stderr.strip()}")
    yield disk
    subprocess.run(["umount", disk], check=True)


def _fill(store: StoreProcess, collection: str) -> tuple[int, str]:
    """Upsert until refused; the number of points acknowledged, and the refusal."""
    payload = {"codeChunk": "x" * 700}
    for batch in range(10_000):
        points: list[dict[str, Any]] = [
            {"id": batch * 60 + n, "vector": [0.5, float(n)] * (SIZE // 2), "payload": payload} for n in range(60)
        ]
        status, reply = store.call("PUT", f"/collections/{collection}/points?wait=true", {"points": points})
        if status != 200:
            assert status == 500
            return batch * 60, reply["status"]["error"]
    raise AssertionError("the disk never filled up")


def _count(store: StoreProcess, collection: str) -> int:
    return int(store.call("POST", f"/collections/{collection}/points/count", {})[1]["result"]["count"])


def test_a_full_disk_refuses_writes_keeps_points_and_recovers(small_disk: Path) -> None:
    with StoreProcess(small_disk) as store:
        for name in ("first", "second"):
            assert store.call("PUT", f"/collections/{name}", CREATE)[0] == 200
        written, error = _fill(store, "first")
        assert written > 0
        assert error.startswith("Service internal error: No space left on device: this write needs ")
        assert store.process.poll() is None
        assert _count(store, "first") == written
        store.kill()
    with StoreProcess(small_disk) as store:
        assert _count(store, "first") == written
        assert store.call("DELETE", "/collections/first")[1]["result"] is True
        again, _ = _fill(store, "second")
        assert again > 0
        assert _count(store, "second") == again


def test_a_disk_filled_by_others_fails_each_collection_and_kills_nothing(small_disk: Path) -> None:
    with StoreProcess(small_disk) as store:
        store.call("PUT", "/collections/c", CREATE)
        point = {"id": 1, "vector": [1.0] * SIZE}
        assert store.call("PUT", "/collections/c/points?wait=true", {"points": [point]})[0] == 200
        store.kill()
    filler = small_disk / "filler"
    with filler.open("wb") as file:
        while True:
            try:
                file.write(b"x" * 65536)
                file.flush()
            except OSError:
                break
    with StoreProcess(small_disk) as store:
        status, reply = store.call("GET", "/collections/c")
        assert status == 500
        assert "No space left on device" in reply["status"]["error"]
        store.stop()
    filler.unlink()
    with StoreProcess(small_disk) as store:
        assert _count(store, "c") == 1
