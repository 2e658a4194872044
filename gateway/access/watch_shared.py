"""Suspicious activity counted for all replicas together, in Redis or Valkey.

Each replica still counts for itself, and so goes on while the store is away. Told are keyed
hashes only; whoever asks is never made to wait.
"""

import asyncio
import secrets
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import blake2b
from types import TracebackType
from typing import TYPE_CHECKING, Self

import structlog

from gateway.access.watch import Event, Rule, Watch

if TYPE_CHECKING:
    from redis.asyncio import Redis

PREFIX = "passerelle:watch:"
# What waits to be told; the rest is counted by this replica alone.
MAX_WAITING = 10_000
AT_ONCE = 200
RETRY_SECONDS = 1.0
_KEY_SECONDS = 90 * 86_400

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Note:
    event: Event
    caller: str
    value: str | None


class SharedWatch:
    """Told by a Watch of what it counts; tells it what all replicas have counted.

    As a context it talks to the store in the background, and closes it.
    """

    def __init__(
        self,
        redis: "Redis",
        watch: Watch,
        rules: Mapping[str, Rule],
        *,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._redis = redis
        self._watch = watch
        self._rules = rules
        self._wall = wall
        self._waiting: deque[_Note] = deque()
        self._more = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._key: bytes | None = None
        self._is_down = False
        watch.share(self.tell)

    def tell(self, event: Event, caller: str, value: str | None) -> None:
        if len(self._waiting) < MAX_WAITING:
            self._waiting.append(_Note(event, caller, value))
            self._more.set()

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _raised: object, _trace: TracebackType | None
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        await self._redis.aclose()

    async def flush(self) -> None:
        """Tells all that waits. Raises RedisError or OSError."""
        while self._waiting:
            count = min(AT_ONCE, len(self._waiting))
            await self._told([self._waiting[place] for place in range(count)])
            for _ in range(count):
                self._waiting.popleft()

    async def _run(self) -> None:
        from redis.exceptions import RedisError

        while True:
            await self._more.wait()
            self._more.clear()
            try:
                await self.flush()
                self._is_down = False
            except (RedisError, OSError) as error:
                if not self._is_down:
                    log.warning("watch store unreachable", error=type(error).__name__)
                self._is_down = True
                self._more.set()
                await asyncio.sleep(RETRY_SECONDS)

    async def _told(self, notes: Sequence[_Note]) -> None:
        key = self._key = self._key or await self._shared_key()
        now = self._wall()
        async with self._redis.pipeline(transaction=False) as pipe:
            for note in notes:
                rule = self._rules[note.event]
                name = f"{PREFIX}{note.event.value}:{_hashed(note.caller, key)}"
                value = secrets.token_hex(8) if note.value is None else _hashed(note.value, key)
                pipe.zadd(name, {value: now})
                pipe.zremrangebyscore(name, "-inf", now - rule.window_seconds)
                pipe.zremrangebyrank(name, 0, -rule.threshold - 1)
                pipe.zcard(name)
                pipe.pexpire(name, int(rule.window_seconds * 1000) + 1)
                pipe.pttl(_throttled(note.caller, key))
            answers = await pipe.execute()
        seen: set[tuple[Event, str]] = set()
        for place, note in enumerate(notes):
            counted, left = answers[6 * place + 3], answers[6 * place + 5]
            if counted >= self._rules[note.event].threshold:
                if (note.event, note.caller) not in seen:
                    await self._crossed(note, key)
                seen.add((note.event, note.caller))
            if left > 0:
                self._watch.throttle(note.caller, left / 1000)

    async def _crossed(self, note: _Note, key: bytes) -> None:
        """Told by the replica that comes first, once a window."""
        rule = self._rules[note.event]
        name = f"{PREFIX}told:{note.event.value}:{_hashed(note.caller, key)}"
        if not await self._redis.set(name, 1, nx=True, px=int(rule.window_seconds * 1000) + 1):
            return
        self._watch.crossed(note.event, note.caller)
        if rule.throttle_seconds > 0:
            seconds = int(rule.throttle_seconds * 1000) + 1
            await self._redis.set(_throttled(note.caller, key), 1, px=seconds)

    async def _shared_key(self) -> bytes:
        """Of all replicas, so that one value is one hash; a new one when the old is forgotten."""
        name = f"{PREFIX}key"
        await self._redis.set(name, secrets.token_bytes(16), nx=True, ex=_KEY_SECONDS)
        found = await self._redis.get(name)
        return found if isinstance(found, bytes) else secrets.token_bytes(16)


def _throttled(caller: str, key: bytes) -> str:
    return f"{PREFIX}throttled:{_hashed(caller, key)}"


def _hashed(text: str, key: bytes) -> str:
    return blake2b(text.encode(errors="replace"), key=key, digest_size=12).hexdigest()
