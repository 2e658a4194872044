"""Asks a system that sends no messages what changed since the last time, and purges that.

Every change is seen at least once: rows whose transaction was committed late are found by reading
the last moments again, and the cursor moves after the purge only.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Protocol, Self

import structlog

from ports.caller import Call
from ports.errors import PermanentError, TransientError, UpstreamError
from upstream.cursors import Cursors
from upstream.reference import own_call

log = structlog.get_logger(__name__)

_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
_STEP = timedelta(seconds=1)
"""The precision of a moment that a system tells."""
_LONGEST_PAUSE_SECONDS = 300.0
_REFUSED_ROUNDS = 60
"""A topic that is refused (a module not installed, a right not given) is left out so long."""
_LARGEST_POWER = 16


class Purges(Protocol):
    """What is used of the cache."""

    async def purge(self, tags: Sequence[str]) -> int: ...


@dataclass(frozen=True, slots=True)
class Window:
    """What changed from `since` on, behind the key `after`, at most `limit` rows by key."""

    since: datetime
    after: int | None
    limit: int


@dataclass(frozen=True, slots=True)
class ChangedRow:
    """`at` is when it was last written, to the second, by the system's own clock."""

    key: int
    at: datetime
    tags: tuple[str, ...]


class ChangeFeed(Protocol):
    """What a system can tell of its own changes, by topic. Raises UpstreamError."""

    @property
    def topics(self) -> Sequence[str]: ...

    async def latest(self, topic: str, /, *, call: Call) -> datetime | None:
        """When anything of the topic was last written; None where there is nothing."""
        ...

    async def changed(self, topic: str, window: Window, /, *, call: Call) -> Sequence[ChangedRow]:
        """By rising key."""
        ...

    def broad(self, topic: str, /) -> tuple[str, ...]:
        """The tags of everything that a topic shows in, for when too much changed to name it."""
        ...


@dataclass(frozen=True, slots=True)
class PollTerms:
    """How often and how much is asked.

    `overlap_seconds` is the longest transaction that is still found. `pages` is the most that a
    topic may take in one round before everything that it shows in is purged instead.
    """

    interval_seconds: float = 10.0
    overlap_seconds: float = 60.0
    page: int = 500
    pages: int = 4
    call_seconds: float = 20.0


@dataclass(frozen=True, slots=True)
class PollClock:
    """`steady` is in seconds and never set back; `spread` gives the jitter around 1."""

    steady: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    spread: Callable[[], float] = lambda: random.uniform(0.8, 1.2)  # noqa: S311 - no secret


@dataclass(slots=True)
class _Topic:
    """`moved` is when the cursor last moved; `seen` are the rows of the last overlap.

    `settled`: the overlap was read so long after that nothing of that time can still be committed.
    """

    cursor: datetime | None = None
    moved: float = 0.0
    settled: bool = False
    seen: frozenset[tuple[int, datetime]] = frozenset()
    left_out: int = 0


