"""Bringing a log to the disk while it goes on."""

import os
from pathlib import Path

import pytest

from embstore.edge import files


def test_a_segment_that_is_renamed_meanwhile_is_synced_under_its_new_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "wal"
    log.mkdir()
    for name in ("closed-0", "open-1", "open-2"):
        (log / name).write_bytes(b"x")
    synced: list[str] = []
    sync = os.fsync

    def rename_and_sync(descriptor: int) -> None:
        if (log / "open-1").exists():
            (log / "open-1").rename(log / "closed-1")
        synced.append(os.path.basename(os.readlink(f"/proc/self/fd/{descriptor}")))  # noqa: PTH115, PTH119 - as it is
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", rename_and_sync)
    files.sync_log(tmp_path)
    assert {"closed-0", "closed-1", "open-2"} <= set(synced)
    assert synced[-1] == "wal"
