"""Server-sent events: the latest for everybody, signs of life, and an end."""

import asyncio
from collections.abc import MutableMapping
from contextlib import suppress
from typing import Any

import pytest

from gateway.http.status_events import Listeners


class Page:
    """A client that listens: what it was sent, and how it goes away."""

    def __init__(self, listeners: Listeners) -> None:
        self._sent: asyncio.Queue[MutableMapping[str, Any]] = asyncio.Queue()
        self._leaves = asyncio.Event()
        self.task = asyncio.create_task(
            listeners.serve(lambda: b'{"first": 1}', self._receive, self._send)
        )

    async def _receive(self) -> dict[str, Any]:
        await self._leaves.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: MutableMapping[str, Any]) -> None:
        self._sent.put_nowait(message)

    async def next(self) -> MutableMapping[str, Any]:
        return await asyncio.wait_for(self._sent.get(), 30)

    async def body(self) -> bytes:
        found: bytes = (await self.next())["body"]
        return found

    def leave(self) -> None:
        self._leaves.set()


@pytest.fixture
def listeners() -> Listeners:
    return Listeners(2)


async def begun(listeners: Listeners) -> Page:
    page = Page(listeners)
    start = await page.next()
    assert (b"content-type", b"text/event-stream; charset=utf-8") in start["headers"]
    assert await page.body() == b'retry: 3000\ndata: {"first": 1}\n\n'
    return page


async def test_everybody_hears_what_is_published(listeners: Listeners) -> None:
    pages = [await begun(listeners) for _ in range(2)]
    listeners.publish(b"{}")

    assert [await one.body() for one in pages] == [b"data: {}\n\n"] * 2
    for one in pages:
        one.leave()
        await one.task
    assert len(listeners) == 0


async def test_who_is_slow_hears_the_latest_alone(listeners: Listeners) -> None:
    page = await begun(listeners)
    for number in range(3):
        listeners.publish(b"%d" % number)

    assert await page.body() == b"data: 2\n\n"
    page.leave()
    await page.task


async def test_their_number_is_bounded(listeners: Listeners) -> None:
    pages = [await begun(listeners) for _ in range(2)]
    assert listeners.is_full

    pages[0].leave()
    await pages[0].task
    assert not listeners.is_full
    pages[1].leave()
    await pages[1].task


async def test_at_the_end_everybody_is_sent_away_and_nobody_let_in(listeners: Listeners) -> None:
    page = await begun(listeners)
    listeners.end()
    await asyncio.wait_for(page.task, 30)

    last = await page.next()
    assert (last["body"], last.get("more_body", False)) == (b"", False)
    assert listeners.is_full


async def test_signs_of_life_come_while_nothing_happens() -> None:
    page = await begun(Listeners(1, heartbeat=0.001))

    assert await page.body() == b": still here\n\n"
    page.leave()
    await page.task


async def test_one_that_is_cut_off_leaves_its_place(listeners: Listeners) -> None:
    page = await begun(listeners)
    page.task.cancel()
    with suppress(asyncio.CancelledError):
        await page.task

    assert len(listeners) == 0
