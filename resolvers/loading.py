"""Gathers the keys that one operation asks of a port, so that each is asked once and together."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Generic, TypeAlias, TypeVar

from ports.common import Answers
from ports.errors import PortError

K = TypeVar("K")
T = TypeVar("T")

Found: TypeAlias = T | PortError | None
"""A value, None for what is not known, or why it could not be had."""

Ask: TypeAlias = Callable[[Sequence[K]], Awaitable[Answers[K, T]]]


class Loader(Generic[K, T]):
    """Keys asked in the same turn of the event loop go together; known ones are not asked again.

    Lives as long as one operation of one caller, so nothing it holds reaches anybody else.
    """

    def __init__(self, ask: Ask[K, T], tasks: set[asyncio.Task[None]]) -> None:
        self._ask = ask
        self._tasks = tasks
        self._known: dict[K, asyncio.Future[Found[T]]] = {}
        self._waiting: list[K] = []

    async def many(self, keys: Iterable[K]) -> list[Found[T]]:
        """The values in the order of `keys`; an error stands where its value would."""
        return [await _settled(future) for future in self.start(keys)]

    def start(self, keys: Iterable[K]) -> "list[asyncio.Future[Found[T]]]":
        """Asks without waiting."""
        return [self._future(key) for key in keys]

    async def one(self, key: K) -> Found[T]:
        return await _settled(self._future(key))

    def found(self) -> "dict[K, Found[T]]":
        """What was asked and answered so far; values that failed are left out."""
        settled = {
            key: future.result()
            for key, future in self._known.items()
            if future.done() and not future.cancelled() and future.exception() is None
        }
        return {key: value for key, value in settled.items() if not isinstance(value, PortError)}

    def _future(self, key: K) -> "asyncio.Future[Found[T]]":
        if (known := self._known.get(key)) is not None:
            return known
        loop = asyncio.get_running_loop()
        if not self._waiting:
            # Two turns: resolvers of one level may stand one await apart.
            loop.call_soon(loop.call_soon, self._start)
        self._waiting.append(key)
        future: asyncio.Future[Found[T]] = loop.create_future()
        self._known[key] = future
        return future

    def _start(self) -> None:
        keys, self._waiting = self._waiting, []
        task = asyncio.get_running_loop().create_task(self._load(keys))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _load(self, keys: list[K]) -> None:
        failure: PortError | None = None
        answers: Answers[K, T] = {}
        try:
            answers = await self._ask(keys)
        except PortError as error:
            failure = error
        except asyncio.CancelledError:
            self._settle(keys, asyncio.Future.cancel)
            raise
        except Exception as error:  # noqa: BLE001 - handed to every waiter, masked at the edge
            fault = error
            self._settle(keys, lambda future: future.set_exception(fault))
            return
        for key in keys:
            if not (future := self._known[key]).done():
                future.set_result(failure or answers.get(key))

    def _settle(
        self, keys: list[K], settle: "Callable[[asyncio.Future[Found[T]]], object]"
    ) -> None:
        for key in keys:
            if not (future := self._known[key]).done():
                settle(future)


async def _settled(future: "asyncio.Future[Found[T]]") -> Found[T]:
    """Shielded: a waiter that is cancelled must not cancel what others wait for."""
    return future.result() if future.done() else await asyncio.shield(future)
