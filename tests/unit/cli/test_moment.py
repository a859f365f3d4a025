"""Points in time as people type them."""

from datetime import timedelta

import pytest
import typer

from embctl.cli.watch import moment
from embctl.clock import now


@pytest.mark.parametrize(
    ("text", "age"),
    [("30s", timedelta(seconds=30)), ("10m", timedelta(minutes=10)), ("2h", timedelta(hours=2)), ("1d", timedelta(1))],
)
def test_an_age_is_counted_back_from_now(text: str, age: timedelta) -> None:
    before = now()
    assert before - age <= moment(text) <= now() - age


def test_iso_8601_keeps_its_zone() -> None:
    assert moment("2026-01-31T08:00+00:00").isoformat().startswith("2026-01-31T")
    assert moment("2026-01-31T08:00+02:00") == moment("2026-01-31T06:00+00:00")


def test_anything_else_is_refused_with_examples() -> None:
    with pytest.raises(typer.BadParameter, match="10m, 2h or 1d"):
        moment("yesterday")
