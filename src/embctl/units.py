"""Sizes and durations as compose files write them. Pure; ValueError says what is expected, never where it stood."""

import re

__all__ = ["duration", "size"]

_SIZE = re.compile(r"(\d{1,15}(?:\.\d{1,9})?)([bkmgt])b?", re.IGNORECASE | re.ASCII)
_SIZE_UNITS = {"b": 1, "k": 1024, "m": 1024**2, "g": 1024**3, "t": 1024**4}
_DURATION = re.compile(r"(?:(\d{1,9})h)?(?:(\d{1,9})m(?!s))?(?:(\d{1,9}(?:\.\d{1,9})?)s)?(?:(\d{1,9})ms)?", re.ASCII)


def size(text: str) -> int:
    """Bytes of a size such as "512m", "6g" or "1.5gb"; the unit is required, 1k is 1024 bytes."""
    match = _SIZE.fullmatch(text)
    if match is None:
        raise ValueError('must be a size with its unit, such as "512m" or "6g"')
    return int(float(match[1]) * _SIZE_UNITS[match[2].lower()])


def duration(text: str) -> float:
    """Seconds of a duration such as "60s", "1m30s", "1h" or "250ms"."""
    match = _DURATION.fullmatch(text)
    if not text or match is None:
        raise ValueError('must be a duration with its unit, such as "30s" or "1m30s"')
    hours, minutes, seconds, milliseconds = match.groups(default="0")
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds) + int(milliseconds) / 1000
