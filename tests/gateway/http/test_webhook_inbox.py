"""What waits to be purged: once, in order, bounded, and never lost to a failure."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.access.remembered import Clock
from gateway.http.webhook_inbox import FullError, Inbox, Taken
from upstream.webhooks import Change

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


class Kept:
    """The cache. It can be down for some purges, and be waited at."""

    def __init__(self) -> None:
        self.purged: list[list[str]] = []
        self.failures = 0
        self.gate = asyncio.Event()
        self.gate.set()

    async def purge(self, tags: Sequence[str]) -> int:
        await self.gate.wait()
        if self.failures:
            self.failures -= 1
            raise ConnectionError("down")
        self.purged.append(list(tags))
        return len(tags)


class Time:
    def __init__(self) -> None:
        self.now = NOON.timestamp()

    @property
    def clock(self) -> Clock:
        return Clock(lambda: self.now, lambda: self.now)


def inbox(kept: Kept, time: Time | None = None, **sizes: int) -> Inbox:
    return Inbox(kept, clock=(time or Time()).clock, sleep=lambda _: asyncio.sleep(0), **sizes)


def at(minutes: int, *tags: str, id_: str | None = None) -> Change:
    return Change(tags, NOON + timedelta(minutes=minutes), id_)


async def test_what_is_taken_is_purged_together() -> None:
    kept = Kept()
    box = inbox(kept)
    box.take("pim", [Change(("a:1", "a:2")), Change(("a:1",))])
    box.take("crm", [Change(("b:1",))])

    async with box:
        pass

    assert [sorted(portion) for portion in kept.purged] == [["a:1", "a:2", "b:1"]]


async def test_an_event_is_taken_once_from_each_sender() -> None:
    box = inbox(Kept())

    assert box.take("pim", [at(0, "a:1", id_="1"), at(0, "a:1", id_="1")]) == Taken(1, 1)
    assert box.take("pim", [at(0, "a:1", id_="1")]) == Taken(0, 1)
    assert box.take("crm", [at(0, "a:1", id_="1")]) == Taken(1, 0)
    assert box.take("pim", [Change(("a:1",)), Change(("a:1",))]) == Taken(2, 0)


async def test_an_event_is_forgotten_after_a_day() -> None:
    time = Time()
    box = inbox(Kept(), time)
    box.take("pim", [at(0, "a:1", id_="1")])

    time.now += 86_401

    assert box.take("pim", [at(0, "a:1", id_="1")]) == Taken(1, 0)


async def test_only_so_many_events_are_remembered() -> None:
    box = inbox(Kept(), known=2)
    for id_ in "123":
        box.take("pim", [Change((), None, id_)])

    assert box.take("pim", [Change((), None, "3")]) == Taken(0, 1)
    assert box.take("pim", [Change((), None, "1")]) == Taken(1, 0)


async def test_a_message_has_its_name() -> None:
    box = inbox(Kept())
    box.take("crm", [], "signature")

    assert box.knows("crm", "signature")
    assert not box.knows("pim", "signature")


async def purged(*changes: Change) -> list[list[str]]:
    """Each taken and purged before the next one comes."""
    kept = Kept()
    box = inbox(kept)
    for change in changes:
        box.take("pim", [change])
        async with box:
            pass
    return kept.purged


async def test_what_is_older_than_what_is_known_is_not_purged_again() -> None:
    assert await purged(at(0, "a:1"), at(-1, "a:1", "a:2"), at(0, "a:1"), at(1, "a:1")) == [
        ["a:1"],
        ["a:2"],
        ["a:1"],
        ["a:1"],
    ]


async def test_a_clock_that_runs_ahead_hides_nothing() -> None:
    assert await purged(at(600, "a:1"), at(1, "a:1")) == [["a:1"], ["a:1"]]


async def test_an_event_without_a_time_is_always_new() -> None:
    assert await purged(at(0, "a:1"), Change(("a:1",))) == [["a:1"], ["a:1"]]


async def test_what_is_full_takes_nothing_and_remembers_nothing() -> None:
    kept = Kept()
    box = inbox(kept, waiting=2)
    box.take("pim", [at(0, "a:1", "a:2", id_="1")])
    with pytest.raises(FullError):
        box.take("pim", [at(0, "a:3", id_="2")], "name")

    box.take("pim", [at(0, "a:2", id_="3")])  # what waits already takes no more room
    async with box:
        pass

    assert not box.knows("pim", "name")
    assert box.take("pim", [at(0, "a:3", id_="2")]) == Taken(1, 0)


async def test_a_purge_that_fails_is_tried_again() -> None:
    kept = Kept()
    kept.failures = 3
    box = inbox(kept)
    async with box:
        box.take("pim", [Change(("a:1",))])
        while not kept.purged:
            await asyncio.sleep(0)

    assert kept.purged == [["a:1"]]


async def test_what_comes_while_it_is_purged_is_purged_after() -> None:
    kept = Kept()
    kept.gate.clear()
    box = inbox(kept)
    async with box:
        box.take("pim", [Change(("a:1",))])
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        box.take("pim", [Change(("a:1",))])
        kept.gate.set()
        while len(kept.purged) < 2:
            await asyncio.sleep(0)

    assert kept.purged == [["a:1"], ["a:1"]]


async def test_the_end_waits_for_what_is_left_but_not_for_ever() -> None:
    kept = Kept()
    kept.gate.clear()
    box = inbox(kept)
    async with box:
        box.take("pim", [Change(("a:1",))])
        await asyncio.sleep(0)
        kept.gate.set()
    assert kept.purged == [["a:1"]]

    kept.failures = 2
    async with box:
        box.take("pim", [Change(("a:2",))])
    assert kept.purged == [["a:1"]]


@given(st.lists(st.lists(st.integers(0, 40), max_size=6), max_size=20), st.integers(1, 20))
def test_whatever_is_taken_is_purged(messages: list[list[int]], size: int) -> None:
    async def run() -> None:
        kept = Kept()
        box = inbox(kept, waiting=size)
        expected: set[str] = set()
        for message in messages:
            tags = tuple(f"a:{one}" for one in message)
            try:
                box.take("pim", [Change(tags)])
            except FullError:
                continue
            expected.update(tags)
        assert len(expected) <= size
        async with box:
            pass
        assert {one for portion in kept.purged for one in portion} == expected

    asyncio.run(run())
