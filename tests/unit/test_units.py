"""Sizes and durations of compose files."""

import pytest

from embctl import units


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("6g", 6 * 1024**3),
        ("512m", 512 * 1024**2),
        ("1.5GB", 1536 * 1024**2),
        ("10kb", 10240),
        ("7b", 7),
        ("1t", 1024**4),
    ],
)
def test_a_size_is_read_in_binary_units(text: str, expected: int) -> None:
    assert units.size(text) == expected


@pytest.mark.parametrize("text", ["", "6", "g", "-6g", "6 g", "6gib", "1e3m", "\u0661m", "9" * 400 + "g", "6g "])
def test_a_size_without_number_and_unit_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="size with its unit"):
        units.size(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("60s", 60),
        ("1m30s", 90),
        ("1h", 3600),
        ("1h0m5s", 3605),
        ("250ms", 0.25),
        ("1m250ms", 60.25),
        ("1.5s", 1.5),
        ("0s", 0),
    ],
)
def test_a_duration_is_read_in_seconds(text: str, expected: float) -> None:
    assert units.duration(text) == expected


@pytest.mark.parametrize("text", ["", "60", "s", "30s1m", "1 m", "-1s", "1d", "1s "])
def test_a_duration_without_number_and_unit_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="duration with its unit"):
        units.duration(text)
