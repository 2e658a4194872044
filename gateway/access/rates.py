"""How much a caller may ask: token buckets on cost and on requests, by caller and rate class.

Levels are kept in memory or in Redis, where all replicas share them; while Redis does not answer,
each replica counts for itself.
"""

import math
import time
from base64 import urlsafe_b64encode
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import blake2b
from ipaddress import IPv6Address, ip_address
from typing import TYPE_CHECKING, Any, Protocol

import msgspec
import structlog

from gateway.operations.request import RequestError
from gateway.redis_client import redis_client
from ports.caller import Caller, CallerKind
from upstream.reach import Reach

if TYPE_CHECKING:
    from redis.asyncio import Redis

Clock = Callable[[], float]
Header = tuple[bytes, bytes]

MAX_CALLERS = 100_000
RATE_LIMITED = "RATE_LIMITED"
LIMIT_EXCEEDED = "OPERATION_LIMIT_EXCEEDED"

log = structlog.get_logger(__name__)


class RateClass(Protocol):
    """What a table of `[rates]` holds."""

    @property
    def cost_per_second(self) -> float: ...
    @property
    def burst(self) -> int: ...
    @property
    def requests_per_second(self) -> float | None: ...


@dataclass(frozen=True, slots=True)
class Policy:
    """Two buckets that fill in the same time: one of cost, one of requests (None: unlimited)."""

    name: str
    burst: float
    cost_per_second: float
    request_burst: float | None = None
    requests_per_second: float | None = None
    # How long the slower of the two takes to fill when it is empty.
    window_seconds: int = field(init=False, compare=False)
    # What clients are told of it, the same in each answer.
    header: bytes = field(init=False, compare=False)

    def __post_init__(self) -> None:
        seconds = self.burst / self.cost_per_second if math.isfinite(self.burst) else 0.0
        if self.request_burst is not None and self.requests_per_second is not None:
            seconds = max(seconds, self.request_burst / self.requests_per_second)
        object.__setattr__(self, "window_seconds", max(1, math.ceil(seconds)))
        object.__setattr__(self, "header", self._header())

    def _header(self) -> bytes:
        if not math.isfinite(self.burst):
            return b""
        window = self.window_seconds
        # The draft's registry has no unit for work, but its default, requests, would be untrue.
        rules = [f'"{self.name}-cost";q={int(self.burst)};w={window};qu="cost"']
        if self.request_burst is not None:
            rules.append(f'"{self.name}-requests";q={int(self.request_burst)};w={window}')
        return ", ".join(rules).encode("ascii")


class Levels(msgspec.Struct, frozen=True, gc=False):
    """What of the two buckets is used up; it drains with time."""

    cost: float = 0.0
    requests: float = 0.0


class Taken(msgspec.Struct, frozen=True, gc=False):
    """`limit` and `remaining` are of cost. `reset_seconds`: until the bucket is full again.

    A refused caller may come back after `retry_after` seconds; None when it is not refused, or
    never may come back, because the operation costs more than the bucket holds.
    """

    allowed: bool
    limit: int
    remaining: int
    reset_seconds: int
    retry_after: int | None
    policy: Policy
    requests_remaining: int | None = None


class Store(Protocol):
    """Keeps levels. `take` charges both buckets of `key`, or none of them when one is too full."""

    async def take(self, key: str, policy: Policy, cost: int) -> tuple[bool, Levels]:
        """Whether it was charged, and the levels after it."""
        ...


class Rates:
    """Charges callers. An unknown class counts as the one of the caller's kind."""

    def __init__(self, classes: Mapping[str, RateClass], store: Store) -> None:
        self._policies = {name: _policy(name, found) for name, found in classes.items()}
        self._store = store

    def take_now(
        self, caller: Caller, cost: int, address: str, rate_class: str | None
    ) -> Taken | None:
        """As `take`; None where that would wait for a store that is elsewhere."""
        store = self._store
        if not isinstance(store, LocalStore):
            return None
        policy = self._policy_of(caller, rate_class)
        if policy is None:
            return _unlimited(class_of(caller))
        charged = max(1, cost)
        allowed, levels = store.take_now(_key(caller, address, policy), policy, charged)
        return _taken(policy, levels, charged, allowed=allowed)

    def _policy_of(self, caller: Caller, rate_class: str | None) -> Policy | None:
        name = rate_class if rate_class in self._policies else class_of(caller)
        return self._policies.get(str(name))

    async def take(
        self,
        caller: Caller,
        cost: int,
        *,
        address: str | None = None,
        rate_class: str | None = None,
    ) -> Taken:
        """Charges `cost`, at least 1, and one request; a refused caller is charged nothing.

        `address` is the client's, which anonymous callers are told apart by; `rate_class` is that
        of an API key. A class that is not configured at all limits nothing.
        """
        if (policy := self._policy_of(caller, rate_class)) is None:
            return _unlimited(class_of(caller))
        charged = max(1, cost)
        allowed, levels = await self._store.take(_key(caller, address, policy), policy, charged)
        return _taken(policy, levels, charged, allowed=allowed)


