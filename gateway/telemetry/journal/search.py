"""Reading the journal: what the command line, the status page and the impact are made of.

Rows are at most a second behind what happened. A reader may be used by any one thread at a time.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import msgspec

from gateway.telemetry.journal.record import FAILED, FALLBACK, STALE, Entry
from gateway.telemetry.journal.store import BUSY_SECONDS, COLUMNS, VERSION, JournalUnavailableError

DEFAULT_LIMIT = 100
_COLUMNS = ", ".join(("id", *COLUMNS))
# Operations whose first argument holds keys of a kind, by the kind.
_ROLES = {
    "sku": ("catalog.", "stock.", "pricing."),
    "order": ("orders.", "invoices.", "shipments.", "returns.", "payments."),
    "customer": ("customers.", "accounts.", "pricing.", "orders.", "invoices.", "directory."),
    "tracking": ("tracking.", "shipments."),
}


@dataclass(frozen=True, slots=True)
class Query:
    """What is looked for; None: anything. `since` and `until` are Unix times.

    `customer` is who is asked about or who asks. `captured`: with a body.
    """

    sku: str | None = None
    order: str | None = None
    customer: str | None = None
    tracking: str | None = None
    upstream: str | None = None
    operation: str | None = None
    graphql: str | None = None
    client: str | None = None
    request_id: str | None = None
    errors: bool = False
    captured: bool = False
    since: float | None = None
    until: float | None = None
    limit: int = DEFAULT_LIMIT


@dataclass(frozen=True, slots=True)
class Rate:
    """Tries of one upstream operation for one GraphQL operation and client. Milliseconds."""

    upstream: str
    call: str
    graphql: str | None
    client: str
    calls: int
    failed: int
    mean: float
    longest: float


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
        conditions, values = _conditions(query)
        text = f"SELECT {_COLUMNS} FROM exchange{_where(conditions)} ORDER BY at DESC LIMIT ?"  # noqa: S608
        return [_entry(row) for row in self._rows(text, (*values, query.limit))]

    def entries(self, query: Query) -> Iterator[Entry]:
        """All that there are, the earliest first, without holding them all."""
        conditions, values = _conditions(query)
        text = f"SELECT {_COLUMNS} FROM exchange{_where(conditions)} ORDER BY at"  # noqa: S608
        with self._translated(), closing(self._connection.execute(text, values)) as cursor:
            for row in cursor:
                yield _entry(row)

    def entry(self, number: int) -> Entry | None:
        text = f"SELECT {_COLUMNS} FROM exchange WHERE id = ?"  # noqa: S608
        rows = self._rows(text, (number,))
        return _entry(rows[0]) if rows else None

    def rates(self, since: float) -> list[Rate]:
        """What was called since, by upstream, its operation, GraphQL operation and client."""
        rows = self._rows(
            "SELECT upstream, call, graphql, client, count(*), sum(error IS NOT NULL), "
            "avg(milliseconds), max(milliseconds) FROM exchange WHERE at >= ? AND tried > 0 "
            "GROUP BY upstream, call, graphql, client ORDER BY count(*) DESC",
            (since,),
        )
        return [Rate(*row) for row in rows]

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
        if isinstance(problem, sqlite3.Error):
            raise JournalUnavailableError(f"{self._file}: {problem}") from problem


def _entry(row: Sequence[Any]) -> Entry:
    values = dict(zip(("id", *COLUMNS), row, strict=True))
    values["is_read"] = bool(values["is_read"])
    return Entry(**values)


def _touched(*row: Any) -> Touched:
    upstream, asked, graphql, clients, *rest = row
    return Touched(upstream, asked, graphql, tuple(msgspec.json.decode(clients)), *rest)


def _where(conditions: Sequence[str]) -> str:
    return f" WHERE {' AND '.join(conditions)}" if conditions else ""


def _conditions(query: Query) -> tuple[list[str], list[Any]]:
    conditions, values = [], []
    columns = {
        "upstream = ?": query.upstream,
        "graphql = ?": query.graphql,
        "client = ?": query.client,
        "at >= ?": query.since,
        "at < ?": query.until,
    }
    for condition, value in columns.items():
        if value is not None:
            conditions.append(condition)
            values.append(value)
    if query.operation is not None:
        conditions.append("(call = ? OR asked = ?)")
        values += [query.operation] * 2
    if query.request_id is not None:
        conditions.append("(request_id = ? OR trace = ?)")
        values += [query.request_id] * 2
    if query.errors:
        conditions.append("(error IS NOT NULL OR cache = ?)")
        values.append(FAILED)
    if query.captured:
        conditions.append("response IS NOT NULL")
    _about(query, conditions, values)
    return conditions, values


def _about(query: Query, conditions: list[str], values: list[Any]) -> None:
    """Keys are looked for as JSON strings among the arguments of the kind's operations."""
    for kind, prefixes in _ROLES.items():
        key: str | None = getattr(query, kind)
        if key is None:
            continue
        asked = " OR ".join(["substr(asked, 1, ?) = ?"] * len(prefixes))
        condition = f"(instr(arguments, ?) > 0 AND ({asked}))"
        values.append(msgspec.json.encode(key).decode())
        for prefix in prefixes:
            values += [len(prefix), prefix]
        if kind == "customer":
            condition = f"({condition} OR customer = ?)"
            values.append(key)
        conditions.append(condition)
