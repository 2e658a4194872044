"""What arrived and waits to be purged: each event once, the newest of a thing only, bounded.

Answering a sender costs no purge: a task of its own takes what waits, all of it together.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from types import TracebackType
from typing import Protocol, Self

import structlog

from gateway.access.remembered import Clock, Remembered
from gateway.http.webhook_claims import Claims, NoClaims
from upstream.webhooks import Change

log = structlog.get_logger(__name__)

# An event is known for longer than any sender tries again.
KNOWN_SECONDS = 86_400.0
_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 5.0
_PURGE_SECONDS = 10.0
_PURGED_AT_ONCE = 1_000
_CLOCKS_APART = timedelta(minutes=5)


class Purges(Protocol):
    """What is used of the cache."""

    async def purge(self, tags: Sequence[str]) -> int: ...


class FullError(Exception):
    """So much waits that no more is taken; `retry_after` is in seconds."""

    retry_after = 5


@dataclass(frozen=True, slots=True)
class Taken:
    """Of the events of one message: how many are new, how many came before."""

    new: int
    repeated: int


class Inbox:
    """As a context it purges what waits; at the end it gives what is left a last chance.

    `waiting` is how many tags may wait, `known` how many events are remembered. `claims` by sender
    are known beyond this process; they are closed at the end.
    """

    def __init__(  # noqa: PLR0913 - the parts of one inbox, all named
        self,
        cache: Purges,
        *,
        waiting: int = 10_000,
        known: int = 50_000,
        claims: Mapping[str, Claims] | None = None,
        clock: Clock | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._cache = cache
        self._size = waiting
        self._claims = claims or {}
        self._clock = clock or Clock()
        self._sleep = sleep
        self._waiting: dict[str, None] = {}
        self._some = asyncio.Event()
        self._ids: Remembered[tuple[str, str], bool] = Remembered(known, self._clock.steady)
        self._newest: Remembered[tuple[str, str], datetime] = Remembered(known, self._clock.steady)
        self._worker: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._worker = asyncio.create_task(self._work())
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _raised: object, _trace: TracebackType | None
    ) -> None:
        if self._worker is not None:
            self._worker.cancel()
            await asyncio.gather(self._worker, return_exceptions=True)
        for one in set(self._claims.values()):
            await one.aclose()
        while self._waiting:
            if not await self._purged():
                log.warning("changes lost at the end", tags=len(self._waiting))
                return

    def claims_of(self, sender: str) -> Claims:
        return self._claims.get(sender) or NoClaims()

    def knows(self, sender: str, name: str) -> bool:
        """Whether a message of this name was taken before."""
        return self._ids.get((sender, name)) is not None

    def take(self, sender: str, changes: Sequence[Change], name: str | None = None) -> Taken:
        """Raises FullError, having taken nothing. `name`: of the message, not to come again."""
        new = self._new(sender, changes)
        tags = {one for change in new for one in self._stale(sender, change)}
        if len(self._waiting.keys() | tags) > self._size:
            raise FullError
        for change in new:
            self._remember(sender, change)
        if name is not None:
            self._ids.put((sender, name), True, KNOWN_SECONDS)  # noqa: FBT003 - only its key counts
        self._waiting.update(dict.fromkeys(tags))
        if self._waiting:
            self._some.set()
        return Taken(len(new), len(changes) - len(new))

    def _new(self, sender: str, changes: Sequence[Change]) -> list[Change]:
        found: dict[str | int, Change] = {}
        for place, change in enumerate(changes):
            if change.id is None:
                found[place] = change
            elif not self.knows(sender, f"event:{change.id}"):
                found.setdefault(change.id, change)
        return list(found.values())

    def _stale(self, sender: str, change: Change) -> tuple[str, ...]:
        """Without what is older than a change that is known: it was in what was read after that."""
        at = change.at
        if at is None:
            return change.tags
        newest = ((one, self._newest.get((sender, one))) for one in change.tags)
        return tuple(one for one, last in newest if last is None or at >= last)

    def _remember(self, sender: str, change: Change) -> None:
        if not change.tags:
            log.info("event without effect", upstream=sender, kind=change.kind[:80])
        if change.id is not None:
            self._ids.put((sender, f"event:{change.id}"), True, KNOWN_SECONDS)  # noqa: FBT003 - as above
        # A clock that runs ahead must not hide what comes after.
        latest = datetime.fromtimestamp(self._clock.wall(), change.at.tzinfo) if change.at else None
        if change.at is None or latest is None or change.at > latest + _CLOCKS_APART:
            return
        for one in self._stale(sender, change):
            self._newest.put((sender, one), change.at, KNOWN_SECONDS)

    async def _work(self) -> None:
        pause = _FIRST_PAUSE_SECONDS
        while True:
            await self._some.wait()
            if await self._purged():
                pause = _FIRST_PAUSE_SECONDS
            else:
                await self._sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)

    async def _purged(self) -> bool:
        """Whether a portion of what waits is purged; else it goes on waiting.

        What comes meanwhile waits for the next one, also where it is the same again.
        """
        tags = list(islice(self._waiting, _PURGED_AT_ONCE))
        for one in tags:
            del self._waiting[one]
        done = False
        try:
            async with asyncio.timeout(_PURGE_SECONDS):
                count = await self._cache.purge(tags)
            log.info("changes purged", tags=len(tags), count=count)
            done = True
        except Exception:  # a store's own errors; nothing that was told may get lost
            log.exception("changes not purged", tags=len(tags))
        finally:
            if not done:
                self._waiting.update(dict.fromkeys(tags))
            if not self._waiting:
                self._some.clear()
        return done