def class_of(caller: Caller) -> str:
    """The class of a caller whose credentials name none: its kind."""
    return caller.kind.value.lower()


def rate_headers(taken: Taken) -> tuple[Header, ...]:
    """`RateLimit-Policy` and `RateLimit` as of the IETF draft httpapi-ratelimit-headers-10."""
    policy = taken.policy
    if not math.isfinite(policy.burst):
        return ()
    # A client told to come back later is not told of an earlier or later moment than that.
    reset = taken.retry_after if taken.retry_after is not None else taken.reset_seconds
    state = f'"{policy.name}-cost";r={taken.remaining};t={reset}'
    if policy.request_burst is not None:
        state += f', "{policy.name}-requests";r={taken.requests_remaining};t={reset}'
    return ((b"ratelimit-policy", policy.header), (b"ratelimit", state.encode("ascii")))


class RateLimitedError(RequestError):
    """A caller who has to wait (429), or an operation that no waiting would let in (400)."""

    def __init__(self, taken: Taken) -> None:
        self.taken = taken
        headers = rate_headers(taken)
        if taken.retry_after is None:
            message = f"The operation costs more than the {taken.limit:,} that you may ask at once."
            super().__init__(400, message, LIMIT_EXCEEDED, headers)
            return
        message = f"Too many requests; try again in {taken.retry_after} seconds."
        retry = (b"retry-after", b"%d" % taken.retry_after)
        super().__init__(429, message, RATE_LIMITED, (retry, *headers))


class LocalStore:
    """The levels of one process; of too many callers, those quiet longest are forgotten."""

    def __init__(self, *, clock: Clock = time.monotonic, max_callers: int = MAX_CALLERS) -> None:
        self._clock = clock
        self._max_callers = max_callers
        self._levels: OrderedDict[str, tuple[Levels, float]] = OrderedDict()

    async def take(self, key: str, policy: Policy, cost: int) -> tuple[bool, Levels]:
        return self.take_now(key, policy, cost)

    def take_now(self, key: str, policy: Policy, cost: int) -> tuple[bool, Levels]:
        now, found = self._clock(), self._levels.get(key)
        if found is None:
            allowed, levels = _charged(Levels(), policy, cost)
        else:
            known, at = found
            now = max(now, at)
            allowed, levels = _charged(_drained(known, policy, now - at), policy, cost)
        self._levels[key] = levels, now
        self._levels.move_to_end(key)
        if len(self._levels) > self._max_callers:
            self._levels.popitem(last=False)
        return allowed, levels

    def __len__(self) -> int:
        return len(self._levels)


# Levels drain by the store's own clock, the same for all replicas. Numbers travel as text with 17
# digits: as numbers they would be cut to whole ones on the way out, and to 14 digits on the way in.
_TAKE = """
local burst, rate = tonumber(ARGV[1]), tonumber(ARGV[2])
local request_burst, request_rate = tonumber(ARGV[3]), tonumber(ARGV[4])
local cost = tonumber(ARGV[5])
local clock = redis.call('TIME')
local now = tonumber(clock[1]) + tonumber(clock[2]) / 1000000
local known = redis.call('HMGET', KEYS[1], 'cost', 'requests', 'at')
local at = tonumber(known[3] or now)
local passed = math.max(0, now - at)
local used = math.max(0, tonumber(known[1] or 0) - rate * passed)
local requests = math.max(0, tonumber(known[2] or 0) - request_rate * passed)
local allowed = 0
if used + cost <= burst and (request_burst < 0 or requests + 1 <= request_burst) then
  allowed = 1
  used = used + cost
  if request_burst >= 0 then requests = requests + 1 end
end
local text = function(number) return string.format('%.17g', number) end
redis.call('HSET', KEYS[1], 'cost', text(used), 'requests', text(requests),
  'at', text(math.max(now, at)))
redis.call('EXPIRE', KEYS[1], tonumber(ARGV[6]) + 1)
return {allowed, text(used), text(requests)}
"""


