"""How much an upstream bears: calls at once, calls per second, keys per call.

Who waits is let in by lane, and within a lane caller by caller, so that nobody's thousand calls
stand before another's one.
"""

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Protocol, TypeVar

from ports.caller import LANES, Call
from ports.errors import ThrottledError, TimedOutError

K = TypeVar("K")

_QUEUE_LIMIT = 1000
# A wait ends this much before the deadline, so that the reason can still be told.
_MARGIN_SECONDS = 0.01


class QueueFullError(ThrottledError):
    """Our own queue before the system is full; the system itself may be well."""


class QueueTimedOutError(TimedOutError):
    """The deadline came in our own queue, before the system was asked."""


class CrowdedError(TimeoutError):
    """No slot was to be had: the queue is full (`full`), or the deadline came."""

    def __init__(self, *, full: bool) -> None:
        super().__init__("the queue is full" if full else "no slot before the deadline")
        self.full = full


class Shared(Protocol):
    """A limit that several processes hold together."""

    async def take(self) -> str | None:
        """Waits for a place; None when the limit cannot be asked and so lets everybody in."""
        ...

    def give(self, lease: str) -> None:
        """Returns a place without waiting."""
        ...


def chunks(keys: Sequence[K], size: int | None) -> Iterator[Sequence[K]]:
    """Slices of at most `size` keys, in order; all at once when size is None."""
    if size is None or len(keys) <= size:
        yield keys
        return
    for start in range(0, len(keys), size):
        yield keys[start : start + size]


