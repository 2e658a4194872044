"""Which fields of records a plan asks for: no fewer than are read, and not many more."""

from dataclasses import replace
from datetime import date
from typing import Any

import msgspec
import pytest
from graphql import GraphQLObjectType, get_named_type, is_leaf_type

from gateway.execution.plans import Plans
from gateway.execution.wanted import _RECORDS
from gateway.http.ide import storefront_query
from ports.catalog import Media, Product
from ports.common import Address, ExternalReference, SystemName
from ports.customers import Customer
from ports.orders import Order, OrderStatus
from ports.shipments import Shipment
from schema.fields import PLAN, VIEWS
from tests.contracts.fakes.catalog import FakeCatalog
from tests.contracts.fakes.customers import FakeCustomers
from tests.contracts.fakes.orders import FakeOrders
from tests.contracts.fakes.shipments import FakeShipments
from tests.gateway.execution.test_plans import ARGUMENTS, EXAMPLES, told
from tests.resolvers import shop as shops
from tests.resolvers.shop import BOLT, CORE, NOW, Shop, customer, eur, order, shipment

PLACE = Address(("1, Quai",), id="7", city="Brest")
REFERENCES = (ExternalReference(SystemName.ERP, "erp", "1"),)
PRODUCT = {"sku", "reference", "name", "enabled"}
ORDER = {
    *("number", "status", "source_status", "placed_at", "subtotal", "tax", "total", "customer"),
}
FILLED: dict[type, Any] = {
    Product: msgspec.structs.replace(
        BOLT,
        gtin="4006381333931",
        description="Long",
        brand="Duravis",
        family="Screws",
        updated_at=NOW,
        references=REFERENCES,
        images=(Media("a/bolt.png", title="A bolt", role="image"),),
    ),
    Order: msgspec.structs.replace(
        order("A1", "A", OrderStatus.SHIPPED, "BOLT", "NUT"),
        purchase_order_number="PO",
        updated_at=NOW,
        references=REFERENCES,
        shipping_cost=eur("3"),
        billing_address=PLACE,
        shipping_address=PLACE,
        requested_delivery_date=date(2026, 12, 1),
    ),
    Customer: msgspec.structs.replace(
        customer("A"),
        email="a@a.example",
        phone="1",
        website="https://a.example",
        vat_number="FR1",
        segment="gold",
        language="fr",
    ),
    Shipment: msgspec.structs.replace(
        shipment("OUT1", "A1", "A", "T1"),
        service="Express",
        shipped_at=NOW,
        references=REFERENCES,
        postal_code="29200",
    ),
}
ROOTS = {
    Product: 'product(sku: "BOLT")',
    Order: 'order(number: "A1")',
    Customer: 'customer(number: "A")',
    Shipment: 'shipment(trackingNumber: "T1")',
}


def filled() -> Shop:
    """A shop whose records lack nothing."""
    return Shop(
        catalog=FakeCatalog([FILLED[Product], shops.product("NUT")]),
        orders=FakeOrders([FILLED[Order]]),
        customers=FakeCustomers([FILLED[Customer]], {}, {}),
        shipments=FakeShipments([FILLED[Shipment]]),
    )


def fields() -> list[tuple[type, str]]:
    """All fields of the types whose records may come in part, each with what is beneath it."""
    found = []
    for name, record in VIEWS.items():
        if record in FILLED:
            kind = CORE.type_map[name]
            assert isinstance(kind, GraphQLObjectType)
            found += [(record, text(kind, field)) for field in kind.fields]
    return found


def text(parent: GraphQLObjectType, field: str, depth: int = 0) -> str:
    kind = get_named_type(parent.fields[field].type)
    asked = f"{field}{ARGUMENTS.get(f'{parent.name}.{field}', '')}"
    if is_leaf_type(kind):
        return asked
    assert isinstance(kind, GraphQLObjectType)
    leaves = [name for name, one in kind.fields.items() if is_leaf_type(get_named_type(one.type))]
    deeper = [name for name in kind.fields if name not in leaves and name in {"node", "nodes"}]
    below = [*leaves, *(text(kind, name, depth + 1) for name in deeper if depth < 2)]
    return f"{asked} {{ {' '.join(one for one in below if one != 'age')} }}"


def test_the_records_here_lack_nothing() -> None:
    assert set(FILLED) == set(_RECORDS.values())
    for record in FILLED.values():
        empty = [
            field.name
            for field in msgspec.structs.fields(record)
            if not getattr(record, field.name)
        ]
        assert empty == []


