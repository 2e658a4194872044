"""The third party's connector keeps what our ports promise, before an invented shop."""

from collections.abc import AsyncIterator, Callable
from decimal import Decimal
from typing import Any

import httpx2
import pytest

from connectors import registry
from ports.catalog import ProductQuery
from ports.common import Page, PageRequest
from ports.errors import BadInputError
from ports.orders import OrderQuery, OrderStatus
from ports.pricing import PriceQuestion
from ports.stock import AvailabilityStatus
from ports.tracking import Parcel, ShipmentStatus
from tests.benchmarks.peers.shop import ORDERS, PRODUCTS, Shop
from tests.contracts.peers import FAILURES, Faulty, call, call_for
from upstream.connector import Upstream
from upstream.exchanges import Exchanges
from upstream.guard import Guarded
from upstream.roles import ROLES

STRANGE = ("nobody-has-this", "", " ", "%", "a,b", "\0", "\ud800", "x" * 5000, "..", "P9999999")
ALL = ProductQuery(category="all")
Open = Callable[[str, str], Any]

KINDS = {
    "catalog": "Pim",
    "pricing": "Erp",
    "stock": "Erp",
    "orders": "Erp",
    "shipments": "Erp",
    "customers": "Crm",
    "tracking": "Carrier",
}


@pytest.fixture
def faults(shop: Shop) -> Faulty:
    return Faulty(shop)


@pytest.fixture
async def port(faults: Faulty) -> AsyncIterator[Callable[[str], Any]]:
    """The guarded port of a role."""
    connectors: list[Any] = []

    def of(role: str) -> Any:
        found = registry.find(f"shop_si:{KINDS[role]}")
        wire = httpx2.ASGITransport(app=faults, raise_app_exceptions=True)
        upstream = Upstream("shop", found.manifest, Exchanges(), wire)
        config = found.config()(kind="shop_si", base_url="http://shop.test", tries=1)
        connector = found.connector()(upstream, config)
        connectors.append(connector)
        return Guarded(role, ROLES[role], connector.ports()[role], upstream)

    yield of
    for connector in connectors:
        await connector.aclose()


async def test_a_product_is_told_as_it_is(port: Any) -> None:
    found = (await port("catalog").products(["P000007"], call=call()))["P000007"]

    assert (found.sku, found.reference, found.gtin) == ("P000007", "P000007", "4000000000007")
    assert (found.name, found.brand, found.family) == ("Drill 7", "Sued", "c7")
    assert found.enabled
    assert found.updated_at.isoformat() == "2026-11-01T08:00:00+00:00"
    told = {one.code: one.value for one in found.attributes}
    assert told == {
        "unit": "BOX",
        "weight": "0.7999999999999999",
        "image": "https://cdn.example.com/7.webp",
    }


async def test_unknown_keys_are_absent(port: Any) -> None:
    products = await port("catalog").products([*STRANGE, "P000001"], call=call())
    levels = await port("stock").availability([*STRANGE, "P000001"], call=call())
    people = await port("customers").customers([*STRANGE, "C1"], call=call())
    questions = [PriceQuestion(sku, Decimal(1), None) for sku in (*STRANGE, "P000001")]
    prices = await port("pricing").prices(questions, call=call())
    parcels = [Parcel("shop", number) for number in (*STRANGE, "T00000001")]
    tracked = await port("tracking").track(parcels, call=call())

    assert (set(products), set(levels), set(people)) == ({"P000001"}, {"P000001"}, {"C1"})
    assert (set(prices), set(tracked)) == ({questions[-1]}, {parcels[-1]})


async def test_nothing_asked_is_no_call(port: Any, shop: Shop) -> None:
    assert await port("catalog").products([], call=call()) == {}
    assert await port("stock").availability(STRANGE[1:5], call=call()) == {}
    assert shop.asked == []


async def test_keys_go_in_portions_of_the_declared_size(port: Any, shop: Shop) -> None:
    skus = [f"P{number:06d}" for number in range(250)] * 2

    assert set(await port("catalog").products(skus, call=call())) == set(skus)
    assert len(shop.asked) == 3


@pytest.mark.parametrize("first", [7, 100, 1000])
async def test_pages_lose_and_repeat_nothing(port: Any, first: int) -> None:
    found: list[str] = []
    page: Page[Any] = Page((), (), has_next=True)
    after = None
    while page.has_next:
        page = await port("catalog").search(ALL, PageRequest(first, after), call=call())
        found += [product.sku for product in page.items]
        after = page.cursors[-1] if page.cursors else None

    assert found == [f"P{number:06d}" for number in range(PRODUCTS)]


@pytest.mark.parametrize("at", [0, 5, 23])
async def test_a_cursor_continues_behind_its_item(port: Any, at: int) -> None:
    page = await port("catalog").search(ALL, PageRequest(24), call=call())
    rest = await port("catalog").search(ALL, PageRequest(24, page.cursors[at]), call=call())

    assert rest.items[0].sku == f"P{at + 1:06d}"
    assert len(rest.items) == 24


