"""Portions of keys, calls at once, calls per second."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upstream.limits import Bulkhead, chunks


@given(st.lists(st.integers()), st.none() | st.integers(1, 7))
def test_portions_are_all_the_keys_in_order(keys: list[int], size: int | None) -> None:
    portions = [list(portion) for portion in chunks(keys, size)]

    assert [key for portion in portions for key in portion] == keys
    assert all(len(portion) <= (size or len(keys)) for portion in portions)


async def waiting(bulkhead: Bulkhead) -> bool:
    """Whether a call has to wait now; if not, it is let in and out."""

    async def enter() -> None:
        async with bulkhead.slot():
            pass

    entering = asyncio.create_task(enter())
    for _ in range(5):
        await asyncio.sleep(0)
    if entering.done():
        return False
    entering.cancel()
    with pytest.raises(asyncio.CancelledError):
        await entering
    return True


async def test_only_so_many_are_let_in() -> None:
    bulkhead = Bulkhead(2, None)
    async with bulkhead.slot():
        async with bulkhead.slot():
            assert await waiting(bulkhead)
        assert not await waiting(bulkhead)
    assert not await waiting(bulkhead)


async def test_a_caller_who_gives_up_takes_no_place() -> None:
    bulkhead = Bulkhead(1, None)
    async with bulkhead.slot():
        assert await waiting(bulkhead)
    assert not await waiting(bulkhead)


async def test_a_failing_call_leaves_its_place() -> None:
    bulkhead = Bulkhead(1, None)
    with pytest.raises(ZeroDivisionError):
        async with bulkhead.slot():
            raise ZeroDivisionError
    assert not await waiting(bulkhead)


async def test_starts_are_spread() -> None:
    bulkhead = Bulkhead(None, 0.001)
    assert not await waiting(bulkhead)
    assert await waiting(bulkhead)


async def test_a_tenth_of_a_second_may_start_together() -> None:
    bulkhead = Bulkhead(50, 100.0)
    held = [not await waiting(bulkhead) for _ in range(10)]
    assert all(held)


async def test_no_limit_is_no_limit() -> None:
    bulkhead = Bulkhead(None, None)
    assert not any([await waiting(bulkhead) for _ in range(100)])