class Bulkhead:
    """Lets at most `concurrency` calls in at once and starts at most `rate` of them per second.

    None means unlimited. At most `queue_limit` wait; beyond it the latest of the caller with most
    waiting is refused. `shared` limits further what this process lets in.
    """

    def __init__(
        self,
        concurrency: int | None,
        rate: float | None,
        *,
        queue_limit: int = _QUEUE_LIMIT,
        shared: Shared | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._concurrency = concurrency
        self._pace = _Pace(rate) if rate else None
        self._queue = _Queue(queue_limit)
        self._shared = shared
        self._clock = clock
        self._inside = 0
        self._alarm: asyncio.TimerHandle | None = None

    @property
    def full(self) -> bool:
        """Whether all slots are taken."""
        return self._concurrency is not None and self._inside >= self._concurrency

    @property
    def inside(self) -> int:
        return self._inside

    @property
    def waiting(self) -> int:
        return self._queue.count

    def admit(self) -> bool:
        """Whether the call is in, without waiting; whoever is, gives the place back by `leave`.

        Where it is not, `slot` waits for a place, and asks the limit that processes share.
        """
        return self._shared is None and not self._queue.count and self._admits()

    def leave(self) -> None:
        """Gives back the place of one that `admit` let in."""
        self._inside -= 1
        if self._queue.count:
            self._wake()

    @asynccontextmanager
    async def slot(self, call: Call | None = None) -> AsyncIterator[None]:
        """A place inside, in the turn of the call's lane and caller.

        Raises CrowdedError when the queue is full or the call's deadline comes first; without a
        call, who waits bounds the wait.
        """
        await self._enter(call)
        try:
            if self._shared is None:
                yield
                return
            async with _leased(self._shared, call, self._clock):
                yield
        finally:
            self.leave()

    async def _enter(self, call: Call | None) -> None:
        if not self._queue.count and self._admits():
            return
        waiter = self._queue.join(call)
        self._wake()
        try:
            async with _until(call, self._clock):
                await waiter
        except BaseException:
            if not waiter.done():
                waiter.cancel()
            if waiter.cancelled() or waiter.exception() is not None:
                self._queue.leave(call, waiter)
            else:
                self.leave()  # it was let in while it gave up
            raise

    def _admits(self) -> bool:
        """Lets one in if there is room and it is time."""
        if self._concurrency is not None and self._inside >= self._concurrency:
            return False
        if self._pace is not None and not self._pace.start(self._clock()):
            return False
        self._inside += 1
        return True

    def _wake(self) -> None:
        """Lets in whoever may come in now; an alarm wakes those for whom it is too early."""
        while self._queue.has_next() and self._admits():
            self._queue.next().set_result(None)
        if self._pace and self._queue.count and not self.full and self._alarm is None:
            seconds = self._pace.wait(self._clock())
            self._alarm = asyncio.get_running_loop().call_later(seconds, self._alarmed)

    def _alarmed(self) -> None:
        self._alarm = None
        self._wake()


class _Pace:
    """At most `rate` starts a second."""

    def __init__(self, rate: float) -> None:
        self._interval = 1.0 / rate
        # A tenth of a second's worth may start together, so that a page's calls need not queue.
        self._burst = max(1.0, rate / 10) * self._interval
        self._next = float("-inf")

    def start(self, now: float) -> bool:
        if self.wait(now) > 0:
            return False
        self._next = max(self._next, now - self._burst) + self._interval
        return True

    def wait(self, now: float) -> float:
        """Seconds until one may start."""
        ahead = max(self._next, now - self._burst) + self._interval - now
        # Sums of many intervals are off by some last digits, which nobody need wait for.
        return ahead if ahead > 1e-9 else 0.0  # noqa: PLR2004


Waiter = asyncio.Future[None]


class _Queue:
    """Those who wait: lanes in their order, in each lane callers by turns, each in its order."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lanes: dict[str, OrderedDict[str, deque[Waiter]]] = {
            lane: OrderedDict() for lane in LANES
        }
        self.count = 0

    def join(self, call: Call | None) -> Waiter:
        waiter: Waiter = asyncio.get_running_loop().create_future()
        lane, key = _place(call)
        self._lanes[lane].setdefault(key, deque()).append(waiter)
        self.count += 1
        if self.count > self._limit:
            self._refuse_one()
        return waiter

    def has_next(self) -> bool:
        """Forgets those at the head who gave up; whether anybody is left."""
        for lane in self._lanes.values():
            while lane:
                key, waiters = next(iter(lane.items()))
                while waiters and waiters[0].done():
                    waiters.popleft()
                    self.count -= 1
                if waiters:
                    return True
                del lane[key]
        return False

    def next(self) -> Waiter:
        """Who comes in next, if `has_next`; its caller goes to the end of its lane."""
        lane = next(lane for lane in self._lanes.values() if lane)
        key, waiters = lane.popitem(last=False)
        waiter = waiters.popleft()
        if waiters:
            lane[key] = waiters
        self.count -= 1
        return waiter

    def leave(self, call: Call | None, waiter: Waiter) -> None:
        """Takes out one that gave up; one that was refused is out already."""
        lane, key = _place(call)
        waiters = self._lanes[lane].get(key, deque())
        if waiter in waiters:
            waiters.remove(waiter)
            self.count -= 1
            if not waiters:
                del self._lanes[lane][key]

    def _refuse_one(self) -> None:
        lane = next(self._lanes[name] for name in reversed(LANES) if self._lanes[name])
        key = max(lane, key=lambda one: len(lane[one]))
        refused = lane[key].pop()
        self.count -= 1
        if not refused.done():
            refused.set_exception(CrowdedError(full=True))
        if not lane[key]:
            del lane[key]


def _place(call: Call | None) -> tuple[str, str]:
    if call is None:
        return LANES[0], ""
    caller = call.caller
    return call.lane, f"{caller.kind.value}\n{caller.subject}\n{caller.customer or ''}"


@asynccontextmanager
async def _until(call: Call | None, clock: Callable[[], float]) -> AsyncIterator[None]:
    """Raises CrowdedError shortly before the call's deadline."""
    left = None if call is None else max(0.0, call.deadline - clock() - _MARGIN_SECONDS)
    limit = asyncio.timeout(left)
    try:
        async with limit:
            yield
    except TimeoutError as late:
        if limit.expired():
            raise CrowdedError(full=False) from late
        raise


@asynccontextmanager
async def _leased(
    shared: Shared, call: Call | None, clock: Callable[[], float]
) -> AsyncIterator[None]:
    async with _until(call, clock):
        lease = await shared.take()
    try:
        yield
    finally:
        if lease is not None:
            shared.give(lease)
