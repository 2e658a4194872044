"""What is known of messages over restarts and by all replicas."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest
from redis.asyncio import Redis

from gateway.http.webhook_claims import FileClaims, NoClaims, RedisClaims
from gateway.redis_client import redis_client
from tests.peers.valkey import free_port, valkey_server

DAY = {"a": 86_400.0, "b": 86_400.0}


@pytest.fixture
async def redis() -> AsyncIterator[Redis]:
    server = valkey_server()
    server.start()
    client = redis_client(f"redis://127.0.0.1:{server.port}", 1.0)
    yield client
    await client.aclose()
    with suppress(Exception):
        server.stop()


async def test_a_file_knows_them_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "known.db"
    before, beside = FileClaims(path), FileClaims(path)

    assert sorted(await before.claim("crm", DAY)) == ["a", "b"]
    assert await before.claim("crm", {"a": 1.0, "c": 1.0}) == ["c"]
    assert await beside.claim("crm", DAY) == []
    await before.aclose()

    after = FileClaims(path)
    assert await after.claim("crm", {"a": 1.0}) == []
    assert await after.claim("erp", {"a": 1.0}) == ["a"]
    for one in (beside, after):
        await one.aclose()


async def test_each_for_its_time(tmp_path: Path) -> None:
    now = [1_000_000.0]
    claims = FileClaims(tmp_path / "known.db", lambda: now[0])
    await claims.claim("crm", {"short": 60.0, "long": 600.0})

    now[0] += 61

    assert await claims.claim("crm", {"short": 60.0, "long": 60.0}) == ["short"]
    assert await claims.claim("crm", {"short": 60.0}) == []
    await claims.aclose()


async def test_one_that_is_released_is_new_again(tmp_path: Path) -> None:
    claims = FileClaims(tmp_path / "known.db")
    await claims.claim("crm", DAY)
    await claims.release("crm", ["a"])

    assert await claims.claim("crm", DAY) == ["a"]
    await claims.aclose()


async def test_of_many_at_once_one_is_first(tmp_path: Path) -> None:
    several = [FileClaims(tmp_path / "known.db") for _ in range(4)]

    told = await asyncio.gather(*(one.claim("crm", {"a": 60.0}) for one in several * 5))

    assert sum(len(one) for one in told) == 1
    for one in several:
        await one.aclose()


async def test_where_nothing_can_be_kept_all_is_new(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    claims = FileClaims(tmp_path / "file" / "known.db")

    for _ in range(2):
        assert set(await claims.claim("crm", DAY)) == {"a", "b"}
    await claims.release("crm", ["a"])
    await claims.aclose()


async def test_without_a_store_all_is_new() -> None:
    claims = NoClaims()

    for _ in range(2):
        assert set(await claims.claim("crm", DAY)) == {"a", "b"}


async def test_replicas_know_them_together(redis: Redis) -> None:
    one, two = RedisClaims(redis), RedisClaims(redis)

    assert await one.claim("crm", DAY) == ["a", "b"]
    assert await two.claim("crm", {**DAY, "c": 60.0}) == ["c"]
    assert await two.claim("erp", {"a": 60.0}) == ["a"]
    await one.release("crm", ["a"])
    assert await two.claim("crm", DAY) == ["a"]
    lives = [await redis.pttl(key) for key in await redis.keys("*")]
    assert all(0 < one <= 86_400_000 for one in lives)


async def test_a_store_that_is_out_is_left_alone_for_a_moment() -> None:
    now = [0.0]
    client = redis_client(f"redis://127.0.0.1:{free_port()}", 0.5)
    asked = 0
    plain = client.pipeline

    def counted(**told: bool) -> object:
        nonlocal asked
        asked += 1
        return plain(**told)

    client.pipeline = counted  # type: ignore[method-assign]
    claims = RedisClaims(client, lambda: now[0])

    for _ in range(3):
        assert set(await claims.claim("crm", DAY)) == {"a", "b"}
    assert asked == 1
    now[0] += 1.5
    await claims.claim("crm", DAY)
    assert asked == 2
    await claims.release("crm", ["a"])
    await claims.aclose()
