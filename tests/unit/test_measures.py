"""Rates and quantiles of two looks at Prometheus' text: right, and None where nobody tells."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Histogram, generate_latest

from embctl.measures import Look, gauge, look, quantile, rate

BUCKETS = (0.1, 0.5, 1.0, 5.0)


def at(moment: float, text: str) -> Look:
    return look(moment, text)


def counter(moment: float, value: float) -> Look:
    return at(moment, f"# TYPE done counter\ndone_total {value}\n")


def observed(*groups: list[float]) -> list[Look]:
    """Looks after each group of observations."""
    registry = CollectorRegistry()
    histogram = Histogram("took_seconds", "-", ["kind"], buckets=BUCKETS, registry=registry)
    looks = []
    for moment, values in enumerate(groups):
        for value in values:
            histogram.labels("search").observe(value)
        looks.append(at(moment, generate_latest(registry).decode()))
    return looks


def test_a_rate_is_what_a_counter_rose_by_in_a_second() -> None:
    assert rate(counter(10, 100), counter(14, 300), "done_total") == 50


def test_a_counter_that_fell_belongs_to_a_service_that_was_started_anew() -> None:
    assert rate(counter(10, 100), counter(12, 6), "done_total") == 3


def test_what_is_not_told_is_none_and_not_nothing() -> None:
    one, two = counter(1, 1), counter(2, 2)
    assert rate(one, two, "other_total") is None
    assert rate(None, two, "done_total") is None
    assert rate(one, None, "done_total") is None
    assert rate(two, two, "done_total") is None
    assert gauge(one, "done_total", kind="x") is None
    assert quantile(0.5, one, two, "took_seconds", kind="search") is None


def test_text_that_is_no_metrics_is_refused() -> None:
    with pytest.raises(ValueError, match=r"\S"):
        look(0, "<html>{")


def test_a_quantile_is_of_the_observations_since_the_look_before() -> None:
    before, now = observed([4.0] * 100, [0.05] * 10)
    value = quantile(0.95, before, now, "took_seconds", kind="search")
    assert value is not None
    assert 0 < value <= 0.1


def test_without_new_observations_it_is_of_all() -> None:
    before, now = observed([0.7] * 10, [])
    value = quantile(0.5, before, now, "took_seconds", kind="search")
    assert value is not None
    assert 0.5 < value <= 1.0


def test_beyond_the_last_bucket_it_is_that_buckets_bound() -> None:
    _, now = observed([], [60.0] * 3)
    assert quantile(0.95, None, now, "took_seconds", kind="search") == 5.0


@given(st.lists(st.floats(0.001, 4.9), min_size=1, max_size=50), st.sampled_from([0.5, 0.95]))
def test_a_quantile_lies_in_the_bucket_of_the_observation_that_it_stands_for(values: list[float], share: float) -> None:
    (now,) = observed(values)
    value = quantile(share, None, now, "took_seconds", kind="search")
    rank = max(1, -(-len(values) * share // 1))
    exact = sorted(values)[int(rank) - 1]
    bounds = (0.0, *BUCKETS)
    bucket = next(index for index in range(1, len(bounds)) if exact <= bounds[index])
    assert value is not None
    assert bounds[bucket - 1] <= value <= bounds[bucket]
