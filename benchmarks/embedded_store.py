"""The embedded store at the size of a large workspace: 50,000 points of 768 dimensions, over HTTP, as indexers use it.

`python benchmarks/embedded_store.py [--points N] [--busy-disk]` prints a table and exits 1 when a figure is over its
budget; with a busy disk, another process writes 200 MB files and syncs them while requests are watched. The
store runs in a process of its own; this one indexes a workspace, searches it, indexes all of it again (delete by
filter, then upsert, which leaves as many dead points as live ones), and watches requests while the idle store vacuums.
"""

import argparse
import http.client
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
import orjson

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
from embstore_process import StoreProcess

SIZE = 768
BATCH = 60
PACKAGES = 7
SEARCHES = 200
IDLE_SECONDS = 3
VACUUM_SECONDS = 300
CONTROL_SECONDS = 15
NAME = "ws-0123456789abcdef"
SPACE = uuid.UUID("f47ac10b-58cc-4372-a567-0e02b2c3d479")
INDEXED = ("type", *(f"pathSegments.{level}" for level in range(5)))
FILTERED_BUDGET_MS, MEMORY_BUDGET_MB, STALL_BUDGET_MS = 15.0, 400.0, 200.0


def workspace_path(point: int) -> str:
    """The file that a block of code comes from."""
    return f"src/package{point % PACKAGES}/module{point % 61}/part{point % 5}/deep/file{point // 20}.py"


def batch_body(first: int, last: int, edition: int) -> bytes:
    """An upsert of the blocks from `first` up to `last`; another edition has other vectors."""
    vectors = np.random.default_rng((first, edition)).normal(size=(last - first, SIZE)).astype(np.float32)
    points = []
    for point in range(first, last):
        path = workspace_path(point)
        payload = {
            "filePath": path,
            "codeChunk": f"def block_{point}(): ...\n" * 28,
            "startLine": point,
            "endLine": point + 28,
            "segmentHash": f"{point:064x}",
            "pathSegments": {str(level): name for level, name in enumerate(path.split("/"))},
        }
        points.append({"id": str(uuid.uuid5(SPACE, str(point))), "vector": vectors[point - first], "payload": payload})
    return encoded({"points": points})


def encoded(body: object) -> bytes:
    """JSON, arrays included."""
    return orjson.dumps(body, option=orjson.OPT_SERIALIZE_NUMPY)


def search_body(vector: Any, package: int | None) -> bytes:
    """An indexer's own search, below one folder or everywhere."""
    folder = [] if package is None else ["src", f"package{package}"]
    must = [{"key": f"pathSegments.{level}", "match": {"value": name}} for level, name in enumerate(folder)]
    return encoded(
        {
            "query": vector,
            "filter": {"must": must, "must_not": [{"key": "type", "match": {"value": "metadata"}}]},
            "score_threshold": -1,
            "limit": 50,
            "params": {"hnsw_ef": 128, "exact": False},
            "with_payload": {"include": ["filePath", "codeChunk", "startLine", "endLine", "pathSegments"]},
        }
    )


class Connection:
    """One kept-alive connection to the store."""

    def __init__(self, store: StoreProcess) -> None:
        self._http = http.client.HTTPConnection("127.0.0.1", store.port, timeout=120)

    def __call__(self, method: str, path: str, body: bytes | None = None) -> float:
        """Send one request, demand a 200, and return the milliseconds until its answer was read."""
        started = time.perf_counter()
        self._http.request(method, path, body, {"Content-Type": "application/json"})
        reply = self._http.getresponse()
        content = reply.read()
        if reply.status != 200:  # noqa: PLR2004 - HTTP's own number
            sys.exit(f"{method} {path}: {reply.status} {content[:500]!r}")
        return 1000 * (time.perf_counter() - started)


