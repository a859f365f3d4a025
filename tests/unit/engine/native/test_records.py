"""Records: whole at every moment, for their owner's eyes alone."""

import os
import stat
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from embctl.engine.native.identity import Identity
from embctl.engine.native.records import Phase, RecordBroken, Status, read, stamp, write


def test_a_record_comes_back_as_it_was(tmp_path: Path) -> None:
    status = Status(
        phase=Phase.RUNNING,
        token="a",  # noqa: S106 - no password
        supervisor=Identity(pid=1, started="x"),
        exit_code=None,
        restarts=2,
        started_at=stamp(),
    )
    write(tmp_path / "status.json", status.to_json())
    assert read(tmp_path / "status.json", Status.from_json) == status


def test_no_record_is_none(tmp_path: Path) -> None:
    assert read(tmp_path / "none.json", dict) is None
    assert read(tmp_path / "none" / "none.json", dict) is None


def test_only_its_owner_reads_a_record(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        write(tmp_path / "record.json", {})
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "record.json").stat().st_mode) == 0o600


def test_a_record_that_cannot_be_written_leaves_the_old_one_and_no_litter(tmp_path: Path) -> None:
    write(tmp_path / "record.json", {"number": 1})
    with pytest.raises(TypeError):
        write(tmp_path / "record.json", {"number": object()})
    assert read(tmp_path / "record.json", dict) == {"number": 1}
    assert [file.name for file in tmp_path.iterdir()] == ["record.json"]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b'{"format": 99}', b"{}", b"\xff"])
def test_what_embctl_did_not_write_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "record.json").write_bytes(content)
    with pytest.raises(RecordBroken, match=r"record\.json"):
        read(tmp_path / "record.json", dict)


@pytest.mark.parametrize("damage", [{"phase": "dancing"}, {"supervisor": 7}, {"unknown": 1}, {"started_at": "noon"}])
def test_a_status_with_a_wrong_value_is_refused_and_its_file_named(tmp_path: Path, damage: dict[str, object]) -> None:
    write(tmp_path / "status.json", {**Status().to_json(), **damage})
    with pytest.raises(RecordBroken, match=r"status\.json") as broken:
        read(tmp_path / "status.json", Status.from_json)
    assert broken.value.path == tmp_path / "status.json"


def test_later_moments_sort_behind_wherever_they_were_told() -> None:
    noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    east = noon.astimezone(timezone(timedelta(hours=9)))
    moments = [noon - timedelta(seconds=1), east, noon + timedelta(microseconds=1), noon + timedelta(days=300)]
    assert [stamp(moment) for moment in moments] == sorted(stamp(moment) for moment in moments)
    assert stamp(east) == stamp(noon) == "2026-01-01T12:00:00.000000Z"
