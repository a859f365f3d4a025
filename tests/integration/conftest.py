"""The workbench of these tests: a real engine, and for what every engine promises the fake one beside it."""

from collections.abc import Iterator

import pytest

from engines.bench import Bench, RealEngine, fake_bench, real_bench, real_engine


@pytest.fixture(scope="session")
def engine_here() -> Iterator[RealEngine]:
    with real_engine() as engine:
        yield engine


@pytest.fixture(params=["fake", pytest.param("real", marks=pytest.mark.engine)])
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    if request.param == "fake":
        with fake_bench() as fake:
            yield fake
    else:
        with real_bench(request.getfixturevalue("engine_here")) as real:
            yield real
