"""Portions of keys, calls at once, calls per second."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ports.caller import LANES, Call, Caller, CallerKind, Lane
from upstream.limits import Bulkhead, CrowdedError, chunks


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


def asking(subject: str = "a", lane: Lane = "interactive", seconds: float = 60.0) -> Call:
    caller = Caller(subject=subject, kind=CallerKind.USER, customer="C1")
    return Call(caller, "en", time.monotonic() + seconds, lane=lane)


async def settle() -> None:
    """Lets everybody who can go on do so."""
    for _ in range(10):
        await asyncio.sleep(0)


class Crowd:
    """Callers before a bulkhead; `order` are those let in, who stay until they are let out."""

    def __init__(self, bulkhead: Bulkhead) -> None:
        self.bulkhead = bulkhead
        self.order: list[str] = []
        self.tasks: list[asyncio.Task[None]] = []
        self._out = asyncio.Semaphore(0)

    async def _stay(self, call: Call, name: str) -> None:
        async with self.bulkhead.slot(call):
            self.order.append(name)
            await self._out.acquire()

    def come(self, call: Call, name: str = "") -> asyncio.Task[None]:
        task = asyncio.create_task(self._stay(call, name or call.caller.subject))
        self.tasks.append(task)
        return task

    async def let_out(self, count: int = 1) -> None:
        for _ in range(count):
            self._out.release()
            await settle()

    async def leave(self) -> list[BaseException | None]:
        for task in self.tasks:
            task.cancel()
        return await asyncio.gather(*self.tasks, return_exceptions=True)


@asynccontextmanager
async def crowd(bulkhead: Bulkhead) -> AsyncIterator[Crowd]:
    made = Crowd(bulkhead)
    try:
        yield made
    finally:
        await made.leave()
        assert (bulkhead.inside, bulkhead.waiting) == (0, 0)


async def test_a_thousand_calls_of_one_hold_up_another_by_one_turn() -> None:
    async with crowd(Bulkhead(1, None, queue_limit=2000)) as many:
        for _ in range(1001):
            many.come(asking("greedy"))
        await settle()
        many.come(asking("modest"))
        await settle()
        await many.let_out(2)
        assert many.order == ["greedy", "greedy", "modest"]


async def test_callers_take_turns() -> None:
    async with crowd(Bulkhead(1, None)) as many:
        for subject in "aaabbbccc":
            many.come(asking(subject))
        await settle()
        await many.let_out(8)
        assert "".join(many.order) == "aabcabcbc"


async def test_the_urgent_come_first() -> None:
    async with crowd(Bulkhead(1, None)) as many:
        many.come(asking("first"))
        for lane in reversed(LANES):
            for number in range(2):
                many.come(asking(f"{number}", lane), lane)
        await settle()
        await many.let_out(6)
        assert many.order[1:] == [lane for lane in LANES for _ in range(2)]


async def test_nobody_waits_past_the_deadline() -> None:
    async with crowd(Bulkhead(1, None)) as many:
        many.come(asking())
        await settle()
        late = many.come(asking(seconds=0.0))
        with pytest.raises(CrowdedError) as caught:
            await late
        assert not caught.value.full


async def test_a_full_queue_refuses_who_has_most_in_it() -> None:
    async with crowd(Bulkhead(1, None, queue_limit=3)) as many:
        inside = many.come(asking("greedy"))
        greedy = [many.come(asking("greedy")) for _ in range(3)]
        await settle()
        modest = many.come(asking("modest"))
        await settle()
        assert [one.done() for one in (inside, *greedy, modest)] == [False] * 3 + [True, False]
        assert isinstance(greedy[-1].exception(), CrowdedError)


async def test_a_full_queue_refuses_the_least_urgent() -> None:
    async with crowd(Bulkhead(1, None, queue_limit=2)) as many:
        many.come(asking())
        bulk = many.come(asking("partner", "bulk"))
        urgent = [many.come(asking()) for _ in range(2)]
        await settle()
        assert [one.done() for one in (bulk, *urgent)] == [True, False, False]


async def test_who_is_let_in_and_gives_up_at_once_leaves_the_place_to_the_next() -> None:
    async with crowd(Bulkhead(1, None)) as many:
        first, second, third = (many.come(asking(name)) for name in ("1", "2", "3"))
        await settle()
        first.cancel()
        await asyncio.sleep(0)
        second.cancel()
        await settle()
        assert many.order == ["1", "3"]
        assert not third.done()


async def test_who_gave_up_keeps_no_start_from_others() -> None:
    clock = [1000.0]
    bulkhead = Bulkhead(1, 1.0, clock=lambda: clock[0])
    async with bulkhead.slot():
        gone = asyncio.create_task(bulkhead.slot().__aenter__())
        await settle()
        clock[0] += 1.0
        gone.cancel()
    await settle()
    assert not await waiting(bulkhead)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("come"), st.sampled_from("abc"), st.sampled_from(LANES)),
        st.tuples(st.just("cancel"), st.integers(0, 100), st.none()),
        st.tuples(st.just("out"), st.integers(0, 100), st.none()),
        st.tuples(st.just("pass"), st.integers(0, 2), st.none()),
    ),
    max_size=60,
)


@settings(deadline=None)
@given(st.integers(1, 4), STEPS)
def test_never_more_inside_than_may_be_and_no_room_is_wasted(
    concurrency: int, steps: Sequence[tuple[str, object, object]]
) -> None:
    asyncio.run(_steps(Bulkhead(concurrency, None, queue_limit=10), concurrency, steps))


async def _steps(
    bulkhead: Bulkhead, concurrency: int, steps: Sequence[tuple[str, object, object]]
) -> None:
    async with crowd(bulkhead) as many:
        for step, one, lane in steps:
            match step, one:
                case "come", str(name):
                    many.come(asking(name, lane))  # type: ignore[arg-type]
                case "cancel", int(number) if many.tasks:
                    many.tasks[number % len(many.tasks)].cancel()
                case "out", _ if bulkhead.inside:
                    await many.let_out()
                case "pass", int(rounds):
                    for _ in range(rounds):
                        await asyncio.sleep(0)
            assert bulkhead.inside <= concurrency
        await settle()
        assert bulkhead.inside == concurrency or bulkhead.waiting == 0
