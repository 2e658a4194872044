"""A store that may be out: nobody fails with it, and nobody waits long."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from redis.exceptions import ConnectionError as LostError

from upstream.reach import RETRY_SECONDS, Reach


class Store:
    """Answers by counting, fails, or hangs until it is let."""

    def __init__(self) -> None:
        self.asked = self.probed = 0
        self.error: Exception | None = None
        self.open = asyncio.Event()
        self.open.set()
        self.now = 1000.0
        self.reach = Reach("x", self.probe, seconds=0.05, clock=lambda: self.now)

    async def command(self) -> int:
        self.asked += 1
        return await self._answer(self.asked)

    async def probe(self) -> int:
        self.probed += 1
        return await self._answer(0)

    async def _answer(self, number: int) -> int:
        await self.open.wait()
        if self.error:
            raise self.error
        return number

    async def ask(self, late: Callable[[int], object] | None = None) -> int | None:
        return await self.reach.ask(self.command, late)


@pytest.fixture
async def store() -> Store:
    return Store()


async def test_its_answer_is_given(store: Store) -> None:
    assert [await store.ask() for _ in range(3)] == [1, 2, 3]
    assert store.probed == 0


@pytest.mark.parametrize("error", [LostError("x"), OSError("x"), TimeoutError("x")])
async def test_one_that_fails_is_left_alone(store: Store, error: Exception) -> None:
    store.error = error

    assert [await store.ask() for _ in range(5)] == [None] * 5
    assert (store.asked, store.probed) == (1, 0)


async def test_a_mistake_of_ours_is_no_outage(store: Store) -> None:
    store.error = ZeroDivisionError()

    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            await store.ask()


async def test_one_that_hangs_is_waited_for_once(store: Store) -> None:
    store.open.clear()

    assert [await store.ask() for _ in range(5)] == [None] * 5
    assert store.asked == 1
    store.open.set()
    await store.reach.aclose()


async def test_while_it_is_out_one_a_second_finds_out_and_nobody_waits(store: Store) -> None:
    store.error = LostError("x")
    await store.ask()
    store.open.clear()  # who waited for this would wait for ever

    for _ in range(3):
        store.now += RETRY_SECONDS
        for _ in range(5):
            assert await store.ask() is None
    await asyncio.sleep(0)

    assert (store.asked, store.probed) == (1, 3)
    store.open.set()
    await store.reach.aclose()


async def test_once_it_is_back_it_is_used(store: Store) -> None:
    store.error = LostError("x")
    await store.ask()
    store.error = None
    store.now += RETRY_SECONDS

    assert await store.ask() is None
    await store.reach.aclose()
    assert await store.ask() == 2


async def left(store: Store, ask: Awaitable[object]) -> None:
    task = asyncio.ensure_future(ask)
    while not store.asked:
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("by", ["time", "leaving"])
async def test_what_comes_too_late_is_told(store: Store, by: str) -> None:
    store.open.clear()
    late: list[int] = []
    asking = store.ask(late.append)
    if by == "time":
        assert await asking is None
    else:
        await left(store, asking)
    assert late == []

    store.open.set()
    await store.reach.aclose()
    await asyncio.sleep(0)

    assert late == [1]
    assert await store.ask() == 2