@pytest.mark.parametrize(
    ("record", "field"), fields(), ids=lambda one: getattr(one, "__name__", one)
)
async def test_a_field_alone_is_as_in_the_whole_record(record: type, field: str) -> None:
    query = f"{{ {ROOTS[record]} {{ {field} }} }}"

    part, whole = [
        told(await replace(filled(), planned=planned).ask(query)) for planned in (True, False)
    ]

    assert part == whole


def test_each_field_of_a_record_that_may_come_in_part_tells_what_it_reads() -> None:
    untold = [
        f"{name}.{field}"
        for name, record in VIEWS.items()
        if record in FILLED
        for field, one in getattr(CORE.type_map[name], "fields", {}).items()
        if (own := one.extensions.get("strawberry-definition")) is not None
        and (plan := own.metadata.get(PLAN)) is not None
        and plan.reads is None
    ]

    assert untold == []


class Noted(Shop):
    """Notes what was wanted of each operation."""

    def ports(self) -> Any:
        self.wanted: dict[str, frozenset[str] | None] = {}
        ports = super().ports()
        return replace(
            ports,
            **{
                role: _Noting(role, getattr(ports, role), self.wanted)
                for role in ("catalog", "orders", "shipments", "customers", "pricing")
            },
        )


class _Noting:
    def __init__(self, role: str, port: Any, wanted: dict[str, frozenset[str] | None]) -> None:
        self._role, self._port, self._wanted = role, port, wanted

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._port, name)

        async def noting(*arguments: Any, call: Any) -> Any:
            self._wanted[f"{self._role}.{name}"] = call.wanted
            return await method(*arguments, call=call)

        return noting


async def wanted(query: str, variables: dict[str, object] | None = None) -> dict[str, Any]:
    shop = Noted()
    assert (await shop.ask(query, variables)).errors == []
    return shop.wanted


async def test_a_listing_wants_no_more_than_it_shows() -> None:
    asked = await wanted(storefront_query("listing"), EXAMPLES["listing"])

    assert asked["catalog.search"] == PRODUCT | {"brand"}
    assert asked["pricing.prices"] is None


async def test_what_resolvers_read_by_themselves_is_wanted_too() -> None:
    asked = await wanted('{ order(number: "A1") { status shipments { service } } }')

    assert asked["orders.orders"] == ORDER
    assert asked["shipments.of_orders"] == {
        *("key", "customer", "order", "tracking_number", "carrier", "postal_code", "service"),
    }


@pytest.mark.parametrize(
    ("fields", "more"),
    [
        ("id", set()),
        ('attribute(code: "d") { value }', {"attributes.d"}),
        ('attributes(codes: ["d", "l"]) { value }', {"attributes.d", "attributes.l"}),
        ("attributes { value }", {"attributes"}),
        ('attributes { value } attribute(code: "d") { value }', {"attributes"}),
        ("attribute(code: $code) { value }", {"attributes"}),
        ("related { description }", {"relations"}),
        ("brand @skip(if: $yes) gtin @include(if: $yes)", {"gtin"}),
        ("... on Node { id ... on Product { family } }", {"family"}),
    ],
)
async def test_what_a_product_is_asked_for(fields: str, more: set[str]) -> None:
    query = f"""query($yes: Boolean!, $code: String!) {{ product(sku: "BOLT") {{ {fields} }}
        category(code: $code) @include(if: $yes) {{ code }} }}"""

    asked = await wanted(query, {"yes": True, "code": "d"})

    assert asked["catalog.products"] == PRODUCT | more


async def test_places_that_share_a_loader_want_the_same() -> None:
    query = """{ product(sku: "NUT") { brand }
        order(number: "A1") { lines { product { gtin } } }
        basket(lines: [{sku: "BOLT", quantity: 1}]) { lines { product { family } } } }"""

    asked = await wanted(query)

    assert asked["catalog.products"] == PRODUCT | {"brand", "gtin", "family"}


async def test_the_stock_engine_reads_whole_records(monkeypatch: pytest.MonkeyPatch) -> None:
    plans = Plans(CORE)
    monkeypatch.setattr(shops, "PLANS", plans)

    asked = await wanted('{ product(sku: "BOLT") { name } __type(name: "Product") { name } }')

    assert plans.left == 1
    assert asked == {"catalog.products": None}