@dataclass
class Watch:
    """What requests and the process went through while something else ran."""

    store: StoreProcess
    searching: bool = True
    milliseconds: list[float] = field(default_factory=list)
    memory_mb: float = 0

    def __enter__(self) -> Self:
        self._stop = threading.Event()
        self._threads = [
            # The health checks do not count as use of the store, so nothing makes way for them.
            threading.Thread(target=self._repeat, args=(0.005, lambda ask: ask("GET", "/readyz"))),
        ]
        if self.searching:
            # A search a while after the last: the vacuum gets going again in between, and each one interrupts it.
            self._threads.append(threading.Thread(target=self._repeat, args=(0.33, self._search)))
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _repeat(self, pause: float, request: Callable[[Connection], float]) -> None:
        ask = Connection(self.store)
        while not self._stop.wait(pause):
            self.milliseconds.append(request(ask))
            self.memory_mb = max(self.memory_mb, anonymous_mb(self.store))

    @staticmethod
    def _search(ask: Connection) -> float:
        return ask("POST", f"/collections/{NAME}/points/query", search_body(np.ones(SIZE, dtype=np.float32), 3))


def anonymous_mb(store: StoreProcess) -> float:
    """Memory of the process, and of one that it started, that no file backs (page cache does not count)."""
    kilobytes = 0
    for process in [str(store.process.pid), *_children(store.process.pid)]:
        with suppress(OSError, IndexError):  # it may have ended
            status = Path(f"/proc/{process}/status").read_text(encoding="ascii")
            kilobytes += int(status.split("RssAnon:")[1].split()[0])
    return kilobytes / 1024


def _children(pid: int) -> list[str]:
    found: list[str] = []
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            found += path.read_text(encoding="ascii").split()
    return found


def disk_mb(folder: Path) -> float:
    """Blocks taken on the disk; a file may vanish meanwhile."""
    taken = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                taken += os.stat(os.path.join(parent, name)).st_blocks * 512  # noqa: PTH116, PTH118 - may vanish
            except FileNotFoundError:
                continue
    return taken / 2**20


def create(ask: Connection) -> None:
    """An empty collection with the indexes that the clients ask for."""
    vectors = {"size": SIZE, "distance": "Cosine", "on_disk": True}
    hnsw = {"m": 64, "ef_construct": 512, "on_disk": True}
    ask("PUT", f"/collections/{NAME}", encoded({"vectors": vectors, "hnsw_config": hnsw}))
    for name in INDEXED:
        body = {"field_name": name, "field_schema": "keyword"}
        ask("PUT", f"/collections/{NAME}/index?wait=true", encoded(body))


def index(store: StoreProcess, points: int, edition: int) -> tuple[float, list[float]]:
    """Upsert the workspace from two connections; points a second, and the milliseconds of each request."""
    own = threading.local()

    def upsert(first: int) -> float:
        if not hasattr(own, "ask"):
            own.ask = Connection(store)
        body = batch_body(first, min(first + BATCH, points), edition)
        return float(own.ask("PUT", f"/collections/{NAME}/points?wait=true", body))

    started = time.perf_counter()
    with ThreadPoolExecutor(2) as pool:
        times = list(pool.map(upsert, range(0, points, BATCH)))
    return points / (time.perf_counter() - started), times


def delete_all(ask: Connection) -> None:
    """Remove the workspace folder by folder, as a client does with a folder that it indexes again."""
    for package in range(PACKAGES):
        must = [{"key": "pathSegments.1", "match": {"value": f"package{package}"}}]
        ask("POST", f"/collections/{NAME}/points/delete?wait=true", encoded({"filter": {"must": must}}))


def search(ask: Connection, package: int | None) -> list[float]:
    """Milliseconds of many searches."""
    queries = np.random.default_rng(1).normal(size=(SEARCHES, SIZE)).astype(np.float32)
    return [ask("POST", f"/collections/{NAME}/points/query", search_body(query, package)) for query in queries]


def await_shards(folder: Path, count: int) -> None:
    """Return when the collection has so many shards: a vacuum's fresh one lies beside the old one until it is done."""
    deadline = time.perf_counter() + VACUUM_SECONDS
    while len(list(folder.glob("collections/*/shard*"))) != count:
        if time.perf_counter() > deadline:
            sys.exit(f"the vacuum neither began nor ended within {VACUUM_SECONDS} s")
        time.sleep(0.01)


