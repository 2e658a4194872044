"""Automatic persisted queries that replicas share, in Redis or Valkey, with those of one process in front.

A text that a client registered at one replica is known at the others.
"""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import structlog

from gateway.operations.persisted import TextStore
from gateway.operations.trusted import digest_of

if TYPE_CHECKING:
    from redis.asyncio import Redis

PREFIX = "passerelle:apq:"
# From when it was last registered; a client that is told that it is not known registers it again.
KEPT_SECONDS = 7 * 86_400
# While the store is down nobody waits for it, except for one try in so many seconds.
RETRY_SECONDS = 1.0

log = structlog.get_logger(__name__)


class RedisTexts:
    """A TextStore. What the store gives is believed only where it has the hash it is asked by."""

    def __init__(
        self, redis: "Redis", near: TextStore, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._redis = redis
        self._near = near
        self._clock = clock
        self._down_until = float("-inf")

    async def get(self, digest: str, /) -> str | None:
        known = await self._near.get(digest)
        if known is not None or self._is_down():
            return known
        text = await self._asked(digest)
        if text is not None:
            await self._near.put(digest, text)
        return text

    async def put(self, digest: str, text: str, /) -> None:
        if await self._near.get(digest) is not None:
            return
        await self._near.put(digest, text)
        if not self._is_down():
            await self._told(digest, text)

    async def aclose(self) -> None:
        await self._redis.aclose()

    async def _asked(self, digest: str) -> str | None:
        from redis.exceptions import RedisError

        try:
            found = await self._redis.get(PREFIX + digest)
            text = found.decode() if isinstance(found, bytes) else None
        except (RedisError, OSError, UnicodeDecodeError) as error:
            self._note_down(error)
            return None
        self._down_until = float("-inf")
        return text if text is not None and digest_of(text) == digest else None

    async def _told(self, digest: str, text: str) -> None:
        from redis.exceptions import RedisError

        try:
            await self._redis.set(PREFIX + digest, text.encode(), ex=KEPT_SECONDS)
        except (RedisError, OSError) as error:
            self._note_down(error)

    def _is_down(self) -> bool:
        return self._clock() < self._down_until

    def _note_down(self, error: Exception) -> None:
        if self._down_until == float("-inf"):
            log.warning("store of documents unreachable", error=type(error).__name__)
        self._down_until = self._clock() + RETRY_SECONDS
