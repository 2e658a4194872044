"""The seeded database over real ASGI, and small databases made for one rule or two."""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import httpx2
import pytest

from sandbox.credentials import ODOO_API_KEY
from sandbox.odoo import app
from sandbox.seed import build
from sandbox.world import Item, PriceRule, World

NOW = datetime(2026, 6, 15, 12, 0, tzinfo=UTC)


class Erp:
    """A client that speaks JSON-2 and nothing of the product."""

    def __init__(self, http: httpx2.AsyncClient, world: World) -> None:
        self.http = http
        self.world = world

    async def post(
        self, path: str, *, key: str = ODOO_API_KEY, **arguments: Any
    ) -> httpx2.Response:
        headers = {"authorization": f"bearer {key}"}
        return await self.http.post(f"/json/2/{path}", json=arguments, headers=headers)

    async def call(self, path: str, **arguments: Any) -> Any:
        answer = await self.post(path, **arguments)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def error(self, path: str, **arguments: Any) -> tuple[int, str, str]:
        answer = await self.post(path, **arguments)
        body = answer.json()
        assert list(body) == ["name", "message", "arguments", "context", "debug"]
        return answer.status_code, body["name"], body["message"]

    async def price(
        self, product: int, quantity: float, pricelist: int, **order: Any
    ) -> dict[str, Any]:
        """All priced fields of the dry run (a first call tells zeros too)."""
        fields = ("price_unit", "discount", "price_subtotal", "price_total", "pricelist_item_id")
        answer = await self.call(
            "sale.order.line/onchange",
            values={
                "product_id": product,
                "product_uom_qty": quantity,
                "order_id": {"pricelist_id": pricelist, **order},
            },
            field_names=[],
            fields_spec={name: {} for name in fields},
        )
        value: dict[str, Any] = answer["value"]
        return value


@pytest.fixture(scope="session")
def world() -> World:
    return build()


@pytest.fixture(scope="session")
def served(world: World) -> Any:
    return app(world, "http://sandbox.test/odoo", clock=lambda: world.now)


def connected(served: Any) -> httpx2.AsyncClient:
    transport = httpx2.ASGITransport(app=served)
    return httpx2.AsyncClient(transport=transport, base_url="http://erp.test")


@pytest.fixture
async def erp(served: Any, world: World) -> AsyncIterator[Erp]:
    async with connected(served) as http:
        yield Erp(http, world)


@pytest.fixture
def erp_with(world: World) -> Callable[..., Erp]:
    """A database of three products and the rules given, on lists 1 (EUR), 2 (EUR) and 4 (CHF)."""

    def make(*rules: PriceRule) -> Erp:
        plain = replace(world.items[0], erp_id=101, template_id=11, sku="A", unit="Units")
        leaf = (_leaf(world),)
        items = (
            _priced(replace(plain, categories=leaf), "100.00", "60.00"),
            _priced(replace(plain, erp_id=102, sku="B", categories=leaf), "10.01", "4.00"),
            _priced(replace(plain, erp_id=103, template_id=13, sku="C", categories=()), "7.5", "5"),
        )
        small = replace(
            world, items=items, price_rules=rules, orders=(), deliveries=(), invoices=(),
            parcels=(), quants=(), incoming=(),
        )  # fmt: skip
        return Erp(connected(app(small, "http://erp.test", clock=lambda: NOW)), small)

    return make


def _leaf(world: World) -> str:
    """A category three deep, so that its ancestors can carry rules."""
    parents = {category.code: category.parent for category in world.categories}
    return next(
        code
        for code, parent in parents.items()
        if parent and parents.get(parent) and parents.get(parents[parent] or "")
    )


def _priced(item: Item, price: str, cost: str) -> Item:
    return replace(item, list_price=Decimal(price), cost=Decimal(cost))
