"""API keys in Redis or Valkey, for several machines.

Two hashes: records by digest, and last uses by id. The braces keep both in one slot of a cluster.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, cast

from redis.asyncio import Redis
from redis.asyncio.client import Pipeline
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, WatchError

from gateway.access.key_store import (
    ApiKey,
    Decide,
    KeyStoreError,
    decoded,
    encoded,
    oldest_first,
    with_use,
)
from upstream.redis_connection import heeding

RECORDS = "{passerelle:keys}:records"
USES = "{passerelle:keys}:uses"
SECONDS = 0.5  # a request waits for this when the store hangs
_TRIES = 20


class RedisKeys:
    """Connects when first needed, and anew when a connection was lost."""

    def __init__(self, url: str, password: str | None = None) -> None:
        # One retry, at once: a connection that idled for long may have been cut.
        self._redis = Redis.from_url(
            url,
            password=password,
            socket_timeout=SECONDS,
            socket_connect_timeout=SECONDS,
            retry=Retry(NoBackoff(), 1),
        )
        heeding(self._redis.connection_pool)

    async def find(self, digests: Sequence[bytes]) -> ApiKey | None:
        async with _translated():
            names = [digest.hex() for digest in digests]
            records = await self._redis.hmget(RECORDS, names)
        return next((decoded(record) for record in records if record is not None), None)

    async def keys(self) -> Sequence[ApiKey]:
        async with _translated():
            records = await self._redis.hvals(RECORDS)
            uses = cast("dict[bytes, bytes]", await self._redis.hgetall(USES))
        keys = map(decoded, records)
        return oldest_first([with_use(key, _time(uses.get(key.id.encode()))) for key in keys])

    async def change(self, client: str, decide: Decide) -> None:
        async with _translated(), self._redis.pipeline(transaction=True) as pipe:
            for _ in range(_TRIES):
                try:
                    await _change(pipe, client, decide)
                except WatchError:
                    continue
                return
        raise KeyStoreError("the keys were changed by others again and again")

    async def note_use(self, times: Mapping[str, datetime]) -> None:
        async with _translated():
            seconds: dict[Any, Any] = {id_: int(at.timestamp()) for id_, at in times.items()}
            await self._redis.hset(USES, mapping=seconds)

    async def aclose(self) -> None:
        await self._redis.aclose()


async def _change(pipe: Pipeline, client: str, decide: Decide) -> None:
    """Raises WatchError when somebody changed keys meanwhile."""
    await pipe.watch(RECORDS)
    keys = map(decoded, await pipe.hvals(RECORDS))
    decided = decide(oldest_first([key for key in keys if key.client == client]))
    pipe.multi()  # type: ignore[no-untyped-call]
    for key in decided:
        pipe.hset(RECORDS, key.digest.hex(), encoded(key))
    await pipe.execute()


@asynccontextmanager
async def _translated() -> AsyncIterator[None]:
    try:
        yield
    except (RedisError, OSError) as error:
        # Its text may hold the address and what was asked.
        raise KeyStoreError(f"the store of keys: {type(error).__name__}") from error


def _time(seconds: bytes | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(int(seconds), UTC)