class RedisStore:
    """The levels that replicas share; never fails, but falls back on `local`."""

    def __init__(
        self,
        redis: "Redis",
        local: LocalStore,
        *,
        prefix: str = "passerelle:rates:",
        seconds: float = 1.0,
        clock: Clock = time.monotonic,
    ) -> None:
        self._redis = redis
        self._script: Callable[..., Awaitable[Any]] = redis.register_script(_TAKE)
        self._local = local
        self._prefix = prefix
        self._reach = Reach("rate limits", redis.ping, seconds=seconds, clock=clock)

    async def take(self, key: str, policy: Policy, cost: int) -> tuple[bool, Levels]:
        answer = await self._reach.ask(lambda: self._asked(key, policy, cost))
        return await self._local.take(key, policy, cost) if answer is None else answer

    async def aclose(self) -> None:
        await self._reach.aclose()
        await self._redis.aclose()

    async def _asked(self, key: str, policy: Policy, cost: int) -> tuple[bool, Levels]:
        limits = (
            policy.burst,
            policy.cost_per_second,
            -1 if policy.request_burst is None else policy.request_burst,
            policy.requests_per_second or 0,
        )
        allowed, used, requests = await self._script(
            keys=[self._prefix + key], args=[*map(repr, limits), cost, policy.window_seconds]
        )
        return bool(allowed), Levels(float(used), float(requests))


def redis_store(url: str, timeout_seconds: float) -> RedisStore:
    """Connects at the first use; whoever makes it closes it."""
    client = redis_client(url, timeout_seconds)
    return RedisStore(client, LocalStore(), seconds=timeout_seconds)


@lru_cache(maxsize=10_000)
def network_of(address: str | None) -> str:
    """What one client is taken for: an IPv4 address, or the /64 of an IPv6 address."""
    try:
        found = ip_address((address or "").partition("%")[0])
    except ValueError:
        return "unknown"
    if isinstance(found, IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return f"{IPv6Address(int(found) >> 64 << 64)}/64"
    return str(found)


def _policy(name: str, found: RateClass) -> Policy:
    per_second = found.requests_per_second
    if per_second is None:
        return Policy(name, found.burst, found.cost_per_second)
    # As many as come in while the bucket of cost fills; one at least.
    requests = max(1.0, per_second * found.burst / found.cost_per_second)
    return Policy(name, found.burst, found.cost_per_second, requests, per_second)


def _unlimited(name: str) -> Taken:
    policy = Policy(name, math.inf, math.inf)
    return Taken(
        allowed=True, limit=0, remaining=0, reset_seconds=0, retry_after=None, policy=policy
    )


def _key(caller: Caller, address: str | None, policy: Policy) -> str:
    anonymous = caller.kind is CallerKind.ANONYMOUS
    who = network_of(address) if anonymous else caller.subject
    return _hashed(policy.name, caller.kind.value, who)


@lru_cache(maxsize=10_000)
def _hashed(policy: str, kind: str, who: str) -> str:
    """Hashed, as subjects may be e-mail addresses and as long as their issuer likes."""
    digest = blake2b(f"{kind}\n{who}".encode(errors="replace"), digest_size=16)
    return f"{policy}:{urlsafe_b64encode(digest.digest()).decode().rstrip('=')}"


def _drained(levels: Levels, policy: Policy, seconds: float) -> Levels:
    return Levels(
        max(0.0, levels.cost - policy.cost_per_second * seconds),
        max(0.0, levels.requests - (policy.requests_per_second or 0) * seconds),
    )


def _charged(levels: Levels, policy: Policy, cost: int) -> tuple[bool, Levels]:
    limited = policy.request_burst is not None
    fits = levels.cost + cost <= policy.burst
    if not fits or (
        policy.request_burst is not None and levels.requests + 1 > policy.request_burst
    ):
        return False, levels
    return True, Levels(levels.cost + cost, levels.requests + 1 if limited else 0.0)


def _taken(policy: Policy, levels: Levels, cost: int, *, allowed: bool) -> Taken:
    left = max(0, math.floor(policy.burst - levels.cost))
    requests_left = None
    if policy.request_burst is not None:
        requests_left = max(0, math.floor(policy.request_burst - levels.requests))
    return Taken(
        allowed=allowed,
        limit=int(policy.burst),
        remaining=left,
        reset_seconds=math.ceil(levels.cost / policy.cost_per_second),
        retry_after=None if allowed else _wait(policy, levels, cost),
        policy=policy,
        requests_remaining=requests_left,
    )


def _wait(policy: Policy, levels: Levels, cost: int) -> int | None:
    """Whole seconds until `cost` fits; None when it never does."""
    if cost > policy.burst:
        return None
    seconds = (levels.cost + cost - policy.burst) / policy.cost_per_second
    if policy.request_burst is not None and policy.requests_per_second is not None:
        more = levels.requests + 1 - policy.request_burst
        seconds = max(seconds, more / policy.requests_per_second)
    return max(1, math.ceil(seconds))
