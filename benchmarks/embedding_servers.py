"""Our embedding server and its peers under the editors' load, one after the other, in alternating rounds.

`python benchmarks/embedding_servers.py` prints one table. Every server is a process of its own, ours in this
interpreter and each peer in an environment made for it below `--cache`; this process is the client. All compute the
same weights, random ones of the released sizes, and their vectors are held against ours. Linux only. What a peer
cannot do, or cannot be had for, is said below the table.

The default load is a part of the editors' burst, so that everything takes less than an hour on two cores;
`--full` is all of it (10 requests in flight, 60 texts each, three rounds, a re-index), which takes hours; `--quick`
tries the harness on tiny models.
"""

import argparse
import contextlib
import functools
import http.client
import json
import os
import signal
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
from servers import checkpoints, client, report, texts
from servers.checkpoints import Checkpoint
from servers.contenders import BENCHMARKS, CONTENDERS, SERVER, Contender, Place
from servers.environments import CannotRun
from servers.figures import Outcome, Round
from servers.halts import Halting, Products
from servers.running import Running, started

IDLE_SEARCHES = 20
BUSY_SEARCHES = 400
BUSY_SHARE = 3  # of the burst's texts that are sent once more, with searches beside them
SAMPLE = 24
LONG_TOKENS = 8192
PACKED_ROWS = 1024  # a micro-batch of a server that packs; the products are as fast as they get
MINIMUM_MB = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What is sent: requests at once, texts in each, rounds, blocks of a re-index (0 for none), memory granted."""

    in_flight: int
    texts: int
    rounds: int
    reindex: int
    long: bool
    threads: int
    limit_mb: int


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, write."""
    options = parsed(arguments)
    # Or the server that runs would outlive us.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    load = Load(
        in_flight=options.in_flight,
        texts=options.texts,
        rounds=options.rounds,
        reindex=options.reindex,
        long=not options.quick,
        threads=options.threads,
        limit_mb=options.limit_mb,
    )
    facts = {**asdict(load), "quick": options.quick}
    place = Place(cache=options.cache, threads=load.threads)
    place.cache.mkdir(parents=True, exist_ok=True)
    chosen = [one for one in CONTENDERS if not options.only or one.name in options.only]
    makers = {"jina": checkpoints.jina, "bert": checkpoints.bert}
    models = {
        name: makers[name](place.cache, quick=options.quick) for name in dict.fromkeys(one.model for one in chosen)
    }
    outcomes = {one.name: Outcome(name=one.name, model=one.model) for one in chosen}
    ordered = list(outcomes.values())
    references: dict[str, client.Vectors] = {}
    for number in range(load.rounds):
        # Every other round backwards: what drifts, such as the temperature, then favours nobody.
        for contender in chosen if number % 2 == 0 else reversed(chosen):
            if outcomes[contender.name].refusals and not outcomes[contender.name].rounds:
                continue
            print(f"round {number + 1} of {load.rounds}: {contender.name}", file=sys.stderr, flush=True)
            measure(
                contender,
                model=models[contender.model],
                place=place,
                load=load,
                number=number,
                outcome=outcomes[contender.name],
                references=references,
            )
            # At once: what is interrupted after an hour has told what it knew.
            write(options, report.as_json(ordered, facts), report.chart(ordered))
    print(report.table(ordered))
    return 0 if all(one.rounds for one in ordered if one.name == "ours") else 1


