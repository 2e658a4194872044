"""The journal at work: the hot path leaves what passed in a bounded queue, a thread writes it.

Trouble with the file never reaches who is served: a broken file is set aside, a full disk stops
the journal for a while, and what finds no room is counted and dropped, the oldest first.
"""

import sqlite3
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

import structlog

from gateway.telemetry.journal.masking import Masking
from gateway.telemetry.journal.record import (
    KEPT_BODY,
    Entry,
    Good,
    Passed,
    Stood,
    entry_of,
    good_of,
    stood_entry,
)
from gateway.telemetry.journal.store import Connect, Store, connect, is_broken, set_aside

QUEUE = 10_000
FLUSH_SECONDS = 0.5
TRIM_SECONDS = 60.0
RETRY_SECONDS = 30.0
USAGE_SECONDS = 60.0
_CLOSING_SECONDS = 5.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class JournalRules:
    """Seconds and bytes. `usage_age` is how long counts of usage are kept."""

    file: Path
    max_age: float = 7 * 86_400.0
    max_bytes: int = 256 * 1024 * 1024
    usage_age: float = 90 * 86_400.0
    queue: int = QUEUE


Waiting = Passed | Stood | Good
Work = Callable[[Store], None]
Listener = Callable[[Sequence[Entry | Good]], None]


class _Careful:
    """Not a generator's context, which costs ten times as much."""

    def __init__(self, dropped: Counter[str]) -> None:
        self._dropped = dropped

    def __enter__(self) -> None: ...

    def __exit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, _: object
    ) -> bool:
        if kind is None or not issubclass(kind, Exception):
            return False
        self._dropped["unreadable"] += 1
        log.error("journal entry failed", exc_info=raised)
        return True


