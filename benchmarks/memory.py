"""The embedding server's memory: whether it grows with requests, and its peaks, measured from outside the process.

`python benchmarks/memory.py` prints each figure beside its budget and exits 1 beyond one:

    growth   resident memory after 10,000 mixed requests against that after 500 (all-MiniLM-L6-v2, real weights)
    burst    the peak under the editors' load, 10 requests of 60 texts at once, beyond the weights
    long     the peak under one text of 8192 tokens, beyond the weights

The last two run on a checkpoint of the code model's sizes with random weights, and ask in token ids, as many as the
blocks of an editor have. Needs the packages of the extras `server` and `test`. Growth takes minutes.
"""

import argparse
import json
import random
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
import psutil

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "server"), str(ROOT / "tests")]

from fakes.embserver_process import running  # noqa: E402 - found by the line above
from fakes.jina_checkpoint import CODE_MODEL, random_weights, write_checkpoint  # noqa: E402 - found by the line above
from fakes.minilm_folder import minilm_folder  # noqa: E402 - found by the line above

MB = 1_000_000
GROWTH_PERCENT = 3.0
BURST_MB = 350
LONG_MB = 550
WARM, REQUESTS, AT_ONCE = 500, 10_000, 8
SAMPLE_SECONDS = 0.005


@dataclass(frozen=True)
class Figure:
    """One measured value beside the most it may be."""

    name: str
    value: float
    budget: float
    unit: str
    detail: str


class Watched:
    """A server, its client, and its resident memory."""

    def __init__(self, client: httpx2.Client, process: psutil.Process) -> None:
        self.client = client
        self._process = process

    def resident(self) -> int:
        """Bytes, now."""
        return int(self._process.memory_info().rss)

    def peak_during(self, load: Callable[[], None]) -> int:
        """The most bytes seen while `load` runs."""
        done, peak = threading.Event(), 0

        def watch() -> None:
            nonlocal peak
            while not done.wait(SAMPLE_SECONDS):
                peak = max(peak, self.resident())

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            load()
        finally:
            done.set()
            watcher.join()
        return peak


@contextmanager
def serving(model: Path) -> Iterator[Watched]:
    """A server of this model on a free port, ready."""
    with tempfile.TemporaryDirectory() as models:
        settings = {"EMBSERVER_MODEL": str(model), "EMBSERVER_MODELS_DIR": models, "EMBSERVER_DEVICE": "cpu"}
        with running(settings) as server:
            server.event("ready")
            limits = httpx2.Limits(max_connections=32)
            with httpx2.Client(base_url=server.url, timeout=3600, trust_env=False, limits=limits) as client:
                yield Watched(client, psutil.Process(server.process.pid))


def ask(client: httpx2.Client, inputs: object, **fields: object) -> int:
    """Post an embeddings request and return the status."""
    return client.post("/v1/embeddings", json={"input": inputs, **fields}).status_code


def blocks(count: int, rng: random.Random) -> list[list[int]]:
    """Token ids with the lengths of an editor's blocks, 15 to 470."""
    return [
        [rng.randrange(5, 60_000) for _ in range(min(470, max(15, int(rng.gammavariate(2, 95)))))] for _ in range(count)
    ]


def sources() -> list[str]:
    """Pieces of this project's own code, of 50 to 300 characters."""
    rng = random.Random(3)  # noqa: S311 - no secret
    pieces = []
    for path in sorted((ROOT / "src").rglob("*.py")):
        text, start = path.read_text(encoding="utf-8"), 0
        while start < len(text):
            size = rng.randint(50, 300)
            pieces.append(text[start : start + size])
            start += size
    return pieces


