"""The benchmark's four queries give through the whole gateway what the peers' queries give."""

import json
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from gateway.access.key_ring import KeyRing, Order
from gateway.access.key_wiring import peppers_of, store_of
from gateway.app import build
from gateway.settings import load
from tests.benchmarks.peers.conftest import PEERS
from tests.benchmarks.peers.shop import Shop, customer, order, parcel, price, product, stock
from tests.end_to_end.conftest import living

SCOPES = "catalog:read prices:read stock:read customers:read orders:read".split()
QUERIES = json.loads((PEERS / "ours.json").read_text(encoding="utf-8"))


@pytest.fixture(params=["bench.toml", "cached.toml", "collapsed.toml"])
async def client(
    request: pytest.FixtureRequest, tmp_path: Path, shop: Shop
) -> AsyncIterator[httpx2.AsyncClient]:
    environ = {
        "PASSERELLE_ACCESS__KEYS__STORE": f"sqlite:{tmp_path / 'keys.db'}",
        "PASSERELLE_ACCESS__KEYS__PEPPER": "pepper" * 6,
        "PATH": os.environ["PATH"],
    }
    settings = load(PEERS / request.param, environ)
    wire = httpx2.ASGITransport(app=shop)
    gateway = build(settings, transports=dict.fromkeys(settings.upstreams, wire))
    keys = settings.access.keys
    store = store_of(keys)
    wanted = Order("peers", frozenset(SCOPES), customers=None)
    issued = await KeyRing(store, peppers_of(keys)).create(wanted)
    await store.aclose()
    async with (
        living(gateway),
        httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app=gateway),
            base_url="http://gateway.test",
            headers={"x-api-key": issued.secret, "accept": "application/json"},
        ) as opened,
    ):
        yield opened


async def answer(client: httpx2.AsyncClient, name: str, number: int) -> Any:
    """As the load generator asks: the variables by a template that gets a number."""
    asked = QUERIES[name]
    variables = json.loads(asked["vars"] % number)
    body = {"query": asked["query"], "variables": variables}
    told = (await client.post("/graphql", json=body)).json()
    assert "errors" not in told, told
    return told["data"]


async def test_q1_is_a_product(client: httpx2.AsyncClient, shop: Shop) -> None:
    told = (await answer(client, "Q1", 7))["product"]

    there = product(7)
    assert [told["sku"], told["name"], told["brand"]] == list(_of(there, "sku", "name", "brand"))
    assert [told["gtin"], told["family"]] == list(_of(there, "ean", "category"))
    assert told["attribute"]["value"] == there["unit"]
    assert len(shop.asked) == 1


async def test_q2_is_a_page_with_price_and_stock(client: httpx2.AsyncClient, shop: Shop) -> None:
    told = (await answer(client, "Q2", 3))["products"]["nodes"]

    assert [one["sku"] for one in told] == [product(24 + at)["sku"] for at in range(24)]
    for at, one in enumerate(told, 24):
        assert [one["name"], one["brand"]] == list(_of(product(at), "name", "brand"))
        assert one["attribute"]["value"] == product(at)["image"]
        net, listed = one["price"]["unit"]["net"], one["price"]["list"]
        assert (float(net["amount"]), net["currency"]) == (price(at)["net"], "EUR")
        assert float(listed["amount"]) == price(at)["list"]
        (level,) = one["availability"]["locations"]
        assert float(one["availability"]["available"]) == stock(at)["qty"]
        assert level["warehouse"]["code"] == stock(at)["warehouse"]
        assert level["incoming"][0]["expectedOn"] == stock(at)["nextDelivery"]
    assert len(shop.asked) == 3


async def test_q3_is_the_order_history_of_four_systems(
    client: httpx2.AsyncClient, shop: Shop
) -> None:
    told = (await answer(client, "Q3", 1))["customer"]

    there = customer(1)
    assert list(_of(told, "number", "name", "email", "segment")) == list(
        _of(there, "id", "name", "email", "segment")
    )
    orders = told["orders"]["nodes"]
    assert [one["number"] for one in orders] == [order(1, at)["id"] for at in range(20)]
    for at, one in enumerate(orders):
        assert one["placedAt"] == order(1, at)["date"] + "T00:00:00Z"
        assert (float(one["total"]["amount"]), one["status"]) == (order(1, at)["total"], "SHIPPED")
        for line, sent in zip(one["lines"], order(1, at)["lines"], strict=True):
            _check_line(line, sent)
        (shipment,) = one["shipments"]
        _check_tracking(shipment, parcel(100 + at))
    assert sorted(address.split("?")[0] for address in shop.asked) == [
        "/carrier/shipments",
        "/crm/customers",
        "/erp/orders",
        "/pim/products",
    ]


async def test_q4_is_a_large_page(client: httpx2.AsyncClient, shop: Shop) -> None:
    told = (await answer(client, "Q4", 0))["products"]["nodes"]

    assert len(told) == 300
    for at, one in enumerate(told):
        there = product(at)
        assert list(_of(one, "sku", "name", "brand", "gtin", "family", "description")) == list(
            _of(there, "sku", "name", "brand", "ean", "category", "description")
        )
        assert one["unit"]["value"] == there["unit"]
        assert float(one["weight"]["value"]) == there["weight"]
    assert shop.asked == ["/pim/products?category=all&page=0&limit=1000"]


def _check_line(line: Any, sent: Any) -> None:
    assert line["sku"] == sent["sku"]
    assert float(line["quantity"]) == sent["qty"]
    assert float(line["unitPrice"]["amount"]) == sent["unitPrice"]
    there = product(int(sent["sku"][1:]))
    assert list(_of(line["product"], "sku", "name", "brand")) == list(
        _of(there, "sku", "name", "brand")
    )
    assert line["product"]["attribute"]["value"] == there["image"]


def _check_tracking(shipment: Any, sent: Any) -> None:
    assert shipment["trackingNumber"] == sent["tracking"]
    assert shipment["tracking"]["status"] == sent["status"]
    told = [
        (event["at"], event["description"], event["location"])
        for event in reversed(shipment["tracking"]["events"])
    ]
    assert told == [(event["at"], event["code"], event["place"]) for event in sent["events"]]


def _of(record: Any, *names: str) -> Any:
    return (record[name] for name in names)
