"""What access remembers for a while, bounded; and work done once for all who want it."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Hashable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
Seconds = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Clock:
    """`wall` tells seconds since 1970, which tokens count in; `steady` is never set back."""

    wall: Seconds = time.time
    steady: Seconds = time.monotonic


class Remembered(Generic[K, V]):
    """Values that end. When it is full, the one unused for longest goes."""

    def __init__(self, size: int, steady: Seconds) -> None:
        self._size = size
        self._steady = steady
        self._entries: OrderedDict[K, tuple[V, float]] = OrderedDict()
        self.generation = 0
        "Grows when everything is forgotten; what was begun before is not remembered then."

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: K) -> V | None:
        entry = self._entries.get(key)
        if entry is None:
            return None
        if entry[1] <= self._steady():
            del self._entries[key]
            return None
        self._entries.move_to_end(key)
        return entry[0]

    def put(self, key: K, value: V, seconds: float, generation: int | None = None) -> None:
        if seconds <= 0 or generation not in {None, self.generation}:
            return
        self._entries[key] = (value, self._steady() + seconds)
        self._entries.move_to_end(key)
        if len(self._entries) > self._size:
            self._entries.popitem(last=False)

    def clear(self) -> None:
        self.generation += 1
        self._entries.clear()


class Collapse(Generic[K, V]):
    """One run for all who want the same at once. A waiter that gives up does not end it."""

    def __init__(self) -> None:
        self._running: dict[K, asyncio.Task[V]] = {}

    def running(self, key: K) -> bool:
        return key in self._running

    async def run(self, key: K, work: Callable[[], Coroutine[Any, Any, V]]) -> V:
        """`work` bounds its own time."""
        task = self._running.get(key)
        if task is None:
            task = asyncio.create_task(self._owned(key, work))
            task.add_done_callback(_looked_at)
            self._running[key] = task
        return await asyncio.shield(task)

    async def aclose(self) -> None:
        tasks = list(self._running.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._running.clear()

    async def _owned(self, key: K, work: Callable[[], Coroutine[Any, Any, V]]) -> V:
        try:
            return await work()
        finally:
            self._running.pop(key, None)


def _looked_at(task: "asyncio.Task[Any]") -> None:
    """A failure that nobody waits for any more is no news: whoever wants it next tries anew."""
    if not task.cancelled():
        task.exception()
