"""A client of the store that replicas share, for what may be lost: it waits little and tries twice."""

from typing import TYPE_CHECKING

from upstream.redis_connection import heeding

if TYPE_CHECKING:
    from redis.asyncio import Redis


_CONNECTIONS = 32


def redis_client(url: str, timeout_seconds: float) -> "Redis":
    """Connects at the first use; whoever makes it closes it."""
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
    return Redis.from_pool(heeding(pool))
