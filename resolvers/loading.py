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


class _Question(Generic[K, T]):
    """Keys that go together, and what came of them. Costs one future a waiter, none a key."""

    __slots__ = ("answers", "failure", "fault", "keys", "over", "waiters")

    def __init__(self) -> None:
        self.keys: list[K] = []
        self.answers: Answers[K, T] = {}
        self.failure: PortError | None = None
        self.fault: BaseException | None = asyncio.CancelledError()
        self.over = False
        self.waiters: list[asyncio.Future[None]] = []

    async def settled(self) -> None:
        """Raises the fault of the call, if it had one."""
        if not self.over:
            # One for each waiter: who is cancelled must not cancel what others wait for.
            waiter = asyncio.get_running_loop().create_future()
            self.waiters.append(waiter)
            await waiter
        if self.fault is not None:
            raise self.fault

    def settle(self) -> None:
        self.over = True
        for waiter in self.waiters:
            if not waiter.done():
                waiter.set_result(None)

    def value(self, key: K) -> Found[T]:
        return self.failure or self.answers.get(key)


class Loader(Generic[K, T]):
    """Keys asked in the same turn of the event loop go together; known ones are not asked again.

    Lives as long as one operation of one caller, so nothing it holds reaches anybody else. While it
    is `alone` nobody else asks at the same time, and so it asks at once.
    """

    def __init__(
        self, ask: Ask[K, T], tasks: set[asyncio.Task[None]], *, alone: bool = False
    ) -> None:
        self.alone = alone
        self._ask = ask
        self._tasks = tasks
        self._known: dict[K, _Question[K, T]] = {}
        self._waiting: _Question[K, T] | None = None

    async def many(self, keys: Iterable[K]) -> list[Found[T]]:
        """The values in the order of `keys`; an error stands where its value would."""
        keys = tuple(keys)
        if not keys:
            return []
        if self.alone:
            question = await self._at_once(keys)
            if question is not None:
                return _read(question, keys)
        elif not self._known:
            return await self._first(keys)
        else:
            self.start(keys)
        questions = list(map(self._known.__getitem__, keys))
        first = questions[0]
        await first.settled()
        if questions.count(first) == len(questions):
            return _read(first, keys)
        for question in set(questions):
            await question.settled()
        return [question.value(key) for question, key in zip(questions, keys, strict=True)]

    async def _first(self, keys: tuple[K, ...]) -> list[Found[T]]:
        """As `many`, where nothing was asked before: mostly nothing else ever is."""
        question = self._opened()
        self._known.update(dict.fromkeys(keys, question))
        question.keys.extend(self._known)
        await question.settled()
        return _read(question, keys)

    def start(self, keys: Iterable[K]) -> None:
        """Asks without waiting."""
        known, question = self._known, self._waiting
        for key in keys:
            if key not in known:
                if question is None:
                    question = self._opened()
                known[key] = question
                question.keys.append(key)

    async def _at_once(self, keys: Sequence[K]) -> _Question[K, T] | None:
        """Asks what is missing; gives the question that holds every key, where one does."""
        question: _Question[K, T] = _Question()
        known = self._known
        if known:
            missing = {key: question for key in keys if key not in known}
            if not missing:
                return None
            known.update(missing)
        else:
            missing = self._known = dict.fromkeys(keys, question)
        question.keys = list(missing)
        try:
            question.answers = await self._ask(question.keys)
            question.fault = None
        except PortError as error:
            question.failure, question.fault = error, None
        except Exception as error:
            question.fault = error
            raise
        finally:
            question.settle()
        return question if missing is self._known else None

    async def one(self, key: K) -> Found[T]:
        if self.alone:
            question = await self._at_once((key,))
            if question is not None:
                return question.value(key)
        else:
            self.start((key,))
        question = self._known[key]
        await question.settled()
        return question.value(key)

    def asked(self) -> Iterable[K]:
        """What was asked so far."""
        return self._known.keys()

    def found(self) -> "dict[K, Found[T]]":
        """What was asked and answered so far; values that failed are left out."""
        settled = {
            key: question.value(key)
            for key, question in self._known.items()
            if question.over and question.fault is None
        }
        return {key: value for key, value in settled.items() if not isinstance(value, PortError)}

    def _opened(self) -> _Question[K, T]:
        question: _Question[K, T] = _Question()
        self._waiting = question
        loop = asyncio.get_running_loop()
        # Two turns: resolvers of one level may stand one await apart.
        loop.call_soon(loop.call_soon, self._start, question)
        return question

    def _start(self, question: _Question[K, T]) -> None:
        self._waiting = None
        task = asyncio.get_running_loop().create_task(self._load(question))
        self._tasks.add(task)

        def ended(task: "asyncio.Task[None]") -> None:
            self._tasks.discard(task)
            question.settle()

        task.add_done_callback(ended)

    async def _load(self, question: _Question[K, T]) -> None:
        try:
            question.answers = await self._ask(question.keys)
        except PortError as error:
            question.failure, question.fault = error, None
        except Exception as error:  # noqa: BLE001 - handed to every waiter, masked at the edge
            question.fault = error
        else:
            question.fault = None


def _read(question: _Question[K, T], keys: Sequence[K]) -> list[Found[T]]:
    if question.failure is not None:
        return [question.failure] * len(keys)
    return list(map(question.answers.get, keys))