def await_flush(folder: Path) -> None:
    """Return when the collection has been flushed, which seals its files anew."""
    began, deadline = time.time(), time.perf_counter() + VACUUM_SECONDS
    while not any(path.stat().st_mtime > began for path in folder.glob("collections/*/shard*/seal.json")):
        if time.perf_counter() > deadline:
            sys.exit(f"nothing was flushed within {VACUUM_SECONDS} s")
        time.sleep(0.01)


@contextmanager
def busy_disk(*, busy: bool) -> Iterator[None]:
    """Another process that keeps the disk busy, if asked for."""
    if not busy:
        yield
        return
    with tempfile.TemporaryDirectory() as folder:
        loop = f"while dd if=/dev/zero of={folder}/file bs=1M count=200 conv=fsync status=none; do :; done"
        with subprocess.Popen(["/bin/sh", "-c", loop], start_new_session=True) as writer:
            try:
                yield
            finally:
                os.killpg(writer.pid, signal.SIGKILL)


def spread(times: Iterable[float]) -> str:
    """Median, 95th percentile and slowest."""
    ordered = sorted(times)
    at_95 = ordered[int(0.95 * len(ordered))]
    return f"p50 {statistics.median(ordered):6.1f} ms   p95 {at_95:6.1f} ms   slowest {ordered[-1]:6.1f} ms"


def measure(points: int, folder: Path, *, busy: bool) -> bool:
    """Print a line a figure; whether all budgets are kept."""
    kept = True

    def judged(value: float, budget: float) -> str:
        nonlocal kept
        kept = kept and value < budget
        return f"(budget {budget:.0f}{'' if value < budget else ', OVER'})"

    with StoreProcess(folder, EMBSTORE_VACUUM_IDLE_SECONDS=str(IDLE_SECONDS)) as store:
        ask = Connection(store)
        create(ask)
        rate, times = index(store, points, 1)
        print(f"{'upsert, 60 a request':<28}{rate:.0f} points/s   {spread(times)}")
        filtered = search(ask, 3)
        print(
            f"{'search below a folder':<28}{spread(filtered)} {judged(statistics.median(filtered), FILTERED_BUDGET_MS)}"
        )
        print(f"{'search everywhere':<28}{spread(search(ask, None))}")
        memory = anonymous_mb(store)
        print(f"{'anonymous memory':<28}{memory:.0f} MB {judged(memory, MEMORY_BUDGET_MB)}")
        print(f"{'disk':<28}{disk_mb(folder):.0f} MB")
        delete_all(ask)
        index(store, points, 2)
        print(f"{'indexed again, disk':<28}{disk_mb(folder):.0f} MB")
        with busy_disk(busy=busy):
            # As often as in the vacuum's watch, so that neither flush nor vacuum begins.
            with Watch(store) as nothing:
                time.sleep(CONTROL_SECONDS)
            with Watch(store, searching=False) as first:
                await_flush(folder)
            await_shards(folder, 2)
            started = time.perf_counter()
            with Watch(store) as watch:
                await_shards(folder, 1)
            took = time.perf_counter() - started
            with Watch(store, searching=False) as second:
                await_flush(folder)
        print(f"{'vacuum, disk afterwards':<28}{took:.1f} s   {disk_mb(folder):.0f} MB")
        print(f"{'requests, no vacuum':<28}{spread(nothing.milliseconds)}")
        stall = max(watch.milliseconds)
        print(f"{'requests during the vacuum':<28}{spread(watch.milliseconds)} {judged(stall, STALL_BUDGET_MS)}")
        for flush, when in ((first, "before"), (second, "after")):
            print(f"{f'health, flush {when} it':<28}{spread(flush.milliseconds)}")
        memory = watch.memory_mb
        print(f"{'anonymous memory meanwhile':<28}{memory:.0f} MB {judged(memory, MEMORY_BUDGET_MB)}")
        # The first connection was idle for longer than the store keeps one.
        print(f"{'search afterwards':<28}{spread(search(Connection(store), 3))}")
    return kept


def main() -> int:
    """Measure, print, judge."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--points", type=int, default=50_000)
    options.add_argument("--busy-disk", action="store_true")
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        return 0 if measure(given.points, Path(folder), busy=given.busy_disk) else 1


if __name__ == "__main__":
    sys.exit(main())
