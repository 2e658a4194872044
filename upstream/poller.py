"""Asks a system that sends no messages what changed since the last time, and purges that.

Every change is seen at least once: rows whose transaction was committed late are found by reading
the last moments again, and the cursor moves after the purge only. Of several replicas one asks.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Protocol, Self

import msgspec
import structlog

from ports.caller import Call
from ports.errors import PermanentError, TransientError, UpstreamError
from upstream.cursors import Cursors
from upstream.reference import own_call
from upstream.turns import Turns

log = structlog.get_logger(__name__)

_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
_STEP = timedelta(seconds=1)
"""The precision of a moment that a system tells."""
_LONGEST_PAUSE_SECONDS = 300.0
_REFUSED_ROUNDS = 60
"""A topic that is refused (a module not installed, a right not given) is left out so long."""
_LARGEST_POWER = 16
_CLOCKS_APART = timedelta(minutes=5)
"""By more than this no clock is ahead of ours; see `_believable`."""


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

    interval_seconds: float = 30.0
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
    wall: Callable[[], datetime] = lambda: datetime.now(UTC)


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
        turns: Turns | None = None,
        clock: PollClock | None = None,
    ) -> None:
        """Without `turns` this process always asks."""
        self._upstream = upstream
        self._feed = feed
        self._cache = cache
        self._cursors = cursors
        self._terms = terms or PollTerms()
        self._turns = turns
        self._clock = clock or PollClock()
        self._topics: dict[str, _Topic] | None = None
        self._asks = False
        self._read_at: float | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def behind_seconds(self) -> float | None:
        """How long ago the last round began that read all there was.

        None before the first, and while another replica asks.
        """
        return None if self._read_at is None else self._clock.steady() - self._read_at

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self.run())
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _raised: object, _trace: TracebackType | None
    ) -> None:
        while self._task is not None and not self._task.done():
            self._task.cancel()
            # Again and again: before Python 3.12, `wait_for` in a client can swallow it.
            await asyncio.wait((self._task,), timeout=0.1)
        if self._turns is not None:
            await self._turns.leave()

    async def run(self) -> None:
        """Until it is cancelled. A system that is down is asked less and less often."""
        failures = 0
        while True:
            wish = 0.0
            try:
                if await self._is_our_turn():
                    await self.poll()
                if failures:
                    log.info("changes read again", upstream=self._upstream, rounds_lost=failures)
                failures = 0
            except TransientError as error:
                failures, wish = failures + 1, error.retry_after or 0.0
                self._note_failure(error.code)
            except Exception:  # whatever it is, the next round may be better
                failures += 1
                log.exception("changes not read", upstream=self._upstream)
            await self._clock.sleep(max(wish, self._pause(failures)))

    async def _is_our_turn(self) -> bool:
        """Whose it is not yet knows how far the other one read, to go on from there at any time.

        Where nobody can tell whose turn it is, each asks for itself: twice is better than never.
        """
        if self._turns is None:
            return True
        ours = await self._turns.take()
        if ours is False or (ours and not self._asks):
            self._topics = await self._loaded()
        if ours is False:
            self._read_at = None
        self._asks = ours is True
        return ours is not False

    async def poll(self) -> None:
        """Reads every topic once and purges what changed. Raises TransientError at the first."""
        if self._topics is None:
            self._topics = await self._loaded()
        began = self._clock.steady()
        await self._poll_all(self._topics)
        self._read_at = began

    async def _poll_all(self, topics: Mapping[str, _Topic]) -> None:
        for name, topic in topics.items():
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

    def _note_failure(self, reason: str) -> None:
        behind = self.behind_seconds
        log.warning(
            "changes not read",
            upstream=self._upstream,
            reason=reason,
            behind_seconds=None if behind is None else round(behind, 1),
        )

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
        own = {name: one.cursor for name, one in (self._topics or {}).items()}
        known = {**own, **await self._cursors.load()}
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
        newest = self._believable(max([topic.cursor, *(row.at for row in rows)]))
        if newest != topic.cursor:
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

    def _believable(self, moment: datetime) -> datetime:
        """The moment, or one before now where it is yet to come.

        A row that was written while the system's clock ran ahead must not hide those written
        after that was mended.
        """
        now = self._clock.wall()
        return moment if moment <= now + _CLOCKS_APART else now - _CLOCKS_APART

    async def _move(self, topic: _Topic, to: datetime) -> None:
        topic.cursor = self._believable(to)
        topic.moved = self._clock.steady()
        topic.settled = False
        topics = self._topics or {}
        await self._cursors.save(
            {name: one.cursor for name, one in topics.items() if one.cursor is not None}
        )

    def _call(self) -> Call:
        call = own_call(seconds=self._terms.call_seconds)
        return msgspec.structs.replace(call, lane="listing")
