"""An information system in memory: answers at once, so that what is left is the gateway's own work."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from gateway.execution.answer import Answer
from gateway.execution.engine import StockEngine
from gateway.execution.plans import Plans
from gateway.operations.documents import Documents
from gateway.operations.request import GraphQLRequest
from ports.caller import Call, Caller, CallerKind
from ports.catalog import Attribute, Product, ProductQuery
from ports.common import Freshness, Money, Page, PageRequest, SystemName, TaxedMoney
from ports.customers import Customer
from ports.orders import Order, OrderLine, OrderQuery, OrderStatus
from ports.pricing import Price, PriceOrigin, PriceQuestion
from ports.shipments import Carrier, Shipment, ShipmentLine
from ports.stock import Availability, AvailabilityStatus, IncomingStock, StockLevel, Warehouse
from ports.tracking import ShipmentStatus, Tracking, TrackingEvent
from resolvers.context import Context, Ports
from schema.build import schema

NOW = datetime(2026, 11, 1, 9, 30, tzinfo=UTC)
ERP = Freshness(SystemName.ERP, "erp", NOW)
CARRIER = Freshness(SystemName.CARRIER, "dhl", NOW)
CODES = ("unit", "weight", "image", "colour", "norm", "head", "length", "thread")
SCOPES = "catalog:read prices:read stock:read customers:read orders:read invoices:read"
BUYER = Caller(
    "buyer",
    CallerKind.USER,
    customer="C1",
    customers=frozenset({"C1"}),
    scopes=frozenset(SCOPES.split()),
)

QUERIES: Mapping[str, str] = {
    "Q1": """query Q1($sku: String!) { product(sku: $sku) { sku name brand gtin family
    attribute(code: "unit") { value } } }""",
    "Q2": """query Q2 { products(first: 24) { nodes { sku name brand
    attribute(code: "image") { value } price { unit { net { amount currency } } list { amount } }
    availability { available locations { warehouse { code } incoming { expectedOn } } } } } }""",
    "Q3": """query Q3($number: String!) { customer(number: $number) { number name email segment
    orders(first: 20) { nodes { number placedAt status total { amount currency }
    lines { sku quantity unitPrice { amount } product { sku name brand
    attribute(code: "image") { value } } }
    shipments { trackingNumber carrier { name }
    tracking { status events { at description location } } } } } } }""",
    "Q4": """query Q4($size: Int!) { products(first: $size) { nodes { sku name brand gtin family
    unit: attribute(code: "unit") { value } weight: attribute(code: "weight") { value }
    description } } }""",
}
VARIABLES: Mapping[str, dict[str, object]] = {
    "Q1": {"sku": "P000001"},
    "Q2": {},
    "Q3": {"number": "C1"},
    "Q4": {"size": 1_000},
}


def eur(amount: int) -> Money:
    return Money(Decimal(amount) / 100, "EUR")


def product(number: int) -> Product:
    return Product(
        sku=f"P{number:06d}",
        reference=f"uuid-{number}",
        name=f"Cordless drill {number}",
        enabled=True,
        gtin=f"40{number:011d}",
        description=f"The tool with the number {number}, for wood, metal and masonry.",
        brand=("Nord", "Sued")[number % 2],
        family="tools",
        attributes=tuple(Attribute(code, code.title(), f"{code} {number}") for code in CODES),
    )


PRICE = Price(
    unit=TaxedMoney(eur(1999), eur(2399), eur(400)),
    total=TaxedMoney(eur(1999), eur(2399), eur(400)),
    quantity=Decimal(1),
    origin=PriceOrigin.CUSTOMER_AGREEMENT,
    freshness=ERP,
    list=eur(2499),
)
AVAILABILITY = Availability(
    AvailabilityStatus.IN_STOCK,
    Decimal(12),
    ERP,
    locations=tuple(
        StockLevel(
            Warehouse(code, code),
            Decimal(6),
            Decimal(0),
            Decimal(6),
            (IncomingStock(Decimal(10), date(2026, 12, 1)),),
        )
        for code in ("NORTH", "SOUTH")
    ),
)


def order(number: int) -> Order:
    lines = tuple(
        OrderLine(
            place,
            f"Line {place}",
            Decimal(2),
            eur(500),
            eur(1000),
            Decimal(2),
            sku=f"P{number * 5 + place:06d}",
        )
        for place in range(1, 6)
    )
    return Order(
        number=f"O{number}",
        status=OrderStatus.SHIPPED,
        source_status="done",
        placed_at=NOW,
        subtotal=eur(5000),
        tax=eur(1000),
        total=eur(6000),
        customer="C1",
        lines=lines,
    )


def shipment(number: int) -> Shipment:
    return Shipment(
        key=f"S{number}",
        number=f"S{number}",
        order=f"O{number}",
        customer="C1",
        tracking_number=f"T{number}",
        carrier=Carrier("dhl", "DHL"),
        lines=(ShipmentLine("P000001", Decimal(2)),),
    )


TRACKING = Tracking(
    ShipmentStatus.DELIVERED,
    "delivered",
    CARRIER,
    events=tuple(
        TrackingEvent(NOW, ShipmentStatus.IN_TRANSIT, f"Event {place}", location="Lyon")
        for place in range(5)
    ),
)


class Systems:
    """All roles in one; what is asked is never held up."""

    def __init__(self, size: int = 1_000) -> None:
        self._products = {one.sku: one for one in map(product, range(size))}
        self._every = tuple(self._products.values())
        self._cursors = tuple(map(str, range(size)))
        self._orders = tuple(map(order, range(20)))
        self._shipments = {f"O{number}": (shipment(number),) for number in range(20)}

    async def products(self, skus: Sequence[str], /, *, call: Call) -> dict[str, Product]:
        _ = call
        known = self._products
        return {sku: known[sku] for sku in skus if sku in known}

    async def search(self, query: Any, page: PageRequest, /, *, call: Call) -> Page[Any]:
        _ = call
        if isinstance(query, OrderQuery):
            return Page(self._orders[: page.first], self._cursors[: page.first], has_next=False)
        assert isinstance(query, ProductQuery)
        return Page(self._every[: page.first], self._cursors[: page.first], has_next=False)

    async def prices(
        self, questions: Sequence[PriceQuestion], /, *, call: Call
    ) -> dict[PriceQuestion, Price]:
        _ = call
        return dict.fromkeys(questions, PRICE)

    async def availability(self, skus: Sequence[str], /, *, call: Call) -> dict[str, Availability]:
        _ = call
        return dict.fromkeys(skus, AVAILABILITY)

    async def customers(self, numbers: Sequence[str], /, *, call: Call) -> dict[str, Customer]:
        _ = call
        return {one: Customer(number=one, name=f"Company {one}") for one in numbers}

    async def of_orders(self, orders: Sequence[str], /, *, call: Call) -> dict[str, Any]:
        _ = call
        return {one: self._shipments[one] for one in orders}

    async def track(self, parcels: Sequence[Any], /, *, call: Call) -> dict[Any, Tracking]:
        _ = call
        return dict.fromkeys(parcels, TRACKING)

    def ports(self) -> Ports:
        every: Any = self
        return Ports(
            catalog=every,
            pricing=every,
            stock=every,
            orders=every,
            shipments=every,
            customers=every,
            tracking={"dhl": every},
        )


@dataclass
class Gateway:
    """Documents and an engine over systems in memory, without HTTP, access and caches."""

    systems: Systems
    planned: bool = True

    def __post_init__(self) -> None:
        core = schema()._schema  # noqa: SLF001 - the engine takes graphql-core's
        self.plans = Plans(core) if self.planned else None
        self._ports = self.systems.ports()
        self._engine = StockEngine(core, Documents(core), plans=self.plans)

    async def ask(self, query: str, variables: dict[str, object] | None = None) -> Answer:
        call = Call(BUYER, "en", time.monotonic() + 60)
        context = Context(call, self._ports, lambda code: code, list, page_cap=100_000)
        try:
            request = GraphQLRequest(query, variables, None, None)
            return await self._engine.execute(request, context=context, method="POST")
        finally:
            await context.aclose()
