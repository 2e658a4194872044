"""The journal's file: SQLite in WAL mode, bounded by age and by size, its owner's alone."""

import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from gateway.telemetry.journal.record import Entry, Good, pack

VERSION = 2
# The first had all tries as rows; those stay, and are found as before.
_READ = frozenset({0, 1, VERSION})
BUSY_SECONDS = 2.0
COLUMNS = tuple(one.name for one in msgspec.structs.fields(Entry) if one.name != "id")
_TYPES: Mapping[str, str] = {
    **dict.fromkeys(("keys", "status", "tried", "sent", "received", "is_read"), "INTEGER"),
    **dict.fromkeys(("at", "milliseconds", "age"), "REAL"),
}
_TABLES = f"""\
CREATE TABLE IF NOT EXISTS exchange (
    id INTEGER PRIMARY KEY,
    {", ".join(f"{name} {_TYPES.get(name, 'TEXT')}" for name in COLUMNS)}
);
CREATE INDEX IF NOT EXISTS exchange_at ON exchange (at);
CREATE INDEX IF NOT EXISTS exchange_error ON exchange (at) WHERE error IS NOT NULL;
CREATE TABLE IF NOT EXISTS block (
    id INTEGER PRIMARY KEY, count INTEGER NOT NULL, earliest REAL NOT NULL, latest REAL NOT NULL,
    tries BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS block_latest ON block (latest);
CREATE TABLE IF NOT EXISTS capture (upstream TEXT PRIMARY KEY, until REAL NOT NULL);
CREATE TABLE IF NOT EXISTS document (
    hash TEXT PRIMARY KEY, text TEXT NOT NULL, fields TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS usage (
    hour INTEGER NOT NULL, client TEXT NOT NULL, operation TEXT NOT NULL, document TEXT NOT NULL,
    count INTEGER NOT NULL, PRIMARY KEY (hour, client, operation, document)
) WITHOUT ROWID;
PRAGMA user_version = {VERSION};
"""
# Rows that one statement inserts: each statement gives the interpreter away and takes it back.
_ROWS = 50
_ROW = f"({', '.join('?' * (len(COLUMNS) + 1))})"
_INSERT = f"INSERT INTO exchange (id, {', '.join(COLUMNS)}) VALUES "  # noqa: S608 - names of our own
# Tries in one block: few enough to be read in vain, many enough to make a row cheap.
_BLOCK = 64
_INSERT_BLOCK = "INSERT INTO block (id, count, earliest, latest, tries) VALUES (?, ?, ?, ?, ?)"
_FIRST = "SELECT min(id) FROM (SELECT min(id) AS id FROM exchange UNION SELECT min(id) FROM block)"
_LAST = (
    "SELECT max(id) FROM (SELECT max(id) AS id FROM exchange UNION ALL "
    "SELECT id + count - 1 FROM block WHERE id = (SELECT max(id) FROM block))"
)
# Part of the rows that goes at the least when the file is too large; and how often it is tried.
_SHARE = 0.1
_ROUNDS = 8
_PAGE = 8192
# Part of the file that may lie free for what comes, more than a share; and how many pages are
# given back at once.
_SPARE = 0.125
_GIVEN_BACK = 4096

Connect = Callable[[Path], sqlite3.Connection]


class JournalUnavailableError(Exception):
    """The file cannot be used; the text says why, for operators."""


def connect(path: Path) -> sqlite3.Connection:
    """Raises sqlite3.Error or OSError. The folder and the file are made when missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    connection = sqlite3.connect(
        path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
    )
    try:
        # These two only of a new file.
        connection.execute(f"PRAGMA page_size = {_PAGE}")
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        # To write over all that is forgotten costs as much as to write it.
        connection.execute("PRAGMA secure_delete = FAST")
        _check_version(connection)
        connection.executescript(_TABLES)
        connection.execute("SELECT max(at) FROM exchange").fetchone()
    except BaseException:
        connection.close()
        raise
    return connection


def _check_version(connection: sqlite3.Connection) -> None:
    """A journal of another version, or a file of something else, is as good as broken."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version not in _READ:
        raise sqlite3.DatabaseError(f"the journal is of version {version}")


def is_broken(error: sqlite3.Error) -> bool:
    """Whether the file itself is at fault, rather than the disk or the moment."""
    return isinstance(error, sqlite3.DatabaseError) and not isinstance(
        error, sqlite3.OperationalError | sqlite3.ProgrammingError | sqlite3.IntegrityError
    )


