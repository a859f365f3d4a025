"""From the start of the embedding server's process to its first vector: processor time and memory.

`python benchmarks/cold_start.py [--model FOLDER] [--runs 3]` exits 1 when the median is over the budget. Without a
folder it writes a random checkpoint of the code model's architecture and size, which costs the same to load.
"""

import argparse
import http.client
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
from fakes.jina_checkpoint import Shape, random_weights, write_checkpoint

SERVER = Path(__file__).resolve().parent.parent / "server"
BUDGET_SECONDS = 6.0
SHAPE = Shape(width=768, layers=12, heads=12, inner=3072, vocabulary=61056)


def main() -> int:
    """Print one line a run and the median; 0 when it is within the budget."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=None)
    parser.add_argument("--runs", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = given.model or write_checkpoint(Path(scratch) / "model", SHAPE, random_weights(SHAPE))
        seconds = [_run(folder, Path(scratch)) for _ in range(given.runs)]
    median = statistics.median(seconds)
    print(f"median {median:.2f} s of processor time; the budget is {BUDGET_SECONDS} s")
    return 0 if median <= BUDGET_SECONDS else 1


def _run(folder: Path, scratch: Path) -> float:
    environment = {
        **os.environ,
        "PYTHONPATH": str(SERVER),
        "EMBSERVER_MODEL": str(folder),
        "EMBSERVER_MODELS_DIR": str(scratch / "models"),
        "EMBSERVER_PORT": "0",
        "EMBSERVER_DEVICE": "cpu",
        "MALLOC_ARENA_MAX": "2",
    }
    command = [sys.executable, "-m", "embserver"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as server:
        port = 0
        for line in server.stdout or ():
            if found := re.search(r'"event": "listening".*"port": (\d+)', line):
                port = int(found[1])
            if '"event": "ready"' in line:
                break
        else:
            sys.exit("The server did not become ready.")
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        body = json.dumps({"input": "def ready(): return True"})
        connection.request("POST", "/v1/embeddings", body, {"Content-Type": "application/json"})
        if connection.getresponse().status != http.client.OK:
            sys.exit("The server did not answer.")
        process = psutil.Process(server.pid)
        times, memory = process.cpu_times(), process.memory_info().rss
        server.kill()
    print(f"{times.user + times.system:.2f} s ({times.user:.2f} user), {memory / 1e6:.0f} MB resident", flush=True)
    return float(times.user + times.system)


if __name__ == "__main__":
    sys.exit(main())
