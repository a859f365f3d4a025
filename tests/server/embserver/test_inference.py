"""Inference over a schedule, whatever arrives and leaves meanwhile. Only computing moves its clock."""

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embserver.encoder import Pause, Vectors, no_pause
from embserver.inference import Inference
from embserver.refusals import Closed
from embserver.schedule import Batch, Job, Schedule, Text

LAYERS = 4
BUDGET = 100
LIMIT = 50.0
Inputs = list[list[int]]


@dataclass(frozen=True)
class Arrives:
    """A request."""

    inputs: Inputs


@dataclass(frozen=True)
class Leaves:
    """A client, by its number, again and again counted from the first."""

    which: int


Event = Arrives | Leaves | None


@dataclass(eq=False)
class World:
    """Plays one event before every pause: a request that arrives, one that leaves, or nothing.

    A token costs a layer one unit of time.
    """

    events: list[Event]
    now: float = 0.0
    jobs: list[tuple[Inputs, Job]] = field(default_factory=list)
    left: set[Job] = field(default_factory=set)
    delivered: list[Job] = field(default_factory=list)
    batches: list[list[tuple[int, ...]]] = field(default_factory=list)
    completed: list[Text] = field(default_factory=list)
    in_work: Counter[tuple[int, ...]] = field(default_factory=Counter)
    watch: Callable[[], None] = lambda: None

    def __post_init__(self) -> None:
        self.events = self.events[::-1]
        self.pending: list[Callable[[], None]] = []
        self.schedule = Schedule(vector_bytes=8, batch_tokens=BUDGET, set_back_seconds=LIMIT)
        self.inference = Inference(
            self, self.schedule, run=self.pending.append, deliver=self.delivered.append, clock=lambda: self.now
        )

    dimension, device, dtype, streams, releases = 2, "cpu", "float32", 1, 0

    def encode(self, batch: Sequence[Sequence[int]], pause: Pause = no_pause) -> Vectors:
        texts = [tuple(ids) for ids in batch]
        self.batches.append(texts)
        begun = list(self.schedule._work)[-1].texts
        self.in_work.update(texts)
        assert max(self.in_work.values()) == 1, "a text was begun that is in work already"
        try:
            for _ in range(LAYERS):
                self.now += sum(map(len, texts))
                self.happen()
                pause()
        finally:
            self.in_work.subtract(texts)
        self.completed += begun
        return np.array([vector(text) for text in texts], np.float32)

    def happen(self) -> None:
        self.watch()
        event = self.events.pop() if self.events else None
        if isinstance(event, Arrives):
            self.ask(event.inputs)
        elif isinstance(event, Leaves) and self.jobs:
            job = self.jobs[event.which % len(self.jobs)][1]
            if job not in self.delivered:
                self.left.add(job)
            self.inference.cancel(job)

    def ask(self, inputs: Inputs) -> Job:
        job = self.inference.submit(inputs)
        self.jobs.append((inputs, job))
        return job

    def run(self) -> None:
        """Until nothing is left to happen or to compute."""
        while self.events or self.pending:
            if self.pending:
                self.pending.pop(0)()
            else:
                self.happen()


def vector(text: Sequence[int]) -> list[float]:
    return [float(sum(text)), float(len(text))]


# Few different texts, so that the same ones meet in flight.
texts = st.builds(lambda number, tokens: [number] * tokens, st.integers(1, 6), st.sampled_from([1, 7, 40, 90, 130]))
requests = st.lists(texts, min_size=1, max_size=12)
happenings = st.lists(
    st.one_of(st.builds(Arrives, requests), st.builds(Leaves, st.integers(0, 30)), st.none()), max_size=40
)


@settings(max_examples=400)
@given(happenings)
def test_every_request_is_answered_once_in_its_order_unless_it_left(events: list[Event]) -> None:
    world = World(events)
    world.run()

    assert Counter(world.delivered) == Counter({job: 1 for _, job in world.jobs if job not in world.left})
    for inputs, job in world.jobs:
        if job not in world.left:
            assert job.error is None
            assert [row.tolist() for row in job.vectors] == [vector(text) for text in inputs]


@settings(max_examples=400)
@given(happenings)
def test_nothing_is_computed_twice_for_one_request_and_nothing_stays_behind(events: list[Event]) -> None:
    world = World(events)
    world.run()

    times = Counter(world.completed)
    assert all(times[text] == 1 for _, job in world.jobs if job not in world.left for text in job.texts)
    assert len(times) == len(world.completed)
    assert world.schedule.held == 0
    figures = world.inference.figures()
    assert (figures.interactive, figures.bulk, figures.texts) == (0, 0, 0)


@given(happenings)
def test_batches_keep_to_the_budget(events: list[Event]) -> None:
    world = World(events)
    world.run()

    # A search's batch may be as large as an interactive request.
    assert all(len(batch) == 1 or sum(map(len, batch)) <= max(BUDGET, 512) for batch in world.batches)


