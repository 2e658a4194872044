"""Whose time is over is ended, nobody else, and never for somebody else's reason."""

import asyncio

import pytest

from upstream.deadlines import Deadlines


def soon(seconds: float = 0.02) -> float:
    return asyncio.get_running_loop().time() + seconds


async def hang(deadlines: Deadlines, until: float) -> str:
    """How it ended; CancelledError where its deadline is not the reason."""
    due = deadlines.begin(until)
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        if deadlines.end(due):
            return "late"
        raise
    raise AssertionError


async def test_each_ends_at_its_own_time_in_any_order() -> None:
    deadlines, ended = Deadlines(), []

    async def one(name: str, until: float) -> None:
        assert await hang(deadlines, until) == "late"
        ended.append(name)

    times = {"third": 0.12, "first": 0.0, "second": 0.06}
    await asyncio.gather(*(one(name, soon(seconds)) for name, seconds in times.items()))
    assert ended == ["first", "second", "third"]


async def test_what_ended_before_its_time_is_left_alone() -> None:
    deadlines = Deadlines()
    assert not deadlines.end(deadlines.begin(soon(0.01)))
    assert await hang(deadlines, soon()) == "late"
    assert asyncio.current_task().cancelling() == 0  # type: ignore[union-attr]


async def test_a_time_that_is_over_already_ends_it_at_its_first_pause() -> None:
    assert await hang(Deadlines(), soon(-5)) == "late"


async def test_who_is_cancelled_by_others_is_not_late() -> None:
    deadlines = Deadlines()
    asking = asyncio.create_task(hang(deadlines, soon(60)))
    await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking


async def test_who_is_late_and_cancelled_is_cancelled() -> None:
    deadlines = Deadlines()

    async def stubborn() -> None:
        due = deadlines.begin(soon())
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            with pytest.raises(asyncio.CancelledError):  # by its deadline, this time
                await asyncio.Event().wait()
            assert not deadlines.end(due)
            raise

    asking = asyncio.create_task(stubborn())
    await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking


async def test_one_within_another_ends_alone() -> None:
    deadlines = Deadlines()
    due = deadlines.begin(soon(60))
    assert await hang(deadlines, soon()) == "late"
    assert not deadlines.end(due)


async def test_a_swallowed_cancellation_leaves_no_trace() -> None:
    deadlines, task = Deadlines(), asyncio.current_task()
    assert task is not None
    due = deadlines.begin(soon())
    with pytest.raises(asyncio.CancelledError):
        await asyncio.Event().wait()
    assert deadlines.end(due)
    assert task.cancelling() == 0


async def test_waiting_leaves_to_others_what_they_wait_for() -> None:
    deadlines, loop = Deadlines(), asyncio.get_running_loop()
    over, under_way = loop.create_future(), loop.create_future()
    over.set_result(None)

    await deadlines.wait([over], soon(60))
    await deadlines.wait([over, under_way], soon())
    assert not under_way.done()

    waiting = asyncio.create_task(deadlines.wait([under_way], soon(60)))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert not under_way.done()

    waiting = asyncio.create_task(deadlines.wait([under_way, over], soon(60)))
    await asyncio.sleep(0)
    under_way.set_result(None)
    await waiting


def test_it_serves_one_loop_after_another() -> None:
    deadlines = Deadlines()

    async def left_behind() -> None:
        deadlines.begin(soon(60))

    async def late() -> str:
        return await hang(deadlines, soon())

    asyncio.run(left_behind())
    assert asyncio.run(late()) == "late"
