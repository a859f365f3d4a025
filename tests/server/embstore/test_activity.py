"""A store is quiet when nothing is in work and nothing was for a while."""

import pytest

from embstore.activity import Activity


def test_a_request_in_work_is_no_quiet_however_short_the_time_asked_for() -> None:
    activity = Activity()
    with activity.request():
        assert not activity.quiet_for(0)
        with activity.request():
            pass
        assert not activity.quiet_for(0)
    assert activity.quiet_for(0)


def test_the_time_runs_from_the_end_of_the_last_request_a_failed_one_too() -> None:
    activity = Activity()
    with pytest.raises(ZeroDivisionError), activity.request():
        _ = 1 / 0
    assert activity.quiet_for(0)
    assert not activity.quiet_for(3600)