def set_aside(path: Path, stamp: str) -> Path:
    """Moves a broken file out of the way, with what belongs to it, and tells where it is now."""
    aside = path.with_name(f"{path.name}.broken-{stamp}")
    path.replace(aside)
    for suffix in ("-wal", "-shm"):
        with suppress(FileNotFoundError):
            path.with_name(path.name + suffix).unlink()
    return aside


class Store:
    """One connection to the file, for one thread. Every method may raise sqlite3.Error."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def add(self, entries: Sequence[Entry], goods: Sequence[Good] = ()) -> None:
        """Entries are rows, the tries that went well blocks of many; all have numbers of one kind.

        Raises ValueError where a text is none; then nothing is written.
        """
        with self._transaction() as connection:
            number = 1 + (connection.execute(_LAST).fetchone()[0] or 0)
            for start in range(0, len(entries), _ROWS):
                part = entries[start : start + _ROWS]
                values: list[object] = []
                for place, entry in enumerate(part, number + start):
                    values += (place, *msgspec.structs.astuple(entry)[:-1])
                connection.execute(_INSERT + ", ".join([_ROW] * len(part)), values)
            number += len(entries)
            for start in range(0, len(goods), _BLOCK):
                block = goods[start : start + _BLOCK]
                # Of one process, and so nearly always in order.
                times = [one.at for one in block]
                told = (number + start, len(block), min(times), max(times), pack(block))
                connection.execute(_INSERT_BLOCK, told)

    def captures(self, now: float) -> frozenset[str]:
        """The upstreams whose bodies are wanted now."""
        rows = self._connection.execute("SELECT upstream FROM capture WHERE until > ?", (now,))
        return frozenset(name for (name,) in rows)

    def capture(self, upstream: str, until: float) -> None:
        text = "INSERT OR REPLACE INTO capture (upstream, until) VALUES (?, ?)"
        self._connection.execute(text, (upstream, until))

    def add_usage(self, hour: int, counts: Mapping[tuple[str, str, str], int]) -> None:
        """`counts` by client, operation and hash of the document."""
        with self._transaction() as connection:
            connection.executemany(
                "INSERT INTO usage (hour, client, operation, document, count) "
                "VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET count = count + excluded.count",
                [(hour, *key, count) for key, count in counts.items()],
            )

    def add_documents(self, documents: Mapping[str, tuple[str, str]]) -> None:
        """Texts and fields by hash."""
        with self._transaction() as connection:
            connection.executemany(
                "INSERT INTO document (hash, text, fields) VALUES (?, ?, ?) "
                "ON CONFLICT DO UPDATE SET text = excluded.text, fields = excluded.fields",
                [(key, *told) for key, told in documents.items()],
            )

    def trim(self, oldest: float, max_bytes: int, oldest_usage: float) -> None:
        """Forgets what is older, and the oldest while the file is too large."""
        execute = self._connection.execute
        execute("DELETE FROM exchange WHERE at < ?", (oldest,))
        execute("DELETE FROM block WHERE latest < ?", (oldest,))
        execute("DELETE FROM usage WHERE hour < ?", (int(oldest_usage // 3600),))
        execute("DELETE FROM capture WHERE until < ?", (oldest,))
        for _ in range(_ROUNDS):
            if (size := self.size()) <= max_bytes:
                break
            # A little more than is too much, so that it is not done every time.
            self._forget(max(_SHARE, 1 - (1 - _SHARE) * max_bytes / size))
        self._give_back()
        execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def _forget(self, share: float) -> None:
        """The oldest, as large a part of all as `share`."""
        execute = self._connection.execute
        first, last = execute(_FIRST).fetchone()[0] or 0, execute(_LAST).fetchone()[0] or 0
        until = first + (last - first) * share
        execute("DELETE FROM exchange WHERE id <= ?", (until,))
        execute("DELETE FROM block WHERE id <= ?", (until,))

    def size(self) -> int:
        """Bytes that are in use."""
        pages, free = self._pages()
        (size,) = self._connection.execute("PRAGMA page_size").fetchone()
        return (pages - free) * int(size)

    def _give_back(self) -> None:
        """Shortens the file where much of it lies free."""
        pages, free = self._pages()
        spare = min(free - int(pages * _SPARE), _GIVEN_BACK)
        if spare > 0:
            # Only a script is stepped to its end where no rows come.
            self._connection.executescript(f"PRAGMA incremental_vacuum({spare})")

    def _pages(self) -> tuple[int, int]:
        pragmas = ("page_count", "freelist_count")
        pages, free = (self._connection.execute(f"PRAGMA {one}").fetchone()[0] for one in pragmas)
        return pages, free

    def close(self) -> None:
        self._connection.close()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield self._connection
        except BaseException:
            with suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")
