"""The workbench of these tests: for what every engine promises, the fake one, the native one and a real one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from engines.bench import Bench, ContainerBench, RealEngine, fake_bench, real_bench, real_engine
from engines.native_bench import native_bench
from fakes.real_services import Services, real_services

FAKE, NATIVE = "fake", "native"
REAL = pytest.param("real", marks=pytest.mark.engine)


@pytest.fixture(scope="session")
def engine_here() -> Iterator[RealEngine]:
    with real_engine() as engine:
        yield engine


# No longer: others look for processes that were left behind.
@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    """Both services with a real model, shared by the tests of a module, which only ask them."""
    with real_services(tmp_path_factory.mktemp("services")) as running:
        yield running


@pytest.fixture(params=[FAKE, NATIVE, REAL])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    if request.param == NATIVE:
        with native_bench(tmp_path) as native:
            yield native
    else:
        yield from _container_bench(request)


@pytest.fixture(params=[FAKE, REAL])
def container_bench(request: pytest.FixtureRequest) -> Iterator[ContainerBench]:
    """Where there are containers in the proper sense."""
    yield from _container_bench(request)


def _container_bench(request: pytest.FixtureRequest) -> Iterator[ContainerBench]:
    if request.param == FAKE:
        with fake_bench() as fake:
            yield fake
    else:
        with real_bench(request.getfixturevalue("engine_here")) as real:
            yield real