def mixed(client: httpx2.Client, pieces: list[str], number: int) -> None:
    """One of the requests that a server meets: most are searches, some are large, long, wrong, or given up."""
    rng = random.Random(number)  # noqa: S311 - no secret
    some = rng.sample(pieces, 60)
    match number % 50:
        case 0:
            ask(client, some, encoding_format="base64")
        case 1:
            ask(client, some[:30])
        case 2:
            ask(client, ["word " * 3000, some[0]])
        case 3:
            ask(client, [], model="another")
        case 4:
            client.post("/tokenize", json={"input": some})
        case 5:
            client.get("/info")
        case 6:
            leave(client, some)
        case kind if kind < 20:  # noqa: PLR2004 - of fifty
            ask(client, some[: kind - 4], encoding_format="base64")
        case _:
            ask(client, some[0][:80])


def leave(client: httpx2.Client, texts: list[str]) -> None:
    """Ask, and hang up before the answer."""
    try:
        client.post("/v1/embeddings", json={"input": texts}, timeout=0.02)
    except httpx2.TimeoutException:
        return


def growth() -> Iterator[Figure]:
    """Resident memory after many requests against that after a few."""
    pieces = sources()
    with serving(minilm_folder()) as server, ThreadPoolExecutor(AT_ONCE) as pool:

        def served(start: int, end: int) -> int:
            list(pool.map(lambda number: mixed(server.client, pieces, number), range(start, end)))
            return server.resident()

        early = served(0, WARM)
        late = served(WARM, REQUESTS)
        detail = f"{early / MB:.0f} MB after {WARM}, {late / MB:.0f} MB after {REQUESTS} requests"
        yield Figure("growth", 100 * (late / early - 1), GROWTH_PERCENT, "%", detail)


def peaks(wanted: set[str]) -> Iterator[Figure]:
    """Peaks beyond the weights, each of a server of its own."""
    with tempfile.TemporaryDirectory() as made:
        folder = write_checkpoint(Path(made) / "random-code-model", CODE_MODEL, random_weights(CODE_MODEL))
        weights = (folder / "model.safetensors").stat().st_size
        rng = random.Random(5)  # noqa: S311 - no secret
        scan, text = [blocks(60, rng) for _ in range(10)], [[rng.randrange(5, 60_000) for _ in range(8192)]]

        def burst(client: httpx2.Client) -> None:
            with ThreadPoolExecutor(len(scan)) as pool:
                statuses = set(pool.map(lambda request: ask(client, request, encoding_format="base64"), scan))
            if statuses != {200}:
                sys.exit(f"the burst was answered with {statuses}")

        def long(client: httpx2.Client) -> None:
            if ask(client, text) != 200:  # noqa: PLR2004 - OK
                sys.exit("the long text was not answered")

        loads = {"burst": (burst, BURST_MB), "long": (long, LONG_MB)}
        for name, (load, budget) in loads.items():
            if name in wanted:
                with serving(folder) as server:
                    before = server.resident()
                    peak = server.peak_during(lambda load=load, server=server: load(server.client))  # type: ignore[misc]  # a lambda with defaults has no type
                    detail = f"idle {before / MB:.0f} MB, peak {peak / MB:.0f} MB, weights {weights / MB:.0f} MB"
                    yield Figure(name, (peak - weights) / MB, budget, "MB", detail)


def main() -> int:
    """Measure what is asked for, print it, judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    figures = ("growth", "burst", "long")
    parser.add_argument("--only", action="append", choices=figures, help="one figure; may be repeated")
    parser.add_argument("--json", action="store_true", help="one JSON object a line instead of the table")
    arguments = parser.parse_args()
    wanted = set(arguments.only or figures)
    within = True

    def show(figure: Figure) -> None:
        nonlocal within
        within = within and figure.value <= figure.budget
        if arguments.json:
            print(json.dumps(vars(figure)), flush=True)
        else:
            beyond = "" if figure.value <= figure.budget else "  over budget"
            print(
                f"{figure.name:<8}{figure.value:>9.1f} {figure.unit:<3} of {figure.budget:>5.0f} {figure.unit:<3} "
                f"({figure.detail}){beyond}",
                flush=True,
            )

    for figure in peaks(wanted) if wanted & {"burst", "long"} else ():
        show(figure)
    for figure in growth() if "growth" in wanted else ():
        show(figure)
    return 0 if within else 1


if __name__ == "__main__":
    sys.exit(main())
