"""The log's files: limited in size and number, and read to the last record while they change."""

import errno
import os
from pathlib import Path

import pytest

from embctl.engine.native.segments import LogReader, LogWriter, log_size


def record(number: int) -> bytes:
    return b"record %06d" % number


def write(writer: LogWriter, numbers: range) -> None:
    for number in numbers:
        writer.append(record(number) + b"\n")


def everything(folder: Path) -> list[bytes]:
    with LogReader(folder) as reader:
        return list(reader.read())


@pytest.mark.parametrize(
    ("text", "size"), [("10m", 10_000_000), ("1.5k", 1500), ("2G", 2_000_000_000), ("77", 77), ("7b", 7)]
)
def test_a_size_is_read_as_docker_reads_it(text: str, size: int) -> None:
    assert log_size(text) == size


def test_what_is_written_is_read_in_order(tmp_path: Path) -> None:
    write(LogWriter(tmp_path, size=1000, files=3), range(10))
    assert everything(tmp_path) == [record(number) for number in range(10)]


def test_a_log_that_is_not_there_yet_is_empty(tmp_path: Path) -> None:
    assert everything(tmp_path / "none") == []


def test_files_keep_their_size_and_the_oldest_go(tmp_path: Path) -> None:
    write(LogWriter(tmp_path, size=100, files=3), range(1000))
    sizes = [file.stat().st_size for file in tmp_path.iterdir()]
    assert len(sizes) == 3
    assert max(sizes) <= 100
    kept = everything(tmp_path)
    assert kept == [record(number) for number in range(1000 - len(kept), 1000)]


def test_a_writer_goes_on_where_another_one_ended(tmp_path: Path) -> None:
    write(LogWriter(tmp_path, size=100, files=3), range(7))
    write(LogWriter(tmp_path, size=100, files=3), range(7, 12))
    assert everything(tmp_path) == [record(number) for number in range(12)]
    assert len(list(tmp_path.iterdir())) == 2


def test_a_reader_loses_and_repeats_nothing_while_files_begin_and_go(tmp_path: Path) -> None:
    writer = LogWriter(tmp_path, size=100, files=2)
    seen: list[bytes] = []
    with LogReader(tmp_path) as reader:
        for number in range(500):
            writer.append(record(number) + b"\n")
            if number % 7 == 0:
                seen += reader.read()
        seen += reader.read()
    assert seen == [record(number) for number in range(500)]


def test_a_reader_that_was_left_behind_goes_on_with_the_oldest_that_is_kept(tmp_path: Path) -> None:
    writer = LogWriter(tmp_path, size=100, files=2)
    with LogReader(tmp_path) as reader:
        writer.append(record(0) + b"\n")
        assert list(reader.read()) == [record(0)]
        write(writer, range(1, 300))
        late = list(reader.read())
    assert late[0] == record(1)  # of the file that it had open
    assert late[-1] == record(299)
    assert late == sorted(set(late))


def test_a_record_is_read_once_it_is_whole(tmp_path: Path) -> None:
    file = tmp_path / f"{1:09}"
    with LogReader(tmp_path) as reader:
        file.write_bytes(b"whole\nhal")
        assert list(reader.read()) == [b"whole"]
        with file.open("ab") as more:
            more.write(b"f\n")
        assert list(reader.read()) == [b"half"]


def test_a_record_of_which_a_killed_writer_left_a_part_does_not_spoil_the_next(tmp_path: Path) -> None:
    (tmp_path / f"{1:09}").write_bytes(b"whole\nhal")
    LogWriter(tmp_path, size=1000, files=3).append(record(1) + b"\n")
    assert everything(tmp_path) == [b"whole", b"hal", record(1)]


def test_what_cannot_be_written_whole_is_not_written_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = LogWriter(tmp_path, size=1000, files=3)
    writer.append(record(1) + b"\n")
    really, left = os.write, [5]

    def full_disk(descriptor: int, data: bytes) -> int:
        if not left[0]:
            raise OSError(errno.ENOSPC, "No space left on device")
        taken, left[0] = left[0], 0
        return really(descriptor, data[:taken])

    monkeypatch.setattr(os, "write", full_disk)
    with pytest.raises(OSError, match="No space"):
        writer.append(record(2) + b"\n")
    monkeypatch.undo()
    writer.append(record(3) + b"\n")
    assert everything(tmp_path) == [record(1), record(3)]
