"""A page as Chromium paints it, and which colours it has."""

import struct
import subprocess
import zlib
from collections import Counter
from pathlib import Path

__all__ = ["colours", "taken"]

Colour = tuple[int, int, int]
_CHANNELS = {2: 3, 6: 4}


def taken(browser: str, url: str, folder: Path) -> bytes:
    """A PNG of the page after a few seconds of its own time."""
    picture = folder / "page.png"
    command = [
        browser, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder / 'profile'}",
        "--window-size=400,500", "--virtual-time-budget=7000", f"--screenshot={picture}", url,
    ]  # fmt: skip
    subprocess.run(command, capture_output=True, check=True)
    return picture.read_bytes()


def colours(png: bytes) -> Counter[Colour]:
    """How many pixels there are of each colour, in a PNG of 8 bits a channel that is not interlaced."""
    width, height, _, kind = struct.unpack(">IIBB", png[16:26])
    channels, data, at = _CHANNELS[kind], b"", 8
    while at < len(png):
        size, name = struct.unpack(">I4s", png[at : at + 8])
        data += png[at + 8 : at + 8 + size] if name == b"IDAT" else b""
        at += size + 12
    raw, stride, found = zlib.decompress(data), width * channels, Counter[Colour]()
    above = bytes(channels + stride)
    for row in range(height):
        start = row * (stride + 1)
        line = _unfiltered(raw[start], raw[start + 1 : start + 1 + stride], above, channels)
        found.update(zip(*(line[channels + each :: channels] for each in range(3)), strict=True))
        above = line
    return found


def _unfiltered(way: int, row: bytes, above: bytes, channels: int) -> bytes:
    """A row's values, behind one pixel of zeros: each was told by its difference from what its neighbours predict."""
    line = bytearray(channels)
    for index, value in enumerate(row):
        left, up, corner = line[index], above[index + channels], above[index]
        paeth = min((left, up, corner), key=lambda each: abs(left + up - corner - each))
        line.append((value + (0, left, up, (left + up) // 2, paeth)[way]) % 256)
    return bytes(line)
