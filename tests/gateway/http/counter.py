"""The whole gateway over a shop in memory, whose answers tell for whom and when they were made."""

import asyncio
import sys
from collections import Counter
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx2
import msgspec

from gateway.access.key_ring import KeyRing
from gateway.access.key_ring import Order as NewKey
from gateway.access.key_wiring import peppers_of, store_of
from gateway.app import build
from gateway.settings import Settings, read
from ports.caller import Call
from ports.common import Freshness, SystemName
from ports.errors import UnavailableError
from ports.orders import OrderStatus
from ports.pricing import Price, PriceQuestion
from ports.stock import Availability, AvailabilityStatus
from tests.contracts.fakes.catalog import FakeCatalog
from tests.contracts.fakes.orders import FakeOrders
from tests.contracts.fakes.pricing import FakePricing
from tests.contracts.fakes.stock import FakeStock
from tests.resolvers.shop import order, product
from upstream.config import UpstreamConfig
from upstream.connector import Manifest, Upstream

MODULE = "counter_connector"
SKUS = ("BOLT", "NUT", "SCREW", "WASHER")
READS = frozenset({"catalog:read", "prices:read", "stock:read", "orders:read"})
PLENTY = {"cost_per_second": 10**7, "burst": 10**8, "requests_per_second": 10**6}
MANIFEST = Manifest(
    name="counter",
    title="A shop in memory",
    system=SystemName.ERP,
    ports=("catalog", "pricing", "stock", "orders"),
    connector=f"{MODULE}:Counter",
    config=f"{MODULE}:Config",
)


class Config(UpstreamConfig):
    """Nothing of its own."""


class World:
    """What the shop's systems hold. `version` of a product changes its name and its stock."""

    def __init__(self, customers: Sequence[str]) -> None:
        self.version: Counter[str] = Counter()
        self.asked: list[str] = []
        self.down = False
        self.open = asyncio.Event()
        self.open.set()
        made = [(f"{who}-{n}", who) for who in customers for n in range(2)]
        orders = [order(number, who, OrderStatus.CONFIRMED, "BOLT") for number, who in made]
        self.ports = {
            "catalog": Catalog(self),
            "pricing": Prices(self, customers),
            "stock": Stock(self),
            "orders": Orders(self, orders),
        }

    async def answer(self, role: str, answer: Any) -> Any:
        """What was read at once comes a little later."""
        self.asked.append(role)
        await asyncio.sleep(0)
        await self.open.wait()
        if self.down:
            raise UnavailableError(system="ERP", upstream="shop", operation=role)
        return answer


class Catalog(FakeCatalog):
    def __init__(self, world: World) -> None:
        super().__init__(map(product, SKUS))
        self._world = world

    async def products(self, skus: Sequence[str], /, *, call: Call) -> Any:
        versions = {sku: f"{sku} {self._world.version[sku]} {call.language}" for sku in skus}
        found = await super().products(skus, call=call)
        named = {
            sku: msgspec.structs.replace(one, name=versions[sku]) for sku, one in found.items()
        }
        return await self._world.answer("catalog", named)


class Prices(FakePricing):
    """Every price names the customer that it was made for."""

    def __init__(self, world: World, customers: Sequence[str]) -> None:
        super().__init__({sku: {1: "0.50"} for sku in SKUS}, customers)
        self._world = world

    async def prices(self, questions: Sequence[PriceQuestion], /, *, call: Call) -> Any:
        found = await super().prices(questions, call=call)
        return await self._world.answer("pricing", found)

    def _price(self, question: PriceQuestion) -> Price:
        return msgspec.structs.replace(super()._price(question), agreement=str(question.customer))


class Stock(FakeStock):
    def __init__(self, world: World) -> None:
        super().__init__({})
        self._world = world

    async def availability(self, skus: Sequence[str], /, *, call: Call) -> Any:
        now = Freshness(SystemName.ERP, "shop", datetime.now(UTC))
        status = AvailabilityStatus.IN_STOCK
        found = {
            sku: Availability(status, Decimal(self._world.version[sku]), now)
            for sku in skus
            if sku in SKUS
        }
        return await self._world.answer("stock", found)


