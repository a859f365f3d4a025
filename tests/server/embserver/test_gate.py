"""The gate: so many at once, the others in order, nobody turned away until it closes."""

import asyncio

import pytest

from embserver.gate import Gate
from embserver.refusals import Closed


def test_the_limit_holds_and_those_waiting_come_in_the_order_they_arrived() -> None:
    async def scenario() -> None:
        gate, order, leave = Gate(2), list[int](), [asyncio.Event() for _ in range(5)]

        async def visit(number: int) -> None:
            async with gate.enter():
                order.append(number)
                await leave[number].wait()

        tasks = [asyncio.create_task(visit(number)) for number in range(5)]
        await _settle()
        assert (order, gate.running, gate.waiting) == ([0, 1], 2, 3)
        leave[1].set()
        await _settle()
        assert (order, gate.running, gate.waiting) == ([0, 1, 2], 2, 2)
        for event in leave:
            event.set()
        await asyncio.gather(*tasks)
        assert (order, gate.running, gate.waiting) == ([0, 1, 2, 3, 4], 0, 0)

    asyncio.run(scenario())


def test_a_cancelled_visitor_leaves_the_queue_and_no_place_is_lost() -> None:
    async def scenario() -> None:
        gate, leave = Gate(1), asyncio.Event()

        async def visit() -> None:
            async with gate.enter():
                await leave.wait()

        first, second, third = (asyncio.create_task(visit()) for _ in range(3))
        await _settle()
        second.cancel()
        await _settle()
        assert (gate.running, gate.waiting) == (1, 1)
        leave.set()
        await asyncio.gather(first, third)
        assert (gate.running, gate.waiting) == (0, 0)

    asyncio.run(scenario())


def test_a_visitor_cancelled_in_the_moment_of_its_turn_passes_the_place_on() -> None:
    async def scenario() -> None:
        gate, leave = Gate(1), asyncio.Event()

        async def visit() -> None:
            async with gate.enter():
                await leave.wait()

        first, second, third = (asyncio.create_task(visit()) for _ in range(3))
        await _settle()
        first.cancel()
        await asyncio.sleep(0)
        # The place is second's by now, but second has not run since.
        second.cancel()
        leave.set()
        await third
        assert second.cancelled()
        assert (gate.running, gate.waiting) == (0, 0)

    asyncio.run(scenario())


def test_closing_sends_those_in_the_queue_away_and_lets_those_in_work_finish() -> None:
    async def scenario() -> None:
        gate, leave = Gate(1), asyncio.Event()

        async def visit() -> str:
            async with gate.enter():
                await leave.wait()
                return "finished"

        inside, queued = (asyncio.create_task(visit()) for _ in range(2))
        await _settle()
        gate.close()
        with pytest.raises(Closed):
            await queued
        with pytest.raises(Closed):
            await visit()
        leave.set()
        assert await inside == "finished"
        assert gate.running == 0

    asyncio.run(scenario())


async def _settle() -> None:
    """Let every task run until it waits for something."""
    for _ in range(10):
        await asyncio.sleep(0)
