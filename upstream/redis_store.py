"""Answers in Redis or Valkey, through aiocache: shared by replicas, lost without harm.

A command is a task of its own: who asks waits for it a moment and goes on without it. None is ever
broken off half-way by a caller that leaves, so that no connection can give one's answer to the next.
After failures the store is left alone for a while.

Kept at `passerelle:<digest>`; what is purged is found by sets of them at `passerelle:tag:<digest>`.
Tags of whole operations have a generation instead: answers of another one are not used.
"""

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec
import structlog
from aiocache.backends.redis import RedisCache
from aiocache.serializers import BaseSerializer
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ReadOnlyError, RedisError

from upstream.codec import Envelope, Seal, digest, key_bytes, pack, unpack
from upstream.fuse import Fuse
from upstream.redis_connection import heeding
from upstream.stores import Kept, Reading
from upstream.tags import is_broad

T = TypeVar("T")
Clock = Callable[[], float]

log = structlog.get_logger(__name__)

CHANNEL = "passerelle:purged"
_PREFIX = "passerelle:"
_CONNECTIONS = 32
# A command may make a connection first, which takes longer than who asks will wait.
_COMMAND_SECONDS = 2.0
# Longer than any call under way when its tags are purged.
_TOMBSTONE_SECONDS = 120
_TRANSIT_MS = 100
# Between two listenings, while the store is out.
_RELISTEN_SECONDS = 1.0
_OWED_TAGS = 10_000
# A clock that disagrees by more makes answers of another time; they are read anew.
_SKEW_SECONDS = 5.0

# KEYS: for each answer its place, then for each tag its set and its tombstone. ARGV: how long
# tombstones last, then for each answer its age, how long to keep it, how many tags, the bytes.
# A tombstone younger than the answer's question means that it may tell what is no more.
_WRITE = """
local lasts, key, arg = tonumber(ARGV[1]), 1, 2
while key <= #KEYS do
  local age, keep, tags = tonumber(ARGV[arg]), tonumber(ARGV[arg + 1]), tonumber(ARGV[arg + 2])
  local gone = false
  for tag = 0, tags - 1 do
    local left = redis.call('PTTL', KEYS[key + 2 + 2 * tag])
    if left >= 0 and lasts - left <= age then gone = true end
  end
  if not gone then
    redis.call('SET', KEYS[key], ARGV[arg + 3], 'PX', keep)
    for tag = 0, tags - 1 do
      local members = KEYS[key + 1 + 2 * tag]
      redis.call('SADD', members, KEYS[key])
      if redis.call('PTTL', members) < keep then redis.call('PEXPIRE', members, keep) end
    end
  end
  key, arg = key + 1 + 2 * tags, arg + 4
end
"""

# KEYS: for each tag its set and its tombstone. ARGV: how long tombstones last.
_PURGE = """
local gone = 0
for key = 1, #KEYS, 2 do
  for _, place in ipairs(redis.call('SMEMBERS', KEYS[key])) do
    gone = gone + redis.call('UNLINK', place)
  end
  redis.call('UNLINK', KEYS[key])
  redis.call('SET', KEYS[key + 1], '', 'PX', ARGV[1])
end
return gone
"""


class _Bytes(BaseSerializer):  # type: ignore[misc]
    """What is kept is bytes already."""

    DEFAULT_ENCODING = None

    def dumps(self, value: bytes) -> bytes:
        return value

    def loads(self, value: bytes | None) -> bytes | None:
        return value


