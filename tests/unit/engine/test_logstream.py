"""The engine's frames as lines, however they are cut."""

import struct

import pytest

from embctl.engine.logstream import log_lines

FIRST, SECOND = b"2026-01-01T00:00:00.123456789Z", b"2026-01-01T00:00:01.000000000Z"


def frame(stream: int, payload: bytes) -> bytes:
    return struct.pack(">BxxxL", stream, len(payload)) + payload


def texts(*chunks: bytes) -> list[str]:
    return [line.text for line in log_lines(chunks, "probe")]


def test_a_line_has_its_stream_and_its_time() -> None:
    out, err = log_lines([frame(1, FIRST + b" one\n") + frame(2, SECOND + b" two\n")], "probe")
    assert (out.service, out.text, out.stream) == ("probe", "one", "stdout")
    assert (err.text, err.stream) == ("two", "stderr")
    assert out.timestamp is not None
    assert out.timestamp.isoformat() == "2026-01-01T00:00:00.123456+00:00"


@pytest.mark.parametrize("size", [1, 2, 7, 8, 9, 50])
def test_chunks_may_be_cut_anywhere(size: int) -> None:
    stream = frame(1, FIRST + " éins\n".encode()) + frame(1, SECOND + b" zwei\n")
    assert texts(*(stream[at : at + size] for at in range(0, len(stream), size))) == ["éins", "zwei"]


def test_a_long_line_is_put_together_again_even_inside_a_character() -> None:
    long = ("é" * 10_000).encode()
    messages = (FIRST + b" " + long[:16_383], SECOND + b" " + long[16_383:] + b"\n")
    (line,) = log_lines([frame(1, message) for message in messages], "probe")
    assert line.text == "é" * 10_000
    assert line.timestamp is not None
    assert line.timestamp.second == 0


def test_long_lines_of_both_streams_do_not_mix() -> None:
    assert texts(
        frame(1, FIRST + b" out-"),
        frame(2, FIRST + b" err-"),
        frame(1, SECOND + b" put\n"),
        frame(2, SECOND + b" or\n"),
    ) == ["out-put", "err-or"]


def test_several_messages_in_one_frame_are_several_lines() -> None:
    assert texts(frame(1, FIRST + b" one\n" + SECOND + b" two\n")) == ["one", "two"]


def test_an_empty_line_stays_and_a_carriage_return_goes() -> None:
    assert texts(frame(1, FIRST + b" \n"), frame(1, FIRST + b" 50%\r100%\r\n")) == ["", "50%\r100%"]


def test_the_last_line_needs_no_newline() -> None:
    assert texts(frame(1, FIRST + b" dying words")) == ["dying words"]


def test_what_is_no_utf8_is_replaced() -> None:
    assert texts(frame(1, FIRST + b" \xff!\n")) == ["\ufffd!"]
