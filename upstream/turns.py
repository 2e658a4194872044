"""Which of several replicas does what one of them is enough for: a lease in Redis or Valkey."""

import secrets
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Protocol

import structlog

if TYPE_CHECKING:
    from redis.asyncio import Redis

log = structlog.get_logger(__name__)

_TAKE = """
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
"""
_LEAVE = "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end"


class Turns(Protocol):
    """Neither method raises."""

    async def take(self) -> bool | None:
        """Whether it is our turn, which whoever has it keeps by asking again.

        None where nobody can tell.
        """
        ...

    async def leave(self) -> None:
        """Gives the turn to whoever asks next."""
        ...


class RedisTurns:
    """A key that ends `seconds` after it was last taken: nobody's for so long if its holder dies."""

    def __init__(self, redis: "Redis", key: str, seconds: float) -> None:
        self._key = key
        self._seconds = seconds
        self._holder = secrets.token_hex(8)
        self._take: Callable[..., Awaitable[Any]] = redis.register_script(_TAKE)
        self._leave: Callable[..., Awaitable[Any]] = redis.register_script(_LEAVE)

    async def take(self) -> bool | None:
        try:
            told = await self._take(
                keys=[self._key], args=[self._holder, int(self._seconds * 1000)]
            )
        except Exception as problem:  # noqa: BLE001 - the client's own and the network's errors
            log.warning("turn not known", key=self._key, reason=type(problem).__name__)
            return None
        return bool(told)

    async def leave(self) -> None:
        try:
            await self._leave(keys=[self._key], args=[self._holder])
        except Exception as problem:  # noqa: BLE001 - as above
            log.warning("turn not left", key=self._key, reason=type(problem).__name__)
