"""A loss of power: what was acknowledged with `wait=true` is on the disk, whatever the system still had in memory.

The storage lies on a file system inside a file. What the disk would hold without power is that file, copied while the
store is frozen: nothing that the system has not written back is in it.
"""

import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from embstore_ledger import COLLECTION, Ledger, create
from embstore_process import StoreProcess


@contextmanager
def _mounted(image: Path) -> Iterator[Path]:
    folder = image.with_suffix(".mounted")
    folder.mkdir()
    # The system's own writing back must not do what the store has to.
    mount = subprocess.run(
        ["mount", "-o", "loop,commit=300", image, folder], capture_output=True, text=True, check=False
    )
    if mount.returncode != 0:
        pytest.skip(f"a file system in a file cannot be mounted here: {mount.stderr.strip()}")
    try:
        yield folder
    finally:
        # Lazily: what was killed a moment ago, a vacuum's process for one, may still be on its way out.
        subprocess.run(["umount", "-l", folder], check=True)


@pytest.fixture
def image(tmp_path: Path) -> Path:
    if os.name == "nt" or os.geteuid() != 0 or not (shutil.which("mkfs.ext4") and shutil.which("losetup")):
        pytest.skip("a file system of one's own takes root, mkfs.ext4 and losetup")
    image = tmp_path / "disk"
    with image.open("wb") as file:
        file.truncate(512 * 1024 * 1024)
    subprocess.run(["mkfs.ext4", "-q", "-F", image], check=True)
    return image


@pytest.mark.parametrize("vacuum", [False, True])
def test_a_loss_of_power_loses_no_acknowledged_write(image: Path, *, vacuum: bool) -> None:
    env = {"EMBSTORE_VACUUM_IDLE_SECONDS": "0", "EMBSTORE_VACUUM_WASTE_MB": "0"} if vacuum else {}
    ledger, enough = Ledger(0), threading.Event()
    copy = image.with_name("copy")
    with ExitStack() as stack:
        disk = stack.enter_context(_mounted(image))
        store = stack.enter_context(StoreProcess(disk / "storage", **env))
        create(store)
        writing = threading.Thread(target=ledger.write, args=(store, 150, enough))
        writing.start()
        assert enough.wait(60)
        shards = disk / "storage" / "collections" / COLLECTION
        while vacuum and (shards / "shard").exists():
            enough.clear()
            enough.wait(0.01)
        store.process.send_signal(signal.SIGSTOP)
        shutil.copyfile(image, copy)
        store.kill()
        writing.join()
    with _mounted(copy) as disk, StoreProcess(disk / "storage") as store:
        assert ledger.check(store) > 0
