"""Reading the journal: what the command line, the status page and the impact are made of.

Rows are at most a second behind what happened. A reader may be used by any one thread at a time.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from heapq import heappop, heappush, merge, nlargest
from math import inf
from pathlib import Path
from typing import Any, Self

import msgspec

from gateway.telemetry.journal.query import Query, of_blocks, of_rows, test_of
from gateway.telemetry.journal.record import FAILED, FALLBACK, STALE, Entry, Good, unpack
from gateway.telemetry.journal.store import BUSY_SECONDS, COLUMNS, VERSION, JournalUnavailableError

_COLUMNS = ", ".join(("id", *COLUMNS))


@dataclass(frozen=True, slots=True)
class Touched:
    """Whom failures of one operation of an upstream reached; `stale` keys were answered from old."""

    upstream: str
    asked: str | None
    graphql: str | None
    clients: tuple[str, ...]
    customers: int
    failed: int
    stale: int
    oldest: float | None


@dataclass(frozen=True, slots=True)
class Captures:
    upstream: str
    until: float


class Reader:
    """As a context it closes its connection. Raises JournalUnavailableError where there is none."""

    def __init__(self, file: Path) -> None:
        if not file.is_file():
            raise JournalUnavailableError(f"{file}: there is no journal")
        self._file = file
        address = f"{file.absolute().as_uri()}?mode=ro"
        try:
            self._connection = sqlite3.connect(
                address, uri=True, timeout=BUSY_SECONDS, check_same_thread=False
            )
            (version,) = self._connection.execute("PRAGMA user_version").fetchone()
        except sqlite3.Error as problem:
            raise JournalUnavailableError(f"{file}: {problem}") from problem
        if version != VERSION:
            self._connection.close()
            raise JournalUnavailableError(f"{file}: is not a journal of this version")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._connection.close()

    def search(self, query: Query) -> list[Entry]:
        """The latest first."""
        where, values = of_rows(query)
        text = f"SELECT {_COLUMNS} FROM exchange WHERE {where} ORDER BY at DESC, id DESC LIMIT ?"  # noqa: S608
        rows = [_entry(row) for row in self._rows(text, (*values, query.limit))]
        goods = [good.entry(id=number) for number, good in self._latest(query)]
        return sorted(rows + goods, key=_order, reverse=True)[: query.limit]

    def entries(self, query: Query) -> Iterator[Entry]:
        """All that there are, the earliest first, without holding them all."""
        where, values = of_rows(query)
        text = f"SELECT {_COLUMNS} FROM exchange WHERE {where} ORDER BY at, id"  # noqa: S608
        with self._translated(), closing(self._connection.execute(text, values)) as cursor:
            yield from merge(map(_entry, cursor), self._earliest(query), key=_order)

    def entry(self, number: int) -> Entry | None:
        text = f"SELECT {_COLUMNS} FROM exchange WHERE id = ?"  # noqa: S608
        if rows := self._rows(text, (number,)):
            return _entry(rows[0])
        text = "SELECT id, tries FROM block WHERE id <= ? ORDER BY id DESC LIMIT 1"
        with self._translated():
            for first, tries in self._rows(text, (number,)):
                for place, good in enumerate(unpack(tries), first):
                    if place == number:
                        return good.entry(id=number)
        return None

    def paces(self, upstream: str, asked: str, since: float, limit: int) -> list[float]:
        """How many seconds each of the latest requests spent on a port operation of an upstream."""
        spans: dict[str, tuple[float, float]] = {}
        query = Query(upstream=upstream, operation=asked, since=since, limit=limit)
        for one in self.search(query):
            if one.tried and one.asked == asked:
                first, last = spans.get(one.request_id, (inf, 0.0))
                began = one.at - one.milliseconds / 1000
                spans[one.request_id] = (min(first, began), max(last, one.at))
        return [last - first for first, last in spans.values()]

    def _latest(self, query: Query) -> list[tuple[int, Good]]:
        """The latest tries of blocks that are looked for, as many as are wanted."""
        blocks = of_blocks(query)
        if blocks is None:
            return []
        test, limit = test_of(query), query.limit
        found: list[tuple[int, Good]] = []
        text = f"SELECT id, latest, tries FROM block WHERE {blocks[0]} ORDER BY latest DESC"  # noqa: S608
        with self._translated(), closing(self._connection.execute(text, blocks[1])) as cursor:
            for first, latest, tries in cursor:
                # Blocks of several processes overlap.
                if len(found) == limit and latest < found[-1][1].at:
                    break
                new = [one for one in enumerate(unpack(tries), first) if test(one[1])]
                if new:
                    found = nlargest(limit, found + new, key=lambda one: (one[1].at, one[0]))
        return found

    def _earliest(self, query: Query) -> Iterator[Entry]:
        """The tries of all blocks that are looked for, in order, a few blocks at a time."""
        blocks = of_blocks(query)
        if blocks is None:
            return
        test, waiting = test_of(query), list[tuple[float, int, Good]]()
        numbers = f"SELECT earliest, id FROM block WHERE {blocks[0]} ORDER BY earliest, id"  # noqa: S608
        for earliest, first in self._rows(numbers, blocks[1]):
            while waiting and waiting[0][0] < earliest:
                _, number, good = heappop(waiting)
                yield good.entry(id=number)
            for (tries,) in self._rows("SELECT tries FROM block WHERE id = ?", (first,)):
                for number, good in enumerate(unpack(tries), first):
                    if test(good):
                        heappush(waiting, (good.at, number, good))
        for _, number, good in sorted(waiting):
            yield good.entry(id=number)

    def touched(self, since: float, upstream: str | None = None) -> list[Touched]:
        """What failures and old answers of upstreams meant for whom, since."""
        where = "at >= ? AND asked IS NOT NULL AND (error IS NOT NULL OR cache IN (?, ?, ?))"
        values: tuple[Any, ...] = (FAILED, STALE, FALLBACK, since, STALE, FALLBACK, FAILED)
        if upstream is not None:
            where, values = f"{where} AND upstream = ?", (*values, upstream)
        rows = self._rows(
            "SELECT upstream, asked, graphql, json_group_array(DISTINCT client), "  # noqa: S608
            "count(DISTINCT customer), sum(error IS NOT NULL OR cache = ?), "
            "sum(CASE WHEN cache IN (?, ?) THEN keys ELSE 0 END), max(age) "
            f"FROM exchange WHERE {where} GROUP BY upstream, asked, graphql",
            values,
        )
        return [_touched(*row) for row in rows]

    def customers(self, since: float, upstream: str) -> int:
        """How many customers an upstream's failures and old answers reached since."""
        rows = self._rows(
            "SELECT count(DISTINCT customer) FROM exchange WHERE at >= ? AND upstream = ? "
            "AND (error IS NOT NULL OR cache IN (?, ?))",
            (since, upstream, STALE, FAILED),
        )
        return int(rows[0][0])

    def captures(self, now: float) -> list[Captures]:
        text = "SELECT upstream, until FROM capture WHERE until > ? ORDER BY upstream"
        return [Captures(*row) for row in self._rows(text, (now,))]

    def rows(self, text: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """For what reads other tables of the file."""
        return self._rows(text, values)

    def _rows(self, text: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        with self._translated():
            return self._connection.execute(text, values).fetchall()

    def _translated(self) -> "_Translated":
        return _Translated(self._file)


class _Translated:
    def __init__(self, file: Path) -> None:
        self._file = file

    def __enter__(self) -> None:
        """Nothing to begin."""

    def __exit__(self, kind: object, problem: BaseException | None, trace: object) -> None:
        if isinstance(problem, sqlite3.Error | msgspec.DecodeError):
            raise JournalUnavailableError(f"{self._file}: {problem}") from problem


def _entry(row: Sequence[Any]) -> Entry:
    values = dict(zip(("id", *COLUMNS), row, strict=True))
    values["is_read"] = bool(values["is_read"])
    return Entry(**values)


def _touched(*row: Any) -> Touched:
    upstream, asked, graphql, clients, *rest = row
    return Touched(upstream, asked, graphql, tuple(msgspec.json.decode(clients)), *rest)


def _order(entry: Entry) -> tuple[float, int]:
    return entry.at, entry.id or 0