class Journal:
    """As a context it writes, and writes the rest when it ends. `clock` is the wall's."""

    def __init__(
        self,
        rules: JournalRules,
        masking: Masking | None = None,
        *,
        clock: Callable[[], float] = time.time,
        connect: Connect = connect,
    ) -> None:
        self.rules = rules
        self.capturing: frozenset[str] = frozenset()
        self.written = 0
        self.dropped: Counter[str] = Counter()
        self.masking = masking or Masking()
        self._clock = clock
        self._connect = connect
        self._queue: deque[Waiting] = deque(maxlen=rules.queue)
        self._work: list[Work] = []
        self._store: Store | None = None
        self._retry_at = 0.0
        self._is_told = False
        self._trim_at = 0.0
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._also: list[Listener] = []
        self._careful = _Careful(self.dropped)

    @property
    def waiting(self) -> int:
        return len(self._queue)

    @property
    def is_writing(self) -> bool:
        return self._store is not None

    def put(self, one: Passed | Stood | Good) -> Waiting:
        """Called on the event loop. The oldest makes room for the newest. Tells what waits.

        What went well is made small at once: what it was made of need not live on for it.
        """
        waiting: Waiting = one
        with self.careful():
            if isinstance(one, Passed) and one.is_good:
                waiting = good_of(one)
            self._append(waiting)
        return waiting

    def careful(self) -> "_Careful":
        """A context in which an entry is made: an error ends the entry alone, and is counted."""
        return self._careful

    def instead(self, waiting: Waiting, one: Passed) -> None:
        """Puts `one` in the place of what waits, or beside it where that was taken already."""
        queue = self._queue
        with suppress(IndexError):
            # Only the other end is taken from meanwhile.
            for place in range(-1, -len(queue) - 1, -1):
                if queue[place] is waiting:
                    queue[place] = one
                    return
        self._append(one)

    def _append(self, waiting: Waiting) -> None:
        if len(self._queue) == self.rules.queue:
            self.dropped["queue"] += 1
        self._queue.append(waiting)

    def also(self, told: Listener) -> None:
        """`told` hears of every batch in the writing thread, written or not; what failed first."""
        self._also.append(told)

    def each(self, work: Work) -> None:
        """`work` is done in the writing thread once a minute, and at the end."""
        self._work.append(work)

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(_CLOSING_SECONDS)

    def _run(self) -> None:
        next_work = self._clock() + USAGE_SECONDS
        while not self._stopping.wait(FLUSH_SECONDS):
            self.flush()
            if self._clock() >= next_work:
                next_work = self._clock() + USAGE_SECONDS
                self.work()
        self.flush()
        self.work()
        self._close()

    def flush(self) -> None:
        """Writes what is there; what cannot be written is dropped, and told once."""
        entries, goods = self._drained()
        number, store = len(entries) + len(goods), self._opened()
        if store is None:
            self.dropped["unavailable"] += number
        else:
            self._guarded(lambda: self._written(store, entries, goods), number)
        if number:
            heard = [*entries, *goods]
            for told in self._also:
                _safely(lambda told=told: told(heard))  # type: ignore[misc]

    def work(self) -> None:
        """Does what is done each minute."""
        for work in self._work:
            if (store := self._opened()) is not None:
                self._guarded(lambda store=store, work=work: work(store), 0)  # type: ignore[misc]

    def taken(self) -> list[Entry]:
        """Takes what is there out of the queue."""
        entries, goods = self._drained()
        return sorted([*entries, *(one.entry() for one in goods)], key=lambda one: one.at)

    def _drained(self) -> tuple[list[Entry], list[Good]]:
        take = self._queue.popleft
        # What comes meanwhile is for the next time, or this would not end under load.
        taken = [take() for _ in range(len(self._queue))]
        goods = [one for one in taken if isinstance(one, Good)]
        if len(goods) == len(taken):
            return [], goods
        others = (self._entry(one) for one in taken if not isinstance(one, Good))
        return [one for one in others if one is not None], goods

    def _entry(self, one: Passed | Stood) -> Entry | None:
        try:
            return stood_entry(one) if isinstance(one, Stood) else entry_of(one, self.masking)
        except Exception:
            self.dropped["unreadable"] += 1
            log.exception("journal entry failed")
            return None

    def _written(self, store: Store, entries: list[Entry], goods: list[Good]) -> None:
        if entries or goods:
            store.add(entries, goods)
            self.written += len(entries) + len(goods)
        now = self._clock()
        self.capturing = store.captures(now)
        if self._is_told:
            self._is_told = False
            log.info("journal is written again", file=str(self.rules.file))
        rules = self.rules
        if now >= self._trim_at or store.size() > rules.max_bytes:
            self._trim_at = now + TRIM_SECONDS
            store.trim(now - rules.max_age, rules.max_bytes, now - rules.usage_age)
            # Whoever deleted it wants a new one.
            if not rules.file.exists():
                self._close()

    def _guarded(self, work: Callable[[], None], entries: int) -> None:
        try:
            work()
        except sqlite3.Error as problem:
            self.dropped["unavailable"] += entries
            self._failed(problem)
        except Exception:
            log.exception("journal failed")

    def _opened(self) -> Store | None:
        if self._store is None and self._clock() >= self._retry_at:
            try:
                self._store = Store(self._connect(self.rules.file))
            except (sqlite3.Error, OSError) as problem:
                self._failed(problem)
        return self._store

    def _failed(self, problem: sqlite3.Error | OSError) -> None:
        self._close()
        file = str(self.rules.file)
        if isinstance(problem, sqlite3.Error) and is_broken(problem):
            self._retry_at = self._clock() + self._set_aside(str(problem))
        else:
            self._retry_at = self._clock() + RETRY_SECONDS
            if not self._is_told:
                log.warning("journal stopped", file=file, reason=str(problem))
            self._is_told = True

    def _close(self) -> None:
        store, self._store = self._store, None
        if store is not None:
            with suppress(sqlite3.Error):
                store.close()

    def _set_aside(self, reason: str) -> float:
        """In how many seconds a new file may be tried."""
        stamp = datetime.fromtimestamp(self._clock(), UTC).strftime("%Y%m%dT%H%M%S")
        try:
            aside = set_aside(self.rules.file, stamp)
        except OSError as problem:
            log.warning("journal broken", file=str(self.rules.file), reason=str(problem))
            return RETRY_SECONDS
        log.warning("journal broken, set aside", file=str(aside), reason=reason)
        return 0.0


def _safely(work: Callable[[], None]) -> None:
    try:
        work()
    except Exception:
        log.exception("journal listener failed")


def body_of(body: bytes) -> bytes:
    """As much of a body as can be told from."""
    return body[: KEPT_BODY * 4]
