"""The queue's rules over several streams, whatever their order: nothing lost, nothing twice, few long texts at once,
nobody starves."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from embserver.schedule import Batch, Job, Schedule

# Few different texts, so that the same ones meet in flight; some longer than a batch.
texts = st.builds(lambda number, tokens: [number] * tokens, st.integers(1, 9), st.sampled_from([30, 150, 1500]))
streams = st.integers(0, 2)


class Streams(RuleBasedStateMachine):
    """Three streams that take turns in any order, while requests arrive and leave."""

    def __init__(self) -> None:
        super().__init__()
        self.queue = Schedule(vector_bytes=8, streams=3, batch_tokens=100, set_back_seconds=5.0)
        self.work: list[list[Batch]] = [[], [], []]
        self.asked: list[tuple[list[list[int]], Job]] = []
        self.left: set[Job] = set()
        self.over: list[Job] = []
        self.now = 0

    @rule(inputs=st.lists(texts, min_size=1, max_size=6))
    def ask(self, inputs: list[list[int]]) -> None:
        self.asked.append((inputs, self.queue.submit(inputs, self.now)))

    @precondition(lambda self: self.asked)
    @rule(which=st.integers(0, 30))
    def leave(self, which: int) -> None:
        job = self.asked[which % len(self.asked)][1]
        if job not in self.over:
            self.left.add(job)
        self.queue.cancel(job)

    @rule(stream=streams)
    def step(self, stream: int) -> None:
        self.now += 1
        if not self.work[stream]:
            self.begin(stream, self.queue.next(self.now))
            return
        batch = self.work[stream].pop()
        if not self.queue.abandon(batch, self.now):
            vectors = [np.array([ids[0], len(ids)], np.float32) for ids in batch.ids]
            self.over += self.queue.end(batch, vectors, self.now)

    @rule(stream=streams)
    def overtake(self, stream: int) -> None:
        if self.work[stream]:
            self.begin(stream, self.queue.overtake(self.work[stream][-1], self.now))

    def begin(self, stream: int, batch: Batch | None) -> None:
        if batch is not None:
            self.work[stream].append(batch)

    @invariant()
    def no_text_is_computed_twice_at_once(self) -> None:
        in_work = [tuple(ids) for work in self.work for batch in work for ids in batch.ids]
        assert len(in_work) == len(set(in_work))

    @invariant()
    def few_long_texts_are_in_work(self) -> None:
        long = [batch.tokens for work in self.work for batch in work if batch.tokens > 100 and not batch.interactive]
        assert len(long) <= 1 or sum(long) <= 2048

    def teardown(self) -> None:
        while any(self.work) or self.queue.queued:
            for stream in range(3):
                self.step(stream)
        assert Counter(self.over) == Counter({job: 1 for _, job in self.asked if job not in self.left})
        for inputs, job in self.asked:
            if job not in self.left:
                assert [vector.tolist() for vector in job.vectors] == [[ids[0], len(ids)] for ids in inputs]
        assert self.queue.held == 0
        assert self.queue.figures(self.now).texts == 0


Streams.TestCase.settings = settings(max_examples=300)
TestHoweverStreamsTakeTurnsNothingIsLostOrDoneTwice = Streams.TestCase


LAYERS = 4
BUDGET = 100
LIMIT = 50


@dataclass
class Stream:
    """What one stream computes, the overtaken batch first, each with the layers that are left of it."""

    work: list[tuple[Batch, int]]
    until: int = 0

    def finish(self, queue: Schedule) -> None:
        """End what has no layer left."""
        while self.work and self.work[-1][1] == 0:
            batch, _ = self.work.pop()
            queue.end(batch, [np.array([0], np.float32)] * len(batch.texts), self.until)

    def layer(self, queue: Schedule) -> None:
        """Begin what there is to begin, and go on by one layer, in which a token costs one unit of time."""
        begun = queue.overtake(self.work[-1][0], self.until) if self.work else queue.next(self.until)
        if begun is not None:
            self.work.append((begun, LAYERS))
        batch, left = self.work.pop()
        self.work.append((batch, left - 1))
        self.until += batch.tokens


@pytest.mark.parametrize("count", [1, 2])
@given(st.integers(1, 10), st.integers(20, 130), st.integers(1, 4))
def test_no_flood_of_searches_starves_a_scan_in_so_many_streams(
    count: int, size: int, search: int, waiting: int
) -> None:
    queue = Schedule(vector_bytes=4, streams=count, batch_tokens=BUDGET, set_back_seconds=LIMIT)
    scan = queue.submit([*([100 + number] * 50 for number in range(size)), [99] * 600], 0)
    computing = [Stream([]) for _ in range(count)]
    alone = LAYERS * (50 * size + 600)
    # As much time again as it takes itself, the limit, and the searches that are in work when either is used up.
    latest = 2 * alone / count + LIMIT + LAYERS * search * waiting
    searches = 0
    while True:
        at = min(computing, key=lambda one: one.until)
        assert at.until <= latest
        at.finish(queue)
        if scan.ended is not None:
            break
        # Whoever looks for a search finds one.
        while sum(job.interactive for job in queue.unbegun()) < waiting:
            searches += 1
            queue.submit([[1000 + searches] * search], at.until)
        at.layer(queue)
