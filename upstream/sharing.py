"""Limits of upstreams that all replicas hold together, in Redis or Valkey.

A place is a lease: a replica that dies with calls under way gives its places back by their end.
While the store does not answer, each replica goes by its own limits.
"""

import asyncio
import random
import secrets
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from upstream.limits import Shared
from upstream.reach import Reach
from upstream.redis_connection import heeding

if TYPE_CHECKING:
    from redis.asyncio import Redis

T = TypeVar("T")
Clock = Callable[[], float]

_CONNECTIONS = 32
_POLL_SECONDS = (0.005, 0.05)

# Leases and starts go by the store's own clock, the same for all replicas. Answers an empty text
# for a place, else the seconds until asking again pays (-1: when somebody leaves).
_TAKE = """
local concurrency, interval = tonumber(ARGV[2]), tonumber(ARGV[3])
local burst, lease = tonumber(ARGV[4]), tonumber(ARGV[5])
local clock = redis.call('TIME')
local now = tonumber(clock[1]) + tonumber(clock[2]) / 1000000
local text = function(number) return string.format('%.17g', number) end
if concurrency > 0 then
  redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', text(now))
  if redis.call('ZCARD', KEYS[1]) >= concurrency then return '-1' end
end
if interval > 0 then
  local next = math.max(tonumber(redis.call('GET', KEYS[2]) or '0'), now - burst) + interval
  if next - now > 0.000001 then return text(next - now) end
  redis.call('SET', KEYS[2], text(next), 'PX', math.ceil((burst + interval) * 1000) + 1000)
end
if concurrency > 0 then
  redis.call('ZADD', KEYS[1], text(now + lease), ARGV[1])
  redis.call('PEXPIRE', KEYS[1], math.ceil(lease * 1000) + 1000)
end
return ''
"""


@dataclass(frozen=True, slots=True)
class SharedLimit:
    """What is shared of one upstream. `lease_seconds`: longer than any call can take."""

    name: str
    concurrency: int | None
    rate: float | None
    lease_seconds: float


class Sharing:
    """Makes the shared limits of all upstreams over one client of the store."""

    def __init__(
        self,
        redis: "Redis",
        *,
        prefix: str = "passerelle:limits:",
        seconds: float = 1.0,
        clock: Clock = time.monotonic,
    ) -> None:
        self._redis = redis
        self._prefix = prefix
        self._take: Callable[..., Awaitable[Any]] = redis.register_script(_TAKE)
        self._reach = Reach("shared limits", redis.ping, seconds=seconds, clock=clock)

    def of(self, limit: SharedLimit) -> Shared | None:
        """None where there is nothing to share."""
        if limit.concurrency is None and limit.rate is None:
            return None
        return _Places(self, limit)

    async def aclose(self) -> None:
        """Waits for questions and places under way, then closes the client."""
        await self._reach.aclose()
        await self._redis.aclose()

    async def ask(self, limit: SharedLimit, lease: str) -> float | None:
        """None for a place; else the seconds to wait (-1: until somebody leaves).

        Never fails: with the store out everybody has a place.
        """
        interval = 1.0 / limit.rate if limit.rate else 0.0
        burst = max(1.0, (limit.rate or 0.0) / 10) * interval
        numbers = (limit.concurrency or 0, repr(interval), repr(burst), repr(limit.lease_seconds))
        keys = self._keys(limit)
        answer = await self._reach.ask(
            lambda: self._take(keys=keys, args=[lease, *numbers]),
            lambda late: None if late else self.forget(limit, lease),
        )
        return float(answer) if answer else None

    def forget(self, limit: SharedLimit, lease: str) -> None:
        """Gives a place back behind the caller's back."""
        if limit.concurrency is None:
            return
        leases, _ = self._keys(limit)
        self.aside(self._reach.ask(lambda: self._redis.zrem(leases, lease)))

    def aside(self, work: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
        """Does it apart from whoever asked for it; `aclose` waits for it."""
        return self._reach.aside(work)

    def _keys(self, limit: SharedLimit) -> tuple[str, str]:
        # Braces keep both on one node of a cluster.
        root = f"{self._prefix}{{{limit.name}}}"
        return f"{root}:leases", f"{root}:next"


class _Places:
    """The places of one upstream."""

    def __init__(self, sharing: Sharing, limit: SharedLimit) -> None:
        self._sharing = sharing
        self._limit = limit

    async def take(self) -> str | None:
        lease, (patience, most) = secrets.token_hex(8), _POLL_SECONDS
        while (wait := await self._ask(lease)) is not None:
            await asyncio.sleep(wait if wait > 0 else random.uniform(patience / 2, patience))  # noqa: S311 - spread
            patience = min(patience * 2, most)
        return lease

    def give(self, lease: str) -> None:
        self._sharing.forget(self._limit, lease)

    async def _ask(self, lease: str) -> float | None:
        """Asks in a task of its own, which a caller who goes away does not cut off.

        Half a command could leave a place taken, or its answer to whoever uses the connection next.
        """
        asking = self._sharing.aside(self._sharing.ask(self._limit, lease))
        try:
            return await asyncio.shield(asking)
        except asyncio.CancelledError:
            asking.add_done_callback(lambda _: self.give(lease))
            raise


def sharing(url: str, timeout_seconds: float) -> Sharing:
    """Connects at the first use."""
    from redis.asyncio import BlockingConnectionPool, Redis
    from redis.asyncio.retry import Retry
    from redis.backoff import NoBackoff

    # A burst of callers waits for connections; the plain pool would fail from the 101st on.
    # One retry, for a pooled connection that the store has closed meanwhile.
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=_CONNECTIONS,
        timeout=timeout_seconds,
        socket_timeout=timeout_seconds,
        socket_connect_timeout=timeout_seconds,
        retry=Retry(NoBackoff(), 1),
    )
    return Sharing(Redis.from_pool(heeding(pool)), seconds=timeout_seconds)
