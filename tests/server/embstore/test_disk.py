"""Writes are admitted while all of them together still fit."""

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from embstore.disk import WRITE_RESERVE, DiskGuard
from embstore.errors import Internal

MIB = 1024 * 1024


@pytest.fixture
def guard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DiskGuard:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=WRITE_RESERVE + 40 * MIB))
    return DiskGuard(tmp_path)


def test_a_write_that_fits_with_what_it_grows_to_is_admitted(guard: DiskGuard) -> None:
    with guard.room_for(10 * MIB):
        pass


def test_a_write_that_would_eat_the_reserve_is_refused_with_the_numbers(guard: DiskGuard) -> None:
    with pytest.raises(Internal, match=r"No space left on device: this write needs 108 MiB free .* 104 MiB are"):
        guard.room_for(11 * MIB).__enter__()


def test_writes_in_work_count(guard: DiskGuard) -> None:
    with guard.room_for(6 * MIB):
        with pytest.raises(Internal), guard.room_for(6 * MIB):
            pass
        with guard.room_for(4 * MIB):
            pass
    with guard.room_for(10 * MIB):
        pass