def parsed(arguments: list[str] | None) -> argparse.Namespace:
    """The command line; a single option goes before `--quick` and `--full`."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quick", action="store_true", help="tiny models and a tiny load: does the harness work?")
    size.add_argument("--full", action="store_true", help="10 x 60 texts, 3 rounds, a re-index of 3000 blocks: hours")
    names = [one.name for one in CONTENDERS]
    parser.add_argument("--only", action="append", choices=names, help="one server; may be repeated")
    parser.add_argument("--in-flight", type=int, help="requests at once (3; 10 with --full)")
    parser.add_argument("--texts", type=int, help="texts a request (60)")
    parser.add_argument("--rounds", type=int, help="rounds (2; 3 with --full)")
    parser.add_argument("--reindex", type=int, help="blocks of a re-index, 0 for none (0; 3000 with --full)")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)), help="threads of a server")
    parser.add_argument("--limit-mb", type=int, default=12 * 1024, help="memory at which a server is stopped")
    cache = os.environ.get("EMBCTL_BENCHMARK_CACHE") or platformdirs.user_cache_path("embctl-benchmarks")
    parser.add_argument("--cache", type=Path, default=Path(cache), help="environments and weights (%(default)s)")
    parser.add_argument("--json", type=Path, help="file for everything measured")
    parser.add_argument("--chart", type=Path, help="file for an SVG of the throughput")
    options = parser.parse_args(arguments)
    usual = {"in_flight": 3, "texts": 60, "rounds": 2, "reindex": 0}
    if options.full:
        usual = {"in_flight": 10, "texts": 60, "rounds": 3, "reindex": 3000}
    if options.quick:
        usual = {"in_flight": 2, "texts": 6, "rounds": 1, "reindex": 24}
    for name, value in usual.items():
        if getattr(options, name) is None:
            setattr(options, name, value)
    options.cache = options.cache.resolve()
    if options.limit_mb < MINIMUM_MB:
        parser.error(f"--limit-mb: a server needs at least {MINIMUM_MB} MB")
    return options


def write(options: argparse.Namespace, figures: dict[str, Any], chart: str) -> None:
    """The files that were asked for."""
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1), encoding="utf-8")
    if options.chart:
        options.chart.write_text(chart, encoding="utf-8")


def measure(
    contender: Contender,
    *,
    model: Checkpoint,
    place: Place,
    load: Load,
    number: int,
    outcome: Outcome,
    references: dict[str, client.Vectors],
) -> None:
    """One server, one round; what fails becomes a reason in the outcome."""
    log = place.cache / f"{contender.name}.log"
    running: Running | None = None
    try:
        start = functools.partial(contender.prepare, place, model)
        with started(start, log, load.limit_mb) as running:
            confirm(contender, running)
            outcome.rounds.append(one_round(running, model, load, number, outcome))
            if number == 0:
                compare(contender, running, outcome, references)
    except CannotRun as reason:
        outcome.refusals.append(str(reason))
    except (OSError, http.client.HTTPException) as error:
        outcome.refusals.append(running.why_it_failed(error) if running else str(error))


def confirm(contender: Contender, running: Running) -> None:
    """Raises CannotRun where the server does not say that it computes in the precision asked for."""
    if contender.precision:
        said = client.info(running.url)
        if contender.precision not in (said.get("precision"), said.get("dtype")):
            raise CannotRun(f"the server under test has no {contender.precision}: /info says dtype {said.get('dtype')}")


def one_round(running: Running, model: Checkpoint, load: Load, number: int, outcome: Outcome) -> Round:
    """Idle searches, the burst with its halts, a shorter one with searches beside it, the longest text, a re-index."""
    count = model.count()
    start_cpu, ready_mb = running.cpu_seconds(), running.peak_mb()
    questions = texts.searches((IDLE_SEARCHES + BUSY_SEARCHES) * load.rounds)[number :: load.rounds]
    connection = client.Connection(running.url)
    idle = [seconds(connection, question) for question in questions[:IDLE_SEARCHES]]
    first = number * load.in_flight * load.texts
    blocks = list(texts.blocks()[first : first + load.in_flight * load.texts])
    lengths = count(blocks)
    with contextlib.closing(matrix_products(model, load.threads)) as products, Halting(running, products) as halts:
        before = running.cpu_seconds()
        sent = client.burst(running.url, blocks, in_flight=load.in_flight, size=load.texts)
        used = running.cpu_seconds() - before
    halted = halts.within(sent.begin, sent.begin + sent.seconds)
    size = max(1, load.texts // BUSY_SHARE)
    busy = client.burst(
        running.url,
        blocks[: load.in_flight * size],
        in_flight=load.in_flight,
        size=size,
        searches=questions[IDLE_SEARCHES:],
    )
    burst_mb = running.peak_mb()
    long = longest(running, model, outcome) if load.long and number == 0 else (None, None)
    return Round(
        tokens=sum(lengths),
        texts=len(lengths),
        seconds=sent.seconds - halted,
        cpu_seconds=used,
        gflops_needed=model.flops(lengths) / 1e9,
        halted_seconds=halted,
        ceiling=halts.ceiling,
        ready_mb=ready_mb,
        burst_mb=burst_mb,
        start_cpu_seconds=start_cpu,
        idle_searches=idle,
        busy_searches=busy.searches,
        long_seconds=long[0],
        long_mb=long[1],
        reindex_tokens_per_second=reindex(running, model, load) if load.reindex and running.alive else None,
    )


def longest(running: Running, model: Checkpoint, outcome: Outcome) -> tuple[float | None, float | None]:
    """Seconds and peak MB of one text of as many tokens as the code model takes."""
    if model.max_tokens < LONG_TOKENS:
        return None, None
    running.forget_peak()
    try:
        return seconds(client.Connection(running.url), model.filling(texts.long_text())), running.peak_mb()
    except (OSError, http.client.HTTPException, CannotRun) as error:
        outcome.refusals.append(f"a text of {model.max_tokens} tokens: {running.why_it_failed(error)}")
        return None, None


def reindex(running: Running, model: Checkpoint, load: Load) -> float:
    """Tokens a second over many blocks in a row."""
    blocks = list(texts.blocks()[-load.reindex :])
    done = client.burst(running.url, blocks, in_flight=load.in_flight, size=load.texts)
    return sum(model.count()(blocks)) / done.seconds


def compare(contender: Contender, running: Running, outcome: Outcome, references: dict[str, client.Vectors]) -> None:
    """Hold the vectors of a few blocks against those of our float32 server with the same model, which came first."""
    vectors = client.Connection(running.url).embed(texts.blocks()[:SAMPLE])
    vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    if contender.ours and not contender.precision:
        references[contender.model] = vectors
    elif contender.model in references:
        cosines = (vectors * references[contender.model]).sum(axis=1)
        outcome.cosine, outcome.least_cosine = float(cosines.mean()), float(cosines.min())


def seconds(connection: client.Connection, text: str) -> float:
    """How long one text takes."""
    begin = time.perf_counter()
    connection.embed([text])
    return time.perf_counter() - begin


def matrix_products(model: Checkpoint, threads: int) -> Products:
    """The model's own matrix products, in float32."""
    numbers = [threads, PACKED_ROWS, model.layers, *(f"{rows},{columns}" for rows, columns in model.products)]
    return Products([str(number) for number in numbers], (BENCHMARKS, SERVER))


if __name__ == "__main__":
    sys.exit(main())
