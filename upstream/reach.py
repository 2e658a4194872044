"""Questions to a store that replicas share and that may be out: nobody fails with it, or waits long.

The first that fails or takes too long tells all others not to ask; from then on one question a
second finds out whether it is back, and nobody waits for that one.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

import structlog

T = TypeVar("T")

log = structlog.get_logger(__name__)

RETRY_SECONDS = 1.0


class Reach:
    """`name` is for the log, `probe` asks anything at all; nobody waits longer than `seconds`.

    Close it before the store's client.
    """

    def __init__(
        self,
        name: str,
        probe: Callable[[], Awaitable[object]],
        *,
        seconds: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name = name
        self._probe = probe
        self._seconds = seconds
        self._clock = clock
        self._next: float | None = None
        self._aside: set[asyncio.Task[Any]] = set()

    async def ask(
        self, command: Callable[[], Awaitable[T]], late: Callable[[T], object] | None = None
    ) -> T | None:
        """The answer, which is never None itself; None where the store is out.

        An answer that comes when nobody waits any more is given to `late`. Who is cancelled cuts
        nothing off.
        """
        if self._next is not None:
            if self._clock() >= self._next:
                self._next = self._clock() + RETRY_SECONDS
                self.aside(self._run(self._probe))
            return None
        asked = self.aside(self._run(command))
        try:
            await asyncio.wait({asked}, timeout=self._seconds)
        finally:
            if not asked.done() and late is not None:
                asked.add_done_callback(lambda done: _told(done, late))
        if not asked.done():
            self._note_down(TimeoutError())
            return None
        return asked.result()

    def aside(self, work: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
        """Does it apart from whoever asked for it; `aclose` waits for it."""
        task = asyncio.get_running_loop().create_task(work)
        self._aside.add(task)
        task.add_done_callback(self._aside.discard)
        return task

    async def aclose(self) -> None:
        while self._aside:
            await asyncio.gather(*self._aside, return_exceptions=True)

    async def _run(self, command: Callable[[], Awaitable[T]]) -> T | None:
        from redis.exceptions import RedisError

        try:
            answer = await command()
        except (RedisError, OSError, TimeoutError) as error:
            self._note_down(error)
            return None
        if self._next is not None:
            log.info("store reachable again", store=self._name)
            self._next = None
        return answer

    def _note_down(self, error: Exception) -> None:
        if self._next is None:
            log.warning("store unreachable", store=self._name, error=type(error).__name__)
        self._next = self._clock() + RETRY_SECONDS


def _told(done: "asyncio.Task[T | None]", late: Callable[[T], object]) -> None:
    if not done.cancelled() and (answer := done.result()) is not None:
        late(answer)