class Orders(FakeOrders):
    def __init__(self, world: World, orders: Any) -> None:
        super().__init__(orders)
        self._world = world

    async def orders(self, numbers: Sequence[str], /, *, call: Call) -> Any:
        return await self._world.answer("orders", await super().orders(numbers, call=call))


@dataclass
class Till:
    """The gateway, with a key for each name. `purger` may purge."""

    client: httpx2.AsyncClient
    world: World
    settings: Settings
    keys: Mapping[str, str]

    async def post(self, query: str, who: str | None = None, /, **headers: str) -> httpx2.Response:
        return await self.client.post(
            "/graphql", json={"query": query}, headers=self._headers(who, headers)
        )

    async def get(self, query: str, who: str | None = None, /, **headers: str) -> httpx2.Response:
        return await self.client.get(
            "/graphql", params={"query": query}, headers=self._headers(who, headers)
        )

    async def purge(self, *tags: str) -> None:
        answer = await self.client.post(
            "/admin/cache/purge", json={"tags": tags}, headers=self._headers("purger", {})
        )
        assert answer.status_code == 200, answer.text

    async def revoke(self, who: str) -> None:
        store = store_of(self.settings.access.keys)
        try:
            await KeyRing(store, peppers_of(self.settings.access.keys)).revoke(self.keys[who])
        finally:
            await store.aclose()

    def calls(self) -> list[str]:
        """What the shop's systems were asked since the last time."""
        asked, self.world.asked = self.world.asked, []
        return sorted(asked)

    def _headers(self, who: str | None, more: Mapping[str, str]) -> dict[str, str]:
        told = {name.replace("_", "-"): value for name, value in more.items()}
        return told if who is None else {"x-api-key": self.keys[who], **told}


@asynccontextmanager
async def counter(
    folder: Path, callers: Mapping[str, tuple[str | None, Collection[str]]], **tables: Any
) -> AsyncIterator[Till]:
    """`callers`: name -> its customer and scopes. `tables` are put over the settings."""
    world = World(sorted({customer for customer, _ in callers.values() if customer}))

    class Shop:
        manifest = MANIFEST

        def __init__(self, upstream: Upstream, config: UpstreamConfig) -> None:
            """Whatever it is told, it serves this world."""

        def ports(self) -> dict[str, object]:
            return dict(world.ports)

        async def aclose(self) -> None:
            """Holds nothing."""

    module = ModuleType(MODULE)
    module.Counter, module.Config = Shop, Config  # type: ignore[attr-defined]
    sys.modules[MODULE] = module
    settings = read({**_tables(folder), **tables})
    try:
        keys = await _keys(settings, {**callers, "purger": (None, {"cache:purge"})})
        app = build(settings)
        async with httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app=app), base_url="http://gateway", timeout=60
        ) as client:
            yield Till(client, world, settings, keys)
    finally:
        del sys.modules[MODULE]


def _tables(folder: Path) -> dict[str, Any]:
    return {
        "upstreams": {"shop": {"kind": f"{MODULE}:Counter", "base_url": "http://127.0.0.1:1"}},
        "roles": dict.fromkeys(MANIFEST.ports, "shop"),
        "access": {
            "anonymous": True,
            "anonymous_scopes": ["catalog:read", "prices:read", "stock:read"],
            "keys": {"store": f"sqlite:{folder / 'keys.db'}", "pepper": "pepper" * 6},
        },
        "rates": dict.fromkeys(("anonymous", "user", "staff", "application"), PLENTY),
        "cache": {"enabled": True},
        # However slow the machine is just now.
        "graphql": {"deadline_seconds": 60},
        "resilience": {"shedding": {"max_requests": 0}, "circuit": {"enabled": False}},
    }


async def _keys(
    settings: Settings, callers: Mapping[str, tuple[str | None, Collection[str]]]
) -> dict[str, str]:
    store = store_of(settings.access.keys)
    ring = KeyRing(store, peppers_of(settings.access.keys))
    try:
        return {
            name: (
                await ring.create(
                    NewKey(
                        name=name,
                        scopes=frozenset(scopes),
                        customers=frozenset({customer} if customer else ()),
                        customer=customer,
                    )
                )
            ).secret
            for name, (customer, scopes) in callers.items()
        }
    finally:
        await store.aclose()
