"""The halts of a benchmark's burst: the server stands still in them, they are counted, and none fails unseen."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).resolve().parents[3] / "benchmarks"
sys.path.append(str(BENCHMARKS))

from servers import halts  # noqa: E402 - found by the line above
from servers.figures import Ceiling  # noqa: E402 - found by the line above
from servers.halts import Halting, Products  # noqa: E402 - found by the line above
from servers.running import Running  # noqa: E402 - found by the line above

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the benchmark reads its figures from /proc")

CEILING = Ceiling(sustained_gflops=2.0, streams_gflops=2.5, best_gflops=3.0)
COUNTING = "import itertools\nfor _ in itertools.count(): pass"


class Watching(Products):
    """Instead of computing, sees what state the server is in."""

    def __init__(self, pid: int, error: Exception | None = None) -> None:
        self.states: list[str] = []
        self._pid = pid
        self._error = error

    def compute(self) -> Ceiling:
        if self._error:
            raise self._error
        self.states.append(state(self._pid))
        return CEILING


def state(pid: int) -> str:
    """A letter; T for a process that is stopped."""
    return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]


@pytest.fixture
def server() -> Iterator[tuple[int, Running]]:
    """A process that is always busy, in a session of its own as a server has it."""
    process = subprocess.Popen([sys.executable, "-c", COUNTING], start_new_session=True)
    running = Running(process, "", limit_mb=1024)
    yield process.pid, running
    running.stop()


@pytest.mark.parametrize(
    ("begin", "end", "seconds"),
    [(0, 10, 3.0), (0, 1, 0.0), (2.5, 10, 2.5), (0, 5.5, 1.5), (2.25, 2.5, 0.25), (7, 9, 0.0)],
)
def test_of_the_halts_only_what_lies_within_a_burst_is_subtracted(
    server: tuple[int, Running], begin: float, end: float, seconds: float
) -> None:
    halting = Halting(server[1], Watching(server[0]))
    halting.spans += [(2.0, 3.0), (5.0, 7.0)]

    assert halting.within(begin, end) == seconds


def test_the_server_stands_still_while_the_products_are_computed_and_works_again_after(
    server: tuple[int, Running], monkeypatch: pytest.MonkeyPatch
) -> None:
    pid, running = server
    monkeypatch.setattr(halts, "_STRIDE", 0.01)
    products = Watching(pid)

    with Halting(running, products) as halting:
        while len(products.states) < 3:
            time.sleep(0.001)

    assert set(products.states) == {"T"}
    assert state(pid) != "T"
    assert len(halting.spans) == len(products.states)
    assert halting.ceiling == CEILING


def test_a_burst_shorter_than_a_second_is_followed_by_a_halt(server: tuple[int, Running]) -> None:
    products = Watching(server[0])

    with Halting(server[1], products) as halting:
        over = time.perf_counter()

    assert products.states == ["T"]
    assert halting.ceiling == CEILING
    assert halting.within(0, over) == 0


def test_products_that_fail_in_a_halt_fail_the_burst_and_let_the_server_go_on(server: tuple[int, Running]) -> None:
    pid, running = server

    with pytest.raises(RuntimeError, match="no products"), Halting(running, Watching(pid, RuntimeError("no products"))):
        pass

    assert state(pid) != "T"


def test_a_process_of_products_that_ends_is_told_and_not_taken_for_a_fault_of_the_server() -> None:
    with pytest.raises(RuntimeError, match="ended with 1"):
        Products(["no number"], (BENCHMARKS, BENCHMARKS.parent / "server"))