class RedisStore:
    """Connects when first needed. `seconds` is how long anybody waits for it."""

    def __init__(
        self,
        url: str,
        *,
        secret: bytes | None = None,
        seconds: float = 0.05,
        clock: Clock = time.monotonic,
        now: Clock = time.time,
    ) -> None:
        self._client = _client(url, _COMMAND_SECONDS)
        # Its own, since a subscription holds a connection; checked by pings while nothing comes.
        self._ear = _client(url, _COMMAND_SECONDS, health_check_interval=2)
        self._kept = RedisCache(serializer=_Bytes(), timeout=None)
        self._kept.client = self._client
        self._write = self._client.register_script(_WRITE)
        self._purge = self._client.register_script(_PURGE)
        self._seal = Seal(secret) if secret else None
        self._seconds = seconds
        self._fuse = Fuse(clock)
        self._now = now
        self._owed: dict[str, None] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._closed = False

    def place(self, fingerprint: str, scope: str, key: object) -> str:
        return _PREFIX + digest(b"\0".join((fingerprint.encode(), scope.encode(), key_bytes(key))))

    async def read(self, places: Sequence[str], broad: Sequence[str]) -> Reading | None:
        if self._owed and await self._pay(self._seconds) is None:
            return None
        keys = [*map(_generation_key, broad), *places]
        told = await self._ask(lambda: self._kept.multi_get(keys))
        if told is None or len(told) != len(keys):
            return None
        generation = b"/".join(one or b"" for one in told[: len(broad)]).decode()
        found = {}
        for place, held in zip(places, told[len(broad) :], strict=True):
            kept = self._opened(place, held, generation) if held else None
            if kept is not None:
                found[place] = kept
        return Reading(generation, found)

    async def write(self, answers: Mapping[str, Kept], generation: str) -> None:
        keys: list[str] = []
        told: list[float | bytes] = [_TOMBSTONE_SECONDS * 1000]
        for place, kept in answers.items():
            if (keep := int((kept.lasts - kept.age) * 1000)) <= 0:
                continue
            envelope = Envelope(self._now() - kept.age, kept.fresh, generation, kept.body)
            keys += (place, *(key for tag in kept.tags for key in _tag_keys(tag)))
            told += (int(kept.age * 1000) + _TRANSIT_MS, keep, len(kept.tags))
            told.append(pack(envelope, place, self._seal))
        if keys:
            await self._ask(lambda: _done(self._write(keys=keys, args=told)))

    async def purge(self, tags: Sequence[str]) -> int:
        """Owed until the store can be reached again; nothing is read before it is paid."""
        if len(self._owed) > _OWED_TAGS:
            log.warning("purges forgotten", tags=len(self._owed))
            self._owed.clear()
        self._owed.update(dict.fromkeys(tags))
        return await self._pay(_COMMAND_SECONDS) or 0

    def listen(self, heard: Callable[[Sequence[str]], object]) -> None:
        self._own(self._listen(heard))

    async def aclose(self) -> None:
        self._closed = True
        while self._tasks:
            for task in tuple(self._tasks):
                task.cancel()
            # Again and again: before Python 3.12, `wait_for` in the client can swallow it.
            await asyncio.wait(tuple(self._tasks), timeout=0.1)
        for client in (self._client, self._ear):
            await client.aclose()

    async def _pay(self, seconds: float) -> int | None:
        """Purges what is owed; None where the store cannot be asked."""
        tags = tuple(self._owed)
        paid = await self._ask(lambda: self._purge_now(tags), seconds)
        if paid is not None:
            for tag in tags:
                self._owed.pop(tag, None)
        return paid

    async def _purge_now(self, tags: Sequence[str]) -> int:
        broad = [tag for tag in tags if is_broad(tag)]
        if broad:
            await self._client.mset({_generation_key(tag): secrets.token_hex(8) for tag in broad})
        keys = [key for tag in tags if not is_broad(tag) for key in _tag_keys(tag)]
        gone = await self._purge(keys=keys, args=[_TOMBSTONE_SECONDS * 1000]) if keys else 0
        await self._client.publish(CHANNEL, msgspec.json.encode(tags))
        return int(gone)

    def _opened(self, place: str, held: bytes, generation: str) -> Kept | None:
        envelope = unpack(held, place, self._seal)
        if envelope is None or envelope.generation != generation:
            return None
        age = self._now() - envelope.born
        if age < -_SKEW_SECONDS:
            return None
        return Kept(max(age, 0.0), envelope.fresh, envelope.body)

    async def _ask(
        self, command: Callable[[], Awaitable[T]], seconds: float | None = None
    ) -> T | None:
        """The command's answer; None where the store is out or takes too long.

        While it is out one finds out whether it is back, and nobody waits for that one either.
        """
        if self._fuse.is_open:
            if self._fuse.lets_through():
                self._own(self._found_back(command))
            return None
        asked = self._own(self._bounded(command))
        try:
            async with asyncio.timeout(seconds or self._seconds):
                answer = await asyncio.shield(asked)
        except (RedisError, OSError, TimeoutError) as error:
            if self._fuse.failed():
                log.warning("cache store left alone", error=type(error).__name__)
            return None
        self._fuse.succeeded()
        return answer

    async def _found_back(self, command: Callable[[], Awaitable[object]]) -> None:
        await self._bounded(command)
        if self._fuse.succeeded():
            log.info("cache store is back")

    async def _bounded(self, command: Callable[[], Awaitable[T]]) -> T:
        try:
            async with asyncio.timeout(_COMMAND_SECONDS):
                return await command()
        except ReadOnlyError:
            # After a failover: who answers is a replica now, so look for the primary anew.
            await self._client.connection_pool.disconnect(inuse_connections=False)
            raise

    def _own(self, command: Awaitable[T]) -> asyncio.Task[T]:
        task: asyncio.Task[T] = asyncio.ensure_future(_awaited(command))
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        """What a command raised after nobody waited for it any more is of no interest."""
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()

    async def _listen(self, heard: Callable[[Sequence[str]], object]) -> None:
        while not self._closed:
            try:
                await self._hear(heard)
            except (RedisError, OSError, TimeoutError):
                await asyncio.sleep(_RELISTEN_SECONDS)

    async def _hear(self, heard: Callable[[Sequence[str]], object]) -> None:
        async with self._ear.pubsub(ignore_subscribe_messages=True) as messages:
            await messages.subscribe(CHANNEL)
            while not self._closed:
                told = await messages.get_message(timeout=1.0)
                if told is not None:
                    heard(_tags(told["data"]))


def _client(url: str, seconds: float, **settings: Any) -> Redis:
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=_CONNECTIONS,
        timeout=seconds,
        socket_timeout=seconds,
        socket_connect_timeout=seconds,
        # Once more, at once: a connection that idled for long may have been cut.
        retry=Retry(NoBackoff(), 1),
        **settings,
    )
    return Redis.from_pool(heeding(pool))


async def _awaited(command: Awaitable[T]) -> T:
    return await command


async def _done(command: Awaitable[object]) -> bool:
    await command
    return True


def _generation_key(tag: str) -> str:
    return f"{_PREFIX}generation:{tag}"


def _tag_keys(tag: str) -> tuple[str, str]:
    """The set of places that hold it, and its tombstone. Tags name customers, keys do not."""
    name = digest(tag.encode())
    return f"{_PREFIX}tag:{name}", f"{_PREFIX}gone:{name}"


def _tags(message: bytes) -> Sequence[str]:
    try:
        return msgspec.json.decode(message, type=tuple[str, ...])
    except (msgspec.DecodeError, ValueError):
        return ()
