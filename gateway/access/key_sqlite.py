"""API keys in a SQLite file, for one machine. Several processes may share it.

Readers never wait for writers (WAL). The file is its owner's alone (0600).
"""

import asyncio
import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock

from gateway.access.key_store import (
    ApiKey,
    Decide,
    KeyStoreError,
    decoded,
    encoded,
    oldest_first,
    with_use,
)

VERSION = 1
BUSY_SECONDS = 2.0
_TABLES = f"""\
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS api_key (
    id TEXT PRIMARY KEY,
    client TEXT NOT NULL,
    digest BLOB NOT NULL UNIQUE,
    record BLOB NOT NULL,
    last_used_at INTEGER
) STRICT;
CREATE INDEX IF NOT EXISTS api_key_client ON api_key (client);
PRAGMA user_version = {VERSION};
COMMIT;
"""
_PUT = """\
INSERT INTO api_key (id, client, digest, record) VALUES (?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET record = excluded.record
"""
_USE = """\
UPDATE api_key SET last_used_at = :at
WHERE id = :id AND (last_used_at IS NULL OR last_used_at < :at)
"""


class SqliteKeys:
    """The file and its folder are made when first needed. Replacing the file is noticed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = Lock()
        self._reader: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None

    async def find(self, digests: Sequence[bytes]) -> ApiKey | None:
        return await asyncio.to_thread(self._find, digests)

    async def keys(self) -> Sequence[ApiKey]:
        return await asyncio.to_thread(self._keys)

    async def change(self, client: str, decide: Decide) -> None:
        await asyncio.to_thread(self._change, client, decide)

    async def note_use(self, times: Mapping[str, datetime]) -> None:
        await asyncio.to_thread(self._note_use, times)

    async def aclose(self) -> None:
        await asyncio.to_thread(self._close)

    def _find(self, digests: Sequence[bytes]) -> ApiKey | None:
        # One reader in one thread at a time: whoever guesses keys cannot take all threads.
        with self._lock, _translated():
            reader = self._reading()
            for digest in digests:
                text = "SELECT record FROM api_key WHERE digest = ?"
                row = reader.execute(text, (digest,)).fetchone()
                if row is not None:
                    return decoded(row[0])
        return None

    def _keys(self) -> Sequence[ApiKey]:
        with self._lock, _translated():
            rows = self._reading().execute("SELECT record, last_used_at FROM api_key").fetchall()
        return oldest_first([with_use(decoded(record), _time(used)) for record, used in rows])

    def _change(self, client: str, decide: Decide) -> None:
        with self._writing() as writer:
            text = "SELECT record FROM api_key WHERE client = ?"
            family = [decoded(row[0]) for row in writer.execute(text, (client,))]
            for key in decide(oldest_first(family)):
                writer.execute(_PUT, (key.id, key.client, key.digest, encoded(key)))

    def _note_use(self, times: Mapping[str, datetime]) -> None:
        with self._writing() as writer:
            rows = [{"id": id_, "at": int(at.timestamp())} for id_, at in times.items()]
            writer.executemany(_USE, rows)

    def _close(self) -> None:
        with self._lock:
            if self._reader is not None:
                self._reader.close()
            self._reader = None

    def _reading(self) -> sqlite3.Connection:
        """The open connection, unless the file behind its name became another one."""
        if self._reader is not None and self._file != _identity(self._path):
            self._reader.close()
            self._reader = None
        if self._reader is None:
            self._reader = self._opened()
            self._file = _identity(self._path)
        return self._reader

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction; writing is rare enough for a connection of its own."""
        with _translated(), closing(self._opened()) as writer:
            writer.execute("BEGIN IMMEDIATE")
            try:
                yield writer
                writer.execute("COMMIT")
            finally:
                if writer.in_transaction:
                    writer.execute("ROLLBACK")

    def _opened(self) -> sqlite3.Connection:
        self._prepare_file()
        # Autocommit; used by one thread at a time, but not always the same.
        connection = sqlite3.connect(
            self._path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        try:
            _prepare(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _prepare_file(self) -> None:
        """Before SQLite makes it, which would let others read it; its -wal and -shm follow it."""
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with suppress(FileExistsError):
            os.close(os.open(self._path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        if self._path.stat().st_mode & 0o077:
            with suppress(PermissionError):
                self._path.chmod(0o600)


def _prepare(connection: sqlite3.Connection) -> None:
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version == VERSION:
        return
    if version != 0:
        raise KeyStoreError(f"the file of keys has version {version}, and this program {VERSION}")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.executescript(_TABLES)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise KeyStoreError(f"the file of keys: {error}") from error


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def _time(seconds: int | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
