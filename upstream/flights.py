"""One call for all who ask the same at the same time.

A flight is a call to a system that belongs to nobody who waits for it: a caller that leaves takes
nothing from the others. Under load, keys that different requests ask in the same few milliseconds
go together.
"""

import asyncio
import math
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from ports.caller import Call
from ports.errors import UpstreamError
from upstream.memory import Entry, Place
from upstream.tags import is_broad

Ask: TypeAlias = Callable[[Sequence[Any], Call], Awaitable[dict[Any, Any]]]

# A window saves calls once about four of a kind are under way at once (measured by simulation:
# 200 requests a second, 20 ms a call); below that it would only cost its length.
_BUSY = 4
_WINDOW_SECONDS = 0.002
_GATHERED_KEYS = 500


@dataclass(frozen=True, slots=True)
class Fare:
    """What a flight is begun with. `gathers`: keys of several callers may go together.

    `generation` is that of the shared store before the call.
    """

    scope: str
    call: Call
    ask: Ask
    gathers: bool = False
    generation: str | None = None


class Flight:
    """Keys of one scope under way.

    When `done`, one of `answers`, `raised` (the system failed) and `failure` (we did) is set, or
    none: it was broken off. `purged` are the tags that were purged meanwhile, `kept` what the cache
    made of the answers.
    """

    def __init__(self, fare: Fare) -> None:
        self.fare = fare
        self.keys: list[Any] = []
        self.started = math.inf
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.answers: dict[Any, Any] | None = None
        self.raised: UpstreamError | None = None
        self.failure: Exception | None = None
        self.purged: set[str] = set()
        self.kept: dict[Any, Entry] = {}


class Flights:
    """The flights of one port operation.

    `landed` keeps the answers of a flight: what it does before its first pause is done when those
    who wait go on.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        landed: Callable[[Flight], Awaitable[None]] | None = None,
    ) -> None:
        self._clock = clock
        self._landed = landed
        self._by_place: dict[Place, Flight] = {}
        self._gathering: dict[str, Flight] = {}
        self._under_way: Counter[str] = Counter()
        self._tasks: dict[asyncio.Task[None], Flight] = {}

    def join(self, fare: Fare, keys: Iterable[Any], since: float) -> dict[Any, Flight]:
        """The flight of each key: one under way if it began at `since` or later, else a new one."""
        joined: dict[Any, Flight] = {}
        alone: list[Any] = []
        for key in keys:
            flight = self._by_place.get((fare.scope, key))
            if flight is not None and flight.started >= since:
                joined[key] = flight
            else:
                alone.append(key)
        if alone:
            joined.update(dict.fromkeys(alone, self._board(fare, alone)))
        return joined

    def forget(self, purged: Iterable[str], tags_of: Callable[[Any], Sequence[str]]) -> None:
        """What is under way may be older than a purge: nobody else joins, and it is not kept."""
        told = set(purged)
        broad = any(map(is_broad, told))
        for flight in self._tasks.values():
            flight.purged |= told
        for place, flight in tuple(self._by_place.items()):
            own = tags_of(place[1])
            concerned = broad or not own or not told.isdisjoint(own)
            if concerned and flight.started != math.inf:
                del self._by_place[place]

    async def aclose(self) -> None:
        for flight in self._gathering.values():
            flight.started = self._clock()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _board(self, fare: Fare, keys: Sequence[Any]) -> Flight:
        flight = self._gathering.get(fare.scope) or Flight(fare)
        flight.keys.extend(keys)
        for key in keys:
            self._by_place[fare.scope, key] = flight
        busy = fare.gathers and self._under_way[fare.scope] >= _BUSY
        if not busy or len(flight.keys) >= _GATHERED_KEYS:
            self._depart(flight)
        elif fare.scope not in self._gathering:
            self._gathering[fare.scope] = flight
            asyncio.get_running_loop().call_later(_WINDOW_SECONDS, self._depart, flight)
        return flight

    def _depart(self, flight: Flight) -> None:
        if flight.started != math.inf:
            return
        flight.started = self._clock()
        scope = flight.fare.scope
        if self._gathering.get(scope) is flight:
            del self._gathering[scope]
        self._under_way[scope] += 1
        task = asyncio.get_running_loop().create_task(self._fly(flight))
        self._tasks[task] = flight
        task.add_done_callback(self._arrived)

    def _arrived(self, task: asyncio.Task[None]) -> None:
        """A task that was cancelled before its first step has ended nothing."""
        flight = self._tasks.pop(task)
        if not flight.done.done():
            self._end(flight)

    async def _fly(self, flight: Flight) -> None:
        try:
            flight.answers = await flight.fare.ask(tuple(flight.keys), flight.fare.call)
        except UpstreamError as error:
            flight.raised = error.with_traceback(None)  # which would hold this flight in turn
        except Exception as error:  # noqa: BLE001 - handed to all who wait, masked at the edge
            flight.failure = error.with_traceback(None)
        finally:
            self._end(flight)
        if self._landed:
            await self._landed(flight)

    def _end(self, flight: Flight) -> None:
        scope = flight.fare.scope
        for key in flight.keys:
            if self._by_place.get((scope, key)) is flight:
                del self._by_place[scope, key]
        self._under_way[scope] -= 1
        if not self._under_way[scope]:
            del self._under_way[scope]
        flight.done.set_result(None)
