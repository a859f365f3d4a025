"""The queue's rules, one at a time, on a schedule that is told the time."""

from collections import deque
from collections.abc import Sequence

import numpy as np
import pytest

from embserver.encoder import Vectors
from embserver.refusals import QueueFull
from embserver.schedule import TOKENS_AT_ONCE, Batch, Job, Schedule


def schedule(**options: float) -> Schedule:
    return Schedule(vector_bytes=8, **{"batch_tokens": 100, **options})  # type: ignore[arg-type]  # whole numbers are ints


def text(number: int, tokens: int = 10) -> list[int]:
    return [number] * tokens


def bulk(first: int, texts: int = 5, tokens: int = 10) -> list[list[int]]:
    return [text(first + offset, tokens) for offset in range(texts)]


def vectors(batch: Batch) -> list[Vectors]:
    """The vector of a text is its first id and its length."""
    return [np.array([ids[0], len(ids)], np.float32) for ids in batch.ids]


def begun(batch: Batch | None) -> Batch:
    assert batch is not None
    return batch


def finish(queue: Schedule, batch: Batch | None, now: float = 0.0) -> list[Job]:
    return queue.end(begun(batch), vectors(begun(batch)), now)


def first_ids(batch: Batch | None) -> set[int]:
    return {ids[0] for ids in begun(batch).ids}


def firsts(job: Job) -> list[int]:
    return [int(vector[0]) for vector in job.vectors]


def drained(queue: Schedule, now: float = 0.0) -> list[Job]:
    over = []
    while (batch := queue.next(now)) is not None:
        over += finish(queue, batch, now)
    return over


def test_texts_of_several_requests_share_a_batch_and_each_request_gets_its_own_in_order() -> None:
    queue = schedule()
    one = queue.submit([text(3), text(1), text(2), text(5), text(4)], 0)
    two = queue.submit([text(7, 20), text(6), text(9), text(8), text(3)], 0)

    batch = queue.next(0)

    assert first_ids(batch) == set(range(1, 10))
    assert finish(queue, batch) == [one, two]
    assert firsts(one) == [3, 1, 2, 5, 4]
    assert firsts(two) == [7, 6, 9, 8, 3]
    assert queue.next(0) is None


def test_a_batch_keeps_to_its_tokens_and_a_text_beyond_them_goes_alone() -> None:
    queue = schedule(batch_tokens=100)
    queue.submit([text(1, 40), text(2, 300), text(3, 70), text(4, 30), text(5, 60)], 0)

    batches = []
    while (batch := queue.next(0)) is not None:
        batches.append(sorted(map(len, batch.ids)))
        finish(queue, batch)

    assert batches == [[30, 70], [40, 60], [300]]


