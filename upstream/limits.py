"""How much an upstream bears: calls at once, calls per second, keys per call."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import TypeVar

K = TypeVar("K")


def chunks(keys: Sequence[K], size: int | None) -> Iterator[Sequence[K]]:
    """Slices of at most `size` keys, in order; all at once when size is None."""
    if size is None or len(keys) <= size:
        yield keys
        return
    for start in range(0, len(keys), size):
        yield keys[start : start + size]


class Bulkhead:
    """Lets at most `concurrency` calls in at once and starts at most `rate` of them per second.

    Waiting is bounded by whoever waits (a deadline around `slot`). None means unlimited.
    """

    def __init__(self, concurrency: int | None, rate: float | None) -> None:
        self._slots = asyncio.Semaphore(concurrency) if concurrency else None
        self._interval = 1.0 / rate if rate else 0.0
        # A tenth of a second's worth may start together, so that a page's calls need not queue.
        self._burst = max(1.0, rate / 10) * self._interval if rate else 0.0
        self._next_start = 0.0

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        if self._slots is None:
            await self._turn()
            yield
            return
        async with self._slots:
            await self._turn()
            yield

    async def _turn(self) -> None:
        if not self._interval:
            return
        now = time.monotonic()
        self._next_start = max(self._next_start, now - self._burst) + self._interval
        if (wait := self._next_start - now) > 0:
            await asyncio.sleep(wait)