class Poller:
    """One system's poller. As a context it polls in a task of its own; `poll` is one round."""

    def __init__(  # noqa: PLR0913 - the parts of one poller, all named
        self,
        upstream: str,
        feed: ChangeFeed,
        cache: Purges,
        cursors: Cursors,
        terms: PollTerms | None = None,
        *,
        clock: PollClock | None = None,
    ) -> None:
        self._upstream = upstream
        self._feed = feed
        self._cache = cache
        self._cursors = cursors
        self._terms = terms or PollTerms()
        self._clock = clock or PollClock()
        self._topics: dict[str, _Topic] | None = None
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self.run())
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _raised: object, _trace: TracebackType | None
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def run(self) -> None:
        """Until it is cancelled. A system that is down is asked less and less often."""
        failures = 0
        while True:
            wish = 0.0
            try:
                await self.poll()
                failures = 0
            except TransientError as error:
                failures, wish = failures + 1, error.retry_after or 0.0
                log.warning("changes not read", upstream=self._upstream, reason=error.code)
            except Exception:  # whatever it is, the next round may be better
                failures += 1
                log.exception("changes not read", upstream=self._upstream)
            await self._clock.sleep(max(wish, self._pause(failures)))

    async def poll(self) -> None:
        """Reads every topic once and purges what changed. Raises TransientError at the first."""
        if self._topics is None:
            self._topics = await self._loaded()
        for name, topic in self._topics.items():
            if topic.left_out:
                topic.left_out -= 1
                continue
            try:
                await self._poll(name, topic)
            except PermanentError as error:
                topic.left_out = _REFUSED_ROUNDS
                self._note_refusal(name, error)

    def _pause(self, failures: int) -> float:
        grown = self._terms.interval_seconds * 2.0 ** min(failures, _LARGEST_POWER)
        longest = max(_LONGEST_PAUSE_SECONDS, self._terms.interval_seconds)
        return min(grown, longest) * self._clock.spread()

    def _note_refusal(self, topic: str, error: UpstreamError) -> None:
        log.warning(
            "changes refused",
            upstream=self._upstream,
            topic=topic,
            reason=error.code,
            detail=error.detail,
        )

    async def _loaded(self) -> dict[str, _Topic]:
        """The overlap is read again after a restart, since what was seen of it is forgotten."""
        known = await self._cursors.load()
        now = self._clock.steady()
        return {name: _Topic(known.get(name), now) for name in self._feed.topics}

    async def _poll(self, name: str, topic: _Topic) -> None:
        if topic.cursor is None:
            # The first time ever: what is kept was read after all that was written before.
            latest = await self._feed.latest(name, call=self._call())
            await self._move(topic, latest or _BEGINNING)
            return
        began = self._clock.steady()
        rows = await self._read(name, self._since(topic, topic.cursor))
        if rows is None:
            await self._all_changed(name, topic)
            return
        found = frozenset((row.key, row.at) for row in rows)
        new = [row for row in rows if (row.key, row.at) not in topic.seen]
        await self._purge(name, list(dict.fromkeys(tag for row in new for tag in row.tags)))
        topic.seen = found
        topic.settled = topic.settled or began - topic.moved > self._terms.overlap_seconds
        newest = max((row.at for row in rows), default=topic.cursor)
        if newest > topic.cursor:
            await self._move(topic, newest)

    def _since(self, topic: _Topic, cursor: datetime) -> datetime:
        if topic.settled:
            return cursor + _STEP
        return max(_BEGINNING, cursor - timedelta(seconds=self._terms.overlap_seconds))

    async def _read(self, name: str, since: datetime) -> list[ChangedRow] | None:
        """None where it is more than a round may take.

        Pages follow the key and not the moment: a row that is written meanwhile keeps its place.
        """
        rows: list[ChangedRow] = []
        after: int | None = None
        for _ in range(self._terms.pages):
            window = Window(since, after, self._terms.page)
            page = await self._feed.changed(name, window, call=self._call())
            rows.extend(page)
            if len(page) < self._terms.page:
                return rows
            after = page[-1].key
        return None

    async def _all_changed(self, name: str, topic: _Topic) -> None:
        """Many rows of one moment would fill the overlap again and again, so it is passed over."""
        latest = await self._feed.latest(name, call=self._call())
        log.info("too much changed to name it", upstream=self._upstream, topic=name)
        await self._purge(name, self._feed.broad(name))
        await self._move(topic, latest or _BEGINNING)
        topic.settled = True
        topic.seen = frozenset()

    async def _purge(self, name: str, tags: Sequence[str]) -> None:
        if not tags:
            return
        count = await self._cache.purge(tags)
        log.info("changes purged", upstream=self._upstream, topic=name, tags=len(tags), count=count)

    async def _move(self, topic: _Topic, to: datetime) -> None:
        topic.cursor = to
        topic.moved = self._clock.steady()
        topic.settled = False
        topics = self._topics or {}
        await self._cursors.save(
            {name: one.cursor for name, one in topics.items() if one.cursor is not None}
        )

    def _call(self) -> Call:
        return own_call(seconds=self._terms.call_seconds)
