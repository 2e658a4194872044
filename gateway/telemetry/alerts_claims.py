"""Which of several processes tells an alert: the first that claims it, in a store that they share.

Each process looks for itself and may see what the others do not, so that none of them tells all.
"""

import asyncio
import sqlite3
import time
from collections.abc import Awaitable, Callable, Collection
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import structlog

if TYPE_CHECKING:
    from redis.asyncio import Redis

# A claim that nobody holds any longer ends: its process did.
HELD_SECONDS = 40.0
# Clocks and turns of processes differ a little.
_EARLY = 0.9
_BUSY_SECONDS = 2.0
_TABLE = (
    "CREATE TABLE IF NOT EXISTS told (key TEXT PRIMARY KEY, at REAL NOT NULL, ends REAL NOT NULL)"
)
_CLAIM = """
local at = redis.call('GET', KEYS[1])
if at and tonumber(at) > tonumber(ARGV[1]) then
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
  return 0
end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1
"""

log = structlog.get_logger(__name__)


class Claims(Protocol):
    """None of the methods raises."""

    async def begin(self, key: str, repeat_seconds: float) -> bool | None:
        """Whether it is ours to tell: nobody did for so long. None where nobody can know."""
        ...

    async def end(self, key: str) -> bool | None:
        """Whether it is ours to tell that it is over."""
        ...

    async def hold(self, keys: Collection[str]) -> None:
        """They last: to be called more often than claims end by themselves."""
        ...


class FileClaims:
    """Of the processes of a machine, by a file of their own beside the journal."""

    def __init__(self, file: Path, clock: Callable[[], float] = time.time) -> None:
        self._file = file
        self._clock = clock

    async def begin(self, key: str, repeat_seconds: float) -> bool | None:
        now = self._clock()
        claim = (
            "INSERT INTO told (key, at, ends) VALUES (?, ?, ?) "
            "ON CONFLICT (key) DO UPDATE SET at = excluded.at, ends = excluded.ends "
            "WHERE told.ends < ? OR told.at <= ?"
        )
        times = (now, now + HELD_SECONDS, now, now - repeat_seconds * _EARLY)
        changed = await self._do(claim, [(key, *times)])
        return None if changed is None else changed > 0

    async def end(self, key: str) -> bool | None:
        changed = await self._do("DELETE FROM told WHERE key = ?", [(key,)])
        return None if changed is None else changed > 0

    async def hold(self, keys: Collection[str]) -> None:
        if keys:
            ends = self._clock() + HELD_SECONDS
            rows = [(ends, key) for key in keys]
            await self._do("UPDATE told SET ends = ? WHERE key = ?", rows)

    async def _do(self, statement: str, rows: list[tuple[Any, ...]]) -> int | None:
        try:
            return await asyncio.to_thread(self._done, statement, rows)
        except (OSError, sqlite3.Error) as problem:
            log.warning("alert claims not known", reason=type(problem).__name__)
            return None

    def _done(self, statement: str, rows: list[tuple[Any, ...]]) -> int:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        file = sqlite3.connect(self._file, timeout=_BUSY_SECONDS, isolation_level="IMMEDIATE")
        with closing(file), file:
            file.execute(_TABLE)
            return file.executemany(statement, rows).rowcount


class RedisClaims:
    """Of all replicas, by a key for each alert in Redis or Valkey."""

    def __init__(self, redis: "Redis", prefix: str, clock: Callable[[], float] = time.time) -> None:
        self._redis = redis
        self._prefix = prefix
        self._clock = clock
        self._claim: Callable[..., Awaitable[Any]] = redis.register_script(_CLAIM)

    async def begin(self, key: str, repeat_seconds: float) -> bool | None:
        now = self._clock()
        args = [now - repeat_seconds * _EARLY, now, int(HELD_SECONDS * 1000)]
        return await self._asked(self._claim(keys=[self._prefix + key], args=args))

    async def end(self, key: str) -> bool | None:
        return await self._asked(self._redis.delete(self._prefix + key))

    async def hold(self, keys: Collection[str]) -> None:
        for key in keys:
            await self._asked(self._redis.pexpire(self._prefix + key, int(HELD_SECONDS * 1000)))

    @staticmethod
    async def _asked(asking: Awaitable[Any]) -> bool | None:
        try:
            return bool(await asking)
        except Exception as problem:  # noqa: BLE001 - the client's own and the network's errors
            log.warning("alert claims not known", reason=type(problem).__name__)
            return None