@pytest.mark.parametrize("cursor", ["", "nonsense", "-1", "1e3", "٣", "9" * 30, "\0"])
async def test_a_cursor_of_elsewhere_is_bad_input(port: Any, cursor: str) -> None:
    request = PageRequest(10, cursor)

    with pytest.raises(BadInputError):
        await port("catalog").search(ALL, request, call=call())
    with pytest.raises(BadInputError):
        await port("orders").search(OrderQuery(("C1",)), request, call=call())


async def test_what_the_systems_cannot_find_is_refused_and_not_ignored(port: Any) -> None:
    for query in (ProductQuery(search="drill"), ProductQuery(brands=("Nord",))):
        with pytest.raises(BadInputError):
            await port("catalog").search(query, PageRequest(10), call=call())
    for narrow in (OrderQuery(None), OrderQuery(("C1",), sku="P000001")):
        with pytest.raises(BadInputError):
            await port("orders").search(narrow, PageRequest(10), call=call())
    with pytest.raises(BadInputError):
        await port("customers").search("drill", None, PageRequest(10), call=call())


async def test_a_price_is_exact_and_for_the_quantity(port: Any) -> None:
    question = PriceQuestion("P000003", Decimal(4), "C1")

    price = (await port("pricing").prices([question], call=call()))[question]

    assert price.unit.net.amount == Decimal("1.75")
    assert price.total.net.amount == Decimal("7.00")
    assert price.list.amount == Decimal("3.5")
    assert price.quantity == Decimal(4)
    assert price.freshness.upstream == "shop"


async def test_stock_tells_its_warehouse_and_what_comes_in(port: Any) -> None:
    found = await port("stock").availability(["P000004", "P000005"], call=call())

    assert found["P000004"].status is AvailabilityStatus.IN_STOCK
    assert found["P000005"].status is AvailabilityStatus.OUT_OF_STOCK
    (level,) = found["P000004"].locations
    assert (level.warehouse.code, level.on_hand, level.available) == ("W1", 4, 4)
    assert level.incoming[0].expected_on.isoformat() == "2026-12-05"


async def test_orders_come_by_customer_in_pages(port: Any) -> None:
    orders = port("orders")
    first = await orders.search(OrderQuery(("C2",)), PageRequest(20), call=call())
    rest = await orders.search(OrderQuery(("C2",)), PageRequest(20, first.cursors[-1]), call=call())

    numbers = [order.number for page in (first, rest) for order in page.items]
    assert numbers == [f"O{200 + at:08d}" for at in range(ORDERS)]
    assert (first.has_next, rest.has_next) == (True, False)
    order = first.items[1]
    assert (order.status, order.source_status) == (OrderStatus.SHIPPED, "SHIPPED")
    assert order.placed_at.isoformat() == "2026-10-02T00:00:00+00:00"
    assert (order.customer, order.total.amount) == ("C2", Decimal("121.5"))
    assert [line.position for line in order.lines] == [1, 2, 3, 4, 5]
    assert order.lines[1].total.amount == order.lines[1].quantity * Decimal("11.5")


async def test_an_order_s_parcel_is_tracked_by_its_carrier(port: Any) -> None:
    shipments = (await port("shipments").of_orders(["O00000201"], call=call()))["O00000201"]
    (shipment,) = shipments
    parcel = Parcel(shipment.carrier.code, shipment.tracking_number)
    tracking = (await port("tracking").track([parcel], call=call()))[parcel]

    assert shipment.tracking_number == "T00000201"
    assert (tracking.status, tracking.source_status) == (ShipmentStatus.IN_TRANSIT, "IN_TRANSIT")
    assert [event.description for event in tracking.events] == ["E3", "E2", "E1", "E0"]
    assert tracking.events[0].location == "Hub 3"


@pytest.mark.parametrize("kind", FAILURES)
@pytest.mark.parametrize(
    ("role", "operation", "asked"),
    [
        ("catalog", "products", (["P000001"],)),
        ("catalog", "search", (ALL, PageRequest(10))),
        ("stock", "availability", (["P000001"],)),
        ("pricing", "prices", ([PriceQuestion("P000001", Decimal(1), None)],)),
        ("orders", "search", (OrderQuery(("C1",)), PageRequest(10))),
        ("customers", "customers", (["C1"],)),
        ("tracking", "track", ([Parcel("shop", "T00000001")],)),
    ],
    ids=["products", "listing", "stock", "prices", "orders", "customers", "tracking"],
)
async def test_a_failure_is_told_as_what_it_is(  # noqa: PLR0913, PLR0917 - one case of a table
    port: Any, faults: Faulty, kind: str, role: str, operation: str, asked: Any
) -> None:
    faults.fail(kind)

    with pytest.raises(FAILURES[kind]) as caught:
        await getattr(port(role), operation)(*asked, call=call_for(kind))

    assert caught.value.upstream == "shop"
    assert caught.value.operation == f"{role}.{operation}"
    assert "secret" not in caught.value.message