@given(happenings)
def test_bulk_batches_always_serve_the_oldest_bulk_request(events: list[Event]) -> None:
    world = World(events)
    asked = world.schedule._begin

    def watched(now: float, *, interactive: bool, overtaken: Batch | None = None) -> object:
        line = list(world.schedule._lines[interactive])
        batch = asked(now, interactive=interactive, overtaken=overtaken)
        if batch is not None:
            assert any(line[0] in text.jobs for text in batch.texts)
        return batch

    world.schedule._begin = watched  # type: ignore[assignment, method-assign]  # looks over the shoulder
    world.run()


@given(st.integers(1, 30), st.lists(texts, min_size=1, max_size=4))
def test_no_flood_of_searches_starves_the_others(size: int, search: Inputs) -> None:
    own = [[100 + number] * 50 for number in range(size)]
    world = World([])
    job = world.ask([*own, [99] * 600])
    flood = [[number + 1000 for number in text] for text in search]

    def one_more() -> None:
        if job.ended is None and world.schedule.figures(world.now).interactive == 0:
            world.ask(flood)

    world.watch = one_more
    world.run()

    alone = LAYERS * (50 * size + 600)
    searching = LAYERS * sum(map(len, flood))
    assert job.ended is not None
    # As much time again as it takes itself, the limit, and the search that is in work when either is used up.
    assert job.ended <= 2 * alone + LIMIT + searching


@given(st.integers(0, 60), st.lists(texts, min_size=1, max_size=3), st.integers(1, 8))
def test_a_search_begins_at_the_next_pause_whatever_waits(late: int, search: Inputs, scans: int) -> None:
    nothing: list[Event] = [None] * late
    world = World([*nothing, Arrives(search)])
    for scan in range(scans):
        world.ask([[1000 + 20 * scan + number] * 90 for number in range(20)])
    world.run()

    _, job = world.jobs[-1]
    assert job.began is not None
    assert job.began - job.submitted == 0
    assert sum(len(batch) for batch in world.batches) == scans * 20 + len({tuple(text) for text in search})


def test_what_nobody_wants_any_more_stops_at_the_next_pause() -> None:
    world = World([Leaves(0)])
    world.ask([[number] * 20 for number in range(50)])
    world.run()

    assert len(world.batches) == 1
    assert world.completed == []
    assert world.inference.figures().abandoned == 1


def test_at_the_end_what_has_begun_is_finished_and_the_rest_is_handed_back() -> None:
    world = World([])
    running, waiting = world.ask([[number] * 60 for number in range(5)]), world.ask([[9] * 600])
    handed_back: list[Job] = []
    world.watch = lambda: handed_back.extend(world.inference.close())
    world.run()

    assert handed_back == [waiting]
    assert world.delivered == [running]
    with pytest.raises(Closed):
        world.inference.submit([[1]])


class Meeting(World):
    """Every batch waits in its midst for one of the other stream."""

    streams = 2

    def __post_init__(self) -> None:
        self.schedule = Schedule(vector_bytes=8, streams=2, batch_tokens=BUDGET)
        self.pool, self.both = ThreadPoolExecutor(2), threading.Barrier(2)
        self.ended = threading.Semaphore(0)
        self.inference = Inference(self, self.schedule, run=self.pool.submit, deliver=self.end, clock=lambda: 0.0)

    def encode(self, batch: Sequence[Sequence[int]], pause: Pause = no_pause) -> Vectors:
        self.both.wait(timeout=60)
        pause()
        return np.array([vector(ids) for ids in batch], np.float32)

    def end(self, job: Job) -> None:
        self.delivered.append(job)
        self.ended.release()


def test_one_requests_texts_are_computed_in_both_streams_at_once_and_those_of_two_as_well() -> None:
    world = Meeting([])
    with world.pool:
        one = world.ask([[number] * 90 for number in range(6)])
        assert world.ended.acquire(timeout=60)
        world.ask([[number] * 15 for number in range(10, 16)])
        world.ask([[number] * 15 for number in range(20, 26)])
        assert world.ended.acquire(timeout=60)
        assert world.ended.acquire(timeout=60)

    assert len(world.delivered) == 3
    assert [row.tolist() for row in one.vectors] == [vector([number] * 90) for number in range(6)]
    for inputs, job in world.jobs:
        assert job.error is None
        assert [row.tolist() for row in job.vectors] == [vector(text) for text in inputs]


def test_a_crash_ends_the_requests_of_its_batch_and_the_thread_goes_on() -> None:
    world = World([])
    hit = world.ask([[number] * 10 for number in range(5)])

    def crash() -> None:
        world.watch = lambda: None
        raise RuntimeError("the encoder fell over")

    world.watch = crash
    world.run()
    following = world.ask([[1]])
    world.run()

    assert world.delivered == [hit, following]
    assert isinstance(hit.error, RuntimeError)
    assert following.error is None


def test_an_answer_of_too_few_vectors_is_a_failure_too() -> None:
    world = World([])
    job = world.ask([[1], [2], [3]])
    with patch.object(world, "encode", return_value=np.zeros((1, 2), np.float32)):
        world.run()

    assert isinstance(job.error, ValueError)
