"""What a process wrote and is not in the log yet: handed over once, and never without bounds."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from embctl.engine.native.spool import CUT_AT, MOST_LINES, PORTION, TOO_MUCH, Piece, Spool


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "stdout"


@pytest.fixture
def process(path: Path) -> Iterator[int]:
    """What the process writes to."""
    descriptor = Spool.of_supervisor(path).open()
    yield descriptor
    os.close(descriptor)


def take(spool: Spool, *, ended: bool = False) -> list[Piece]:
    pieces, length = spool.look(ended=ended)
    spool.advance(length)
    return pieces


def full(*texts: bytes) -> list[Piece]:
    return [Piece(text=text, full=True) for text in texts]


def test_lines_come_once(path: Path, process: int) -> None:
    spool = Spool.of_supervisor(path)
    assert take(spool) == []
    os.write(process, b"one\ntwo\n")
    assert take(spool) == full(b"one", b"two")
    assert take(spool) == []
    os.write(process, b"three\n")
    assert take(spool) == full(b"three")


def test_a_line_waits_for_its_newline_or_the_end(path: Path, process: int) -> None:
    spool = Spool.of_supervisor(path)
    os.write(process, b"one\ntw")
    assert take(spool) == full(b"one")
    assert take(spool) == []
    os.write(process, b"o\nthree")
    assert take(spool) == full(b"two")
    assert take(spool, ended=True) == full(b"three")
    assert take(spool, ended=True) == []


@pytest.mark.parametrize("length", [PORTION - 1, PORTION, PORTION + 1, 3 * PORTION])
def test_a_huge_line_comes_in_parts_the_last_of_which_ends_it(path: Path, process: int, length: int) -> None:
    spool = Spool.of_supervisor(path)
    os.write(process, b"x" * length)
    pieces: list[Piece] = []
    while fresh := take(spool, ended=True):
        pieces += fresh
    assert b"".join(piece.text for piece in pieces) == b"x" * length
    assert [piece.full for piece in pieces] == [False] * (len(pieces) - 1) + [True]


@pytest.mark.parametrize("rest", [b"", b"unfinished"])
@pytest.mark.parametrize("count", [MOST_LINES - 1, MOST_LINES, MOST_LINES + 1, 5 * MOST_LINES])
def test_many_short_lines_are_taken_some_at_a_time(path: Path, process: int, count: int, rest: bytes) -> None:
    spool = Spool.of_supervisor(path)
    os.write(process, b"y\n" * count + rest)
    pieces: list[Piece] = []
    while fresh := take(spool, ended=True):
        assert len(fresh) <= MOST_LINES + 1
        pieces += fresh
    assert pieces == full(*[b"y"] * count, *filter(None, [rest]))


def test_pieces_that_were_not_safe_come_again(path: Path, process: int) -> None:
    spool = Spool.of_supervisor(path)
    os.write(process, b"one\n")
    spool.look(ended=False)
    assert take(spool) == full(b"one")


def test_the_next_supervisor_goes_on_where_the_last_one_was(path: Path, process: int) -> None:
    os.write(process, b"one\ntwo\n")
    assert take(Spool.of_supervisor(path)) == full(b"one", b"two")
    os.write(process, b"three\n")
    assert take(Spool.of_supervisor(path)) == full(b"three")


def test_a_reader_takes_nothing_from_the_supervisor(path: Path, process: int) -> None:
    os.write(process, b"one\n")
    take(Spool.of_supervisor(path))
    os.write(process, b"two\n")
    assert take(Spool.of_reader(path)) == full(b"two")
    assert take(Spool.of_supervisor(path)) == full(b"two")


def test_the_file_is_cut_when_there_is_much_that_nobody_needs(path: Path, process: int) -> None:
    spool, lines = Spool.of_supervisor(path), 0
    for _ in range(3 * CUT_AT // 1000):
        os.write(process, b"x" * 999 + b"\n")
        lines += len(take(spool))
        assert path.stat().st_size <= CUT_AT + 1000
    assert lines == 3 * CUT_AT // 1000


def test_what_came_much_too_fast_is_given_up(path: Path, process: int) -> None:
    spool = Spool.of_supervisor(path)
    for _ in range(TOO_MUCH // CUT_AT):
        os.write(process, b"x" * CUT_AT)
    assert spool.skip() == 0
    os.write(process, b"x")
    assert spool.skip() == TOO_MUCH + 1
    assert path.stat().st_size == 0
    os.write(process, b"after\n")
    assert take(spool) == full(b"after")


def test_a_file_that_somebody_cut_is_read_from_its_beginning(path: Path, process: int) -> None:
    spool = Spool.of_supervisor(path)
    os.write(process, b"one\n")
    take(spool)
    os.truncate(path, 0)
    os.write(process, b"2\n")
    assert take(spool) == full(b"2")
