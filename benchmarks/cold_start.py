"""From the start of the embedding server's process to its first vector: processor time and memory.

`python benchmarks/cold_start.py [--model FOLDER] [--runs 3]` exits 1 when the median is over the budget. Without a
folder it writes a random checkpoint of the code model's architecture and size, which costs the same to load.
"""

import argparse
import statistics
import sys
import tempfile
from pathlib import Path

import httpx2
import psutil

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "server"), str(ROOT / "tests")]

from fakes.embserver_process import running  # noqa: E402 - found by the line above
from fakes.jina_checkpoint import CODE_MODEL, random_weights, write_checkpoint  # noqa: E402 - the same

BUDGET_SECONDS = 6.0


def main() -> int:
    """Print one line a run and the median; 0 when it is within the budget."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=None)
    parser.add_argument("--runs", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = given.model or write_checkpoint(Path(scratch) / "model", CODE_MODEL, random_weights(CODE_MODEL))
        seconds = [_run(folder, Path(scratch)) for _ in range(given.runs)]
    median = statistics.median(seconds)
    print(f"median {median:.2f} s of processor time; the budget is {BUDGET_SECONDS} s")
    return 0 if median <= BUDGET_SECONDS else 1


def _run(folder: Path, scratch: Path) -> float:
    settings = {"EMBSERVER_MODEL": str(folder), "EMBSERVER_MODELS_DIR": str(scratch), "EMBSERVER_DEVICE": "cpu"}
    with running(settings) as server:
        server.event("ready")
        httpx2.post(f"{server.url}/v1/embeddings", json={"input": "def ready(): return True"}).raise_for_status()
        process = psutil.Process(server.process.pid)
        times, memory = process.cpu_times(), process.memory_info().rss
    print(f"{times.user + times.system:.2f} s ({times.user:.2f} user), {memory / 1e6:.0f} MB resident", flush=True)
    return float(times.user + times.system)


if __name__ == "__main__":
    sys.exit(main())
