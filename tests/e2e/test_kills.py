"""What dies under load comes back with everything that was acknowledged."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import httpx2
import pytest

from e2e.indexing import Block, Database, Embedder
from e2e.stack import Stack
from e2e.waiting import until
from images.docker_cli import docker_output

pytestmark = pytest.mark.engine

DIMENSION = 384
SERVICES = ("qdrant", "jina")


@pytest.fixture
def running(stack: Stack) -> Stack:
    """The test's project, ready."""
    stack.succeed("start", "all")
    return stack


@pytest.fixture
def database(running: Stack) -> Iterator[Database]:
    """A collection in it."""
    with Database(running.qdrant_url, "ws-0123456789abcdef") as database:
        database.create(DIMENSION)
        yield database


def kill_inside(stack: Stack, service: str) -> None:
    """SIGKILL the program inside its container, as the kernel would: the engine sees a crash, not a wish."""
    docker_output("exec", f"{stack.name}-{service}", "bash", "-c", "kill -KILL -1 || true")


def restarted(stack: Stack, service: str) -> bool:
    """Whether the engine's restart policy has acted."""
    container = stack.container(service)
    return bool(container["RestartCount"] >= 1 and container["State"]["Running"])


def block(number: int) -> Block:
    """One of many blocks."""
    return Block(path=f"src/file{number}.py", text=f"def function_{number}(): return {number}", start=1, end=1)


class Indexer:
    """Writes block after block until something breaks, and counts what was acknowledged."""

    def __init__(self, embedder: Embedder, database: Database) -> None:
        self.acknowledged = 0
        self.busy = Event()
        self.enough = Event()
        self._database = database
        self._embedder = embedder

    def run(self) -> None:
        """Go on until something breaks, or it is enough: a service may be back before anybody asked it."""
        try:
            while not self.enough.is_set():
                batch = [block(self.acknowledged + index) for index in range(10)]
                self._database.upsert(batch, self._embedder.embed([each.text for each in batch]))
                self.acknowledged += len(batch)
                self.busy.set()
        except (httpx2.HTTPError, AssertionError):
            return
        finally:
            self.busy.set()


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_killed_under_load_comes_back_with_all_that_was_acknowledged(
    running: Stack, database: Database, service: str
) -> None:
    model = str(running.succeed("status").service("jina")["facts"]["model"])
    with Embedder(running.jina_url, model) as embedder, ThreadPoolExecutor() as pool:
        indexer = Indexer(embedder, database)
        ended = pool.submit(indexer.run)
        indexer.busy.wait()
        kill_inside(running, service)
        until(lambda: restarted(running, service))
        indexer.enough.set()
        ended.result()

    running.succeed("wait", "all")

    assert indexer.acknowledged > 0
    assert database.count() >= indexer.acknowledged
    assert len(running.succeed("warmup", "all").data["services"]) == 2


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_killed_by_hand_is_started_again_by_the_next_start(running: Stack, service: str) -> None:
    docker_output("kill", "--signal", "KILL", f"{running.name}-{service}")
    until(lambda: not running.container(service)["State"]["Running"])

    healed = running.succeed("start", "all")

    assert [(step["verb"], step["service"]) for step in healed.data["plan"]["operations"]] == [
        ("StartContainer", service)
    ]
    assert {each["stage"] for each in healed.data["services"]} == {"warm"}


def test_a_service_killed_while_it_loads_is_healed(stack: Stack) -> None:
    stack.succeed("start", "all", "--no-wait")
    kill_inside(stack, "jina")
    until(lambda: restarted(stack, "jina"))
    assert {each["stage"] for each in stack.succeed("wait", "all").data["services"]} >= {"loaded"}


def test_a_memory_limit_that_is_too_low_is_reported_as_what_it_is(stack: Stack) -> None:
    reply = stack.having(EMBCTL_JINA_MEMORY="64m").run("start", "jina")
    assert reply.exit_code == 5
    assert reply.error["code"] == "out_of_memory"
    assert reply.error["details"]["oom_killed"] is True
    assert "64 MiB" in reply.error["message"]
    assert any("EMBCTL_JINA_MEMORY" in action for action in reply.error["actions"])


def test_a_service_that_cannot_load_its_model_is_reported_with_its_last_words(stack: Stack) -> None:
    reply = stack.having(EMBCTL_MODEL="/models/no-such-folder").run("start", "jina")
    assert reply.exit_code == 5
    assert reply.error["code"] == "service_exited"
    assert any("no-such-folder" in line for line in reply.error["details"]["log"])
