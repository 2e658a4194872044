"""Ends what is under way when its time is over: one timer for all of an operation, not one each."""

import asyncio
from collections.abc import Iterable
from functools import partial
from math import inf

import msgspec

# Loops keep their time in milliseconds; what is due within one is due now.
_TICK_SECONDS = 0.001


class Due(msgspec.Struct, eq=False):
    """A task that is cancelled at `until`. `cancelling` tells how often others had cancelled it."""

    until: float
    task: asyncio.Task[object]
    cancelling: int
    is_over: bool = False


class Deadlines:
    """Use: `due = deadlines.begin(until)`, and `deadlines.end(due)` however the work ended."""

    __slots__ = ("_loop", "_rings", "_timer", "_under_way")

    def __init__(self) -> None:
        self._under_way: set[Due] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._rings = inf

    def begin(self, until: float) -> Due:
        """Cancels the current task at a time of the loop's clock, unless `end` comes first."""
        loop = asyncio.get_running_loop()
        task = asyncio.current_task(loop)
        assert task is not None  # noqa: S101 - only tasks await
        due = Due(until, task, task.cancelling())
        if until < self._rings or loop is not self._loop:
            self._set(loop, until)
        self._under_way.add(due)
        return due

    def end(self, due: Due) -> bool:
        """Whether a CancelledError is this deadline's doing, and nobody else's wish."""
        self._under_way.discard(due)
        return due.is_over and due.task.uncancel() <= due.cancelling

    async def wait(self, futures: Iterable[asyncio.Future[None]], until: float) -> None:
        """Waits for what others wait for too: neither the time nor a caller cancels any of it."""
        pending = [one for one in futures if not one.done()]
        if not pending:
            return
        due = self.begin(until)
        try:
            for one in pending:
                await _done(one)
        except BaseException as raised:
            if not self.end(due) or not isinstance(raised, asyncio.CancelledError):
                raise
        else:
            self.end(due)

    def _set(self, loop: asyncio.AbstractEventLoop, until: float) -> None:
        if loop is not self._loop:  # whatever was under way on another one went with it
            self._loop = loop
            self._under_way.clear()
        elif self._timer is not None:
            self._timer.cancel()
        self._rings = until
        self._timer = loop.call_at(until, self._ring, loop)

    def _ring(self, loop: asyncio.AbstractEventLoop) -> None:
        """Work mostly ends before its time: the timer looks whose has come, and goes on."""
        self._timer, self._rings = None, inf
        now = loop.time() + _TICK_SECONDS
        for due in [one for one in self._under_way if one.until <= now]:
            self._under_way.discard(due)
            due.is_over = True
            due.task.cancel()
        if self._under_way:
            self._set(loop, min(one.until for one in self._under_way))


async def _done(future: asyncio.Future[None]) -> None:
    if future.done():
        return
    waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    release = partial(_release, waiter)
    future.add_done_callback(release)
    try:
        await waiter
    finally:
        future.remove_done_callback(release)


def _release(waiter: asyncio.Future[None], _: object) -> None:
    if not waiter.done():
        waiter.set_result(None)
