"""Which messages and events were taken, known over restarts and by all replicas.

The inbox knows them too, in this process alone. Where the store cannot be asked, that has to do.
"""

import asyncio
import hashlib
import sqlite3
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import closing
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Protocol

import structlog

if TYPE_CHECKING:
    from redis.asyncio import Redis

log = structlog.get_logger(__name__)

PREFIX = "passerelle:webhook:"
# While a store is out, one message in so many seconds tries it.
RETRY_SECONDS = 1.0
_BUSY_SECONDS = 1.0
_KEPT = 200_000
_TABLE = """\
CREATE TABLE IF NOT EXISTS claim (
    place INTEGER PRIMARY KEY, name BLOB NOT NULL UNIQUE, until REAL NOT NULL
) STRICT
"""
_CLAIM = """\
INSERT INTO claim (name, until) VALUES (?, ?)
ON CONFLICT (name) DO UPDATE SET until = excluded.until WHERE claim.until <= ?
"""
_LIMIT = "DELETE FROM claim WHERE place <= (SELECT max(place) FROM claim) - ?"


class Claims(Protocol):
    async def claim(self, sender: str, names: Mapping[str, float], /) -> Collection[str]:
        """Those of the names that nobody has claimed, each from now on claimed for its seconds."""
        ...

    async def release(self, sender: str, names: Collection[str], /) -> None: ...

    async def aclose(self) -> None: ...


class NoClaims:
    """Knows nothing, so that all is new."""

    async def claim(self, _sender: str, names: Mapping[str, float], /) -> Collection[str]:
        return names.keys()

    async def release(self, _sender: str, _names: Collection[str], /) -> None:
        return

    async def aclose(self) -> None:
        return


class FileClaims:
    """In a SQLite file, which several processes may share; no more than the latest 200,000."""

    def __init__(self, path: Path, wall: Callable[[], float] = time.time) -> None:
        self._path = path
        self._wall = wall
        self._lock = Lock()
        self._connection: sqlite3.Connection | None = None

    async def claim(self, sender: str, names: Mapping[str, float], /) -> Collection[str]:
        try:
            return await asyncio.to_thread(self._claim, sender, names)
        except (sqlite3.Error, OSError) as error:
            log.warning("messages not remembered", path=str(self._path), reason=str(error))
            return names.keys()

    async def release(self, sender: str, names: Collection[str], /) -> None:
        try:
            await asyncio.to_thread(self._release, sender, names)
        except (sqlite3.Error, OSError) as error:
            log.warning("messages not forgotten", path=str(self._path), reason=str(error))

    async def aclose(self) -> None:
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _claim(self, sender: str, names: Mapping[str, float]) -> Collection[str]:
        now = self._wall()
        with self._lock, self._open() as file:
            new = [
                name
                for name, seconds in names.items()
                if file.execute(_CLAIM, (_digest(sender, name), now + seconds, now)).rowcount
            ]
            if new:
                file.execute(_LIMIT, (_KEPT,))
            return new

    def _release(self, sender: str, names: Collection[str]) -> None:
        with self._lock, self._open() as file:
            told = [(_digest(sender, name),) for name in names]
            file.executemany("DELETE FROM claim WHERE name = ?", told)

    def _open(self) -> sqlite3.Connection:
        """As a context it commits, or rolls back."""
        if self._connection is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            made = sqlite3.connect(self._path, timeout=_BUSY_SECONDS, check_same_thread=False)
            with closing(made.execute("PRAGMA journal_mode = WAL")):
                made.execute("PRAGMA synchronous = NORMAL")
                made.execute(_TABLE)
            self._connection = made
        return self._connection


class RedisClaims:
    """A key each, which ends by itself."""

    def __init__(self, redis: "Redis", clock: Callable[[], float] = time.monotonic) -> None:
        self._redis = redis
        self._clock = clock
        self._down_until = float("-inf")

    async def claim(self, sender: str, names: Mapping[str, float], /) -> Collection[str]:
        from redis.exceptions import RedisError

        if self._clock() < self._down_until:
            return names.keys()
        told = self._redis.pipeline(transaction=False)
        for name, seconds in names.items():
            told.set(_key(sender, name), b"", nx=True, px=int(seconds * 1000))
        try:
            taken = await told.execute()
        except (RedisError, OSError) as error:
            log.warning("messages not remembered", reason=type(error).__name__)
            self._down_until = self._clock() + RETRY_SECONDS
            return names.keys()
        return [name for name, is_new in zip(names, taken, strict=True) if is_new]

    async def release(self, sender: str, names: Collection[str], /) -> None:
        from redis.exceptions import RedisError

        try:
            await self._redis.delete(*(_key(sender, name) for name in names))
        except (RedisError, OSError) as error:
            log.warning("messages not forgotten", reason=type(error).__name__)

    async def aclose(self) -> None:
        await self._redis.aclose()


def _digest(sender: str, name: str) -> bytes:
    return hashlib.sha256(f"{sender}\0{name}".encode("utf-8", "surrogatepass")).digest()[:16]


def _key(sender: str, name: str) -> str:
    return PREFIX + _digest(sender, name).hex()