@pytest.mark.parametrize("streams", [1, 2])
def test_streams_share_the_tokens_that_are_in_work_at_once(streams: int) -> None:
    queue = Schedule(vector_bytes=8, streams=streams)
    queue.submit(bulk(0, texts=50, tokens=32), 0)

    in_work = [queue.next(0) for _ in range(streams)]

    assert [batch.tokens for batch in in_work if batch] == [TOKENS_AT_ONCE // streams] * streams


def test_the_oldest_request_is_served_first_and_younger_ones_fill_what_it_leaves() -> None:
    queue = schedule(batch_tokens=100)
    queue.submit(bulk(10, texts=5, tokens=30), 0)
    queue.submit(bulk(20, texts=5, tokens=9), 1)

    first = queue.next(2)
    finish(queue, first, 2)
    second = queue.next(2)

    assert first_ids(first) == {12, 13, 14, 24}
    assert first_ids(second) >= {10, 11}


def test_the_same_text_is_computed_once_for_all_who_ask_while_it_is_in_flight() -> None:
    queue = schedule()
    one = queue.submit([text(1), text(1), text(2), text(1), text(3)], 0)
    two = queue.submit([text(2), text(1)], 0)

    interactive = queue.next(0)
    assert first_ids(interactive) == {1, 2}
    three = queue.submit([text(1)], 0)
    assert set(finish(queue, interactive)) == {two, three}
    batch = queue.next(0)
    assert first_ids(batch) == {3}
    assert finish(queue, batch) == [one]
    assert firsts(one) == [1, 1, 2, 1, 3]
    assert firsts(two) == [2, 1]
    assert queue.figures(0).shared == 3


def test_a_text_that_is_no_longer_in_flight_is_computed_anew() -> None:
    queue = schedule()
    queue.submit([text(1)], 0)
    drained(queue)
    queue.submit([text(1)], 0)

    assert first_ids(queue.next(0)) == {1}


@pytest.mark.parametrize(
    ("inputs", "interactive"),
    [(bulk(1, 4, 128), True), (bulk(1, 4, 129), False), (bulk(1, 5, 1), False), ([text(1, 512)], True)],
)
def test_one_to_four_texts_of_at_most_512_tokens_are_interactive(inputs: list[list[int]], interactive: bool) -> None:
    assert schedule().submit(inputs, 0).interactive is interactive


def test_a_search_goes_before_everything_that_waits_and_alone() -> None:
    queue = schedule()
    queue.submit(bulk(10), 0)
    queue.submit([text(1)], 5)
    queue.submit([text(2)], 6)

    assert first_ids(queue.next(7)) == {1, 2}


def test_a_search_overtakes_the_batch_in_work_and_another_search_does_not_overtake_it() -> None:
    queue = schedule()
    queue.submit(bulk(10), 0)
    outer = begun(queue.next(0))
    assert queue.overtake(outer, 1) is None
    search = queue.submit([text(1)], 1)
    inner = begun(queue.overtake(outer, 1))
    assert first_ids(inner) == {1}
    queue.submit([text(2)], 1)
    assert queue.overtake(inner, 1) is None
    assert finish(queue, inner, 2) == [search]
    assert first_ids(queue.overtake(outer, 2)) == {2}
    assert outer.interactive is False


def test_searches_set_the_others_back_by_no_more_than_the_limit_and_then_in_turn() -> None:
    queue = schedule(set_back_seconds=2.0)
    queue.submit(bulk(10), 0)
    outer = begun(queue.next(0))
    for number in range(2):
        queue.submit([text(number)], 1)
        finish(queue, queue.overtake(outer, 1 + number), 2 + number)
    queue.submit([text(8)], 3)

    assert queue.overtake(outer, 3) is None
    assert first_ids(queue.overtake(outer, 3.5)) == {8}


def test_bulk_work_that_was_set_back_to_the_limit_is_begun_before_a_search() -> None:
    queue = schedule(set_back_seconds=2.0)
    queue.submit(bulk(10), 0)
    queue.submit([text(1)], 0)
    finish(queue, queue.next(0), 2)
    queue.submit([text(2)], 2)

    assert begun(queue.next(2)).interactive is False


def test_a_search_overtakes_only_where_no_stream_is_free_for_it() -> None:
    queue = schedule(streams=2)
    queue.submit(bulk(10, texts=20), 0)
    first = begun(queue.next(0))
    queue.submit([text(1)], 1)

    assert queue.overtake(first, 1) is None
    assert first_ids(queue.next(1)) == {1}
    second = queue.submit([text(2)], 1)
    assert finish(queue, queue.overtake(first, 1), 2) == [second]


def test_bulk_work_in_one_stream_makes_up_for_searches_in_the_other() -> None:
    queue = schedule(streams=2, set_back_seconds=2.0)
    queue.submit(bulk(10, texts=30), 0)
    first, second = begun(queue.next(0)), begun(queue.next(0))
    queue.submit([text(1)], 0)
    search = begun(queue.overtake(second, 0))
    finish(queue, search, 60)
    queue.submit([text(2)], 60)
    inner = begun(queue.overtake(second, 60))
    queue.submit([text(3)], 60)
    queue.overtake(first, 60)
    finish(queue, inner, 62)
    queue.submit([text(4)], 62)

    assert queue.overtake(second, 62) is None


def test_texts_beyond_a_batch_are_in_work_together_only_while_they_are_few() -> None:
    queue = schedule(streams=3)
    queue.submit([text(4, 101), text(3, 102), text(2, 1000), text(1, 1001)], 0)
    queue.submit([text(5, 103), *bulk(60, tokens=4)], 1)

    first, second, third = (begun(queue.next(2)) for _ in range(3))

    assert (first_ids(first), first_ids(second)) == ({1}, {2})
    assert first_ids(third) == {60, 61, 62, 63, 64}
    finish(queue, third, 3)
    assert queue.next(3) is None
    finish(queue, first, 4)
    assert first_ids(queue.next(4)) == {3}


def test_a_text_beyond_a_batch_begins_whatever_short_ones_are_in_work() -> None:
    queue = schedule(streams=2)
    queue.submit([text(1, 90), text(2, 8192)], 0)

    assert first_ids(queue.next(0)) == {1}
    assert first_ids(queue.next(0)) == {2}


def test_searches_alone_are_never_held_back() -> None:
    queue = schedule(set_back_seconds=2.0)
    for number in range(5):
        queue.submit([text(number)], 10 * number)
        batch = queue.next(10 * number)
        assert first_ids(batch) == {number}
        finish(queue, batch, 10 * number + 9)


def test_a_cancelled_request_leaves_nothing_behind_but_what_others_ask_for_too() -> None:
    queue = schedule()
    leaving = queue.submit(bulk(1), 0)
    staying = queue.submit([text(3), *bulk(10)], 0)
    queue.cancel(leaving)
    queue.cancel(leaving)

    batch = queue.next(0)
    assert first_ids(batch) == {3, 10, 11, 12, 13, 14}
    assert finish(queue, batch) == [staying]
    assert queue.held == 0


def test_a_batch_is_abandoned_once_nobody_wants_anything_of_it() -> None:
    queue = schedule()
    one, two = queue.submit(bulk(1), 0), queue.submit(bulk(10), 0)
    batch = begun(queue.next(0))
    queue.cancel(one)
    assert not queue.abandon(batch, 0)
    queue.cancel(two)
    assert queue.abandon(batch, 0)
    again = queue.submit(bulk(1), 0)

    assert drained(queue) == [again]
    assert queue.figures(0).abandoned == 1


def test_who_asks_for_a_text_that_everybody_else_gave_up_gets_it_from_the_batch_in_work() -> None:
    queue = schedule()
    one = queue.submit(bulk(1), 0)
    batch = begun(queue.next(0))
    queue.cancel(one)
    late = queue.submit([text(3)], 0)

    assert not queue.abandon(batch, 0)
    assert finish(queue, batch) == [late]


def test_a_text_that_fails_ends_the_requests_that_asked_for_it_and_no_others() -> None:
    queue = schedule()
    hit = queue.submit([text(1), text(2), *bulk(100, 200)], 0)
    hit_too, spared = queue.submit([text(2)], 0), queue.submit([text(3)], 0)
    batch = begun(queue.next(0))
    failure = ArithmeticError("no number")
    results: Sequence[Vectors | Exception] = [failure if ids[0] == 2 else np.zeros(2, np.float32) for ids in batch.ids]

    over = queue.end(batch, results, 0)

    assert set(over) == {hit, hit_too, spared}
    assert (hit.error, hit_too.error, spared.error) == (failure, failure, None)
    assert queue.next(0) is None
    assert queue.held == 0


def test_the_queue_holds_so_many_bytes_and_then_refuses_but_never_an_only_request() -> None:
    queue = schedule(capacity=10_000)
    large = queue.submit(bulk(0, 200), 0)
    assert queue.held > 10_000
    with pytest.raises(QueueFull, match="of 10000 bytes"):
        queue.submit(bulk(300), 0)
    queue.cancel(large)

    queue.submit(bulk(300), 0)


def test_a_queue_full_of_scans_refuses_no_search_until_searches_alone_fill_their_reserve() -> None:
    queue = schedule(capacity=10_000)
    queue.submit(bulk(0, 200), 0)
    for number in range(1000):
        queue.submit([text(1000 + number)], 0)
    with pytest.raises(QueueFull):
        queue.submit(bulk(300), 0)
    with pytest.raises(QueueFull):
        deque((queue.submit([text(2000 + number)], 0) for number in range(5000)), maxlen=0)


def test_a_refused_request_changes_nothing() -> None:
    queue = schedule(capacity=4000)
    first = queue.submit(bulk(0), 0)
    before = queue.figures(0)
    with pytest.raises(QueueFull):
        queue.submit(bulk(3, 200), 0)

    assert queue.figures(0) == before
    assert drained(queue) == [first]


def test_the_figures_say_who_waits_and_for_how_long() -> None:
    queue = schedule(batch_tokens=50)
    queue.submit(bulk(10), 0)
    queue.submit(bulk(20), 3)
    queue.submit([text(1)], 4)
    batch = queue.next(5)
    figures = queue.figures(6)

    assert first_ids(batch) == {1}
    assert (figures.interactive, figures.bulk, figures.running, figures.waiting) == (1, 2, 1, 2)
    assert (figures.texts, figures.oldest_seconds, figures.batches) == (10, 6, 1)
    assert figures.bytes == queue.held > 0
