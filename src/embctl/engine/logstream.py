"""The engine's log stream, bytes to lines: frames of stdout and stderr, each message led by its timestamp. Pure."""

import re
import struct
from collections.abc import Iterable, Iterator

from embctl.engine.inspected import moment
from embctl.model import LogLine

__all__ = ["log_lines"]

HEADER = struct.Struct(">BxxxL")
MESSAGES = re.compile(rb"[^\n]*\n|[^\n]+")
STREAMS = {1: "stdout", 2: "stderr"}


def log_lines(chunks: Iterable[bytes], service: str) -> Iterator[LogLine]:
    """The lines in `chunks`, however these are cut.

    A line over the engine's message size (16 KiB) comes as several messages, each with a timestamp: the first one
    counts. Bytes are joined before they are decoded, so that no character is torn; what is not UTF-8 is replaced.
    """
    unfinished: dict[str, tuple[bytes, bytes]] = {}
    for stream, payload in _frames(chunks):
        for piece in MESSAGES.findall(payload):
            begun = unfinished.pop(stream, None)
            stamp, text = _cut_stamp(piece)
            if begun is not None:
                stamp, text = begun[0], begun[1] + text
            if piece.endswith(b"\n"):
                yield _line(service, stream, stamp, text)
            else:
                unfinished[stream] = (stamp, text)
    for stream, (stamp, text) in unfinished.items():
        yield _line(service, stream, stamp, text)


def _frames(chunks: Iterable[bytes]) -> Iterator[tuple[str, bytes]]:
    buffer = b""
    for chunk in chunks:
        buffer += chunk
        while len(buffer) >= HEADER.size:
            stream, length = HEADER.unpack_from(buffer)
            end = HEADER.size + length
            if len(buffer) < end:
                break
            yield STREAMS.get(stream, "stderr"), buffer[HEADER.size : end]
            buffer = buffer[end:]


def _cut_stamp(piece: bytes) -> tuple[bytes, bytes]:
    stamp, space, text = piece.partition(b" ")
    if space and moment(stamp.decode(errors="replace")) is not None:
        return stamp, text
    return b"", piece


def _line(service: str, stream: str, stamp: bytes, text: bytes) -> LogLine:
    return LogLine(
        service=service,
        text=text.decode(errors="replace").rstrip("\r\n"),
        stream=stream,
        timestamp=moment(stamp.decode(errors="replace")),
    )
