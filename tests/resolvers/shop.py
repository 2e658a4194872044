"""A tiny shop on in-memory ports: two companies, so that what belongs to the other can be tried."""

import time
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from gateway.execution.answer import Answer
from gateway.execution.engine import StockEngine
from gateway.execution.plans import Plans
from gateway.operations.documents import Documents
from gateway.operations.request import GraphQLRequest
from ports.caller import Call, Caller, CallerKind
from ports.catalog import (
    Attribute,
    Category,
    Media,
    Product,
    ProductModel,
    ProductRelationKind,
    Relation,
)
from ports.common import ExternalReference, Freshness, Money, SystemName
from ports.customers import Contact, Customer, Preference
from ports.errors import UnavailableError
from ports.invoices import Invoice, InvoiceKind, InvoiceStatus
from ports.orders import Order, OrderLine, OrderStatus
from ports.shipments import Carrier, Shipment, ShipmentLine
from ports.stock import Availability, AvailabilityStatus
from ports.systems import Latency, System, SystemStatus
from ports.tracking import ShipmentStatus, Tracking
from resolvers.context import Context, Ports
from schema.build import schema
from tests.contracts.fakes.accounts import FakeAccounts
from tests.contracts.fakes.catalog import FakeCatalog
from tests.contracts.fakes.customers import FakeCustomers
from tests.contracts.fakes.invoices import FakeInvoices
from tests.contracts.fakes.orders import FakeOrders
from tests.contracts.fakes.pricing import FakePricing
from tests.contracts.fakes.shipments import FakeShipments
from tests.contracts.fakes.sparing import Sparing
from tests.contracts.fakes.stock import FakeStock
from tests.contracts.fakes.tracking import FakeTracking

CORE = schema()._schema
PLANS = Plans(CORE)
DOCUMENTS = Documents(CORE)

NOW = datetime(2026, 11, 1, 9, 30, tzinfo=UTC)
EVERYTHING = frozenset(
    "catalog:read prices:read stock:read customers:read orders:read invoices:read systems:read "
    "customers:act-for".split()
)
OURS = Caller(
    "jo",
    CallerKind.USER,
    customer="A",
    customers=frozenset({"A"}),
    scopes=EVERYTHING,
    name="Jo",
    email="jo@a.example",
)


def eur(amount: str) -> Money:
    return Money(Decimal(amount), "EUR")


def fresh(system: SystemName) -> Freshness:
    return Freshness(system, system.value.lower(), NOW)


def product(sku: str, **more: Any) -> Product:
    return Product(sku=sku, reference=f"uuid-{sku}", name=f"Name of {sku}", enabled=True, **more)


def order(number: str, customer: str, status: OrderStatus, *skus: str) -> Order:
    lines = tuple(
        OrderLine(i, f"Line {i}", Decimal(2), eur("5"), eur("10"), Decimal(0), sku=sku or None)
        for i, sku in enumerate(skus, 1)
    )
    return Order(
        number=number,
        status=status,
        source_status="sale",
        placed_at=NOW,
        subtotal=eur("10"),
        tax=eur("2"),
        total=eur("12"),
        customer=customer,
        lines=lines,
    )


def shipment(key: str, order: str, customer: str, tracking: str | None) -> Shipment:
    return Shipment(
        key=key,
        number=key,
        order=order,
        customer=customer,
        tracking_number=tracking,
        carrier=Carrier("dhl", "DHL") if tracking else None,
        lines=(ShipmentLine("BOLT", Decimal(2)),),
    )


def invoice(number: str, order: str, customer: str) -> Invoice:
    return Invoice(
        number=number,
        kind=InvoiceKind.INVOICE,
        status=InvoiceStatus.OPEN,
        issued_on=date(2026, 10, 1),
        total=eur("12"),
        balance=eur("12"),
        customer=customer,
        order=order,
    )


def tracking(status: ShipmentStatus) -> Tracking:
    return Tracking(status, status.value.lower(), fresh(SystemName.CARRIER))


def customer(number: str) -> Customer:
    return Customer(
        number=number,
        name=f"Company {number}",
        representative="rep",
        preferences=(Preference("newsletter", "yes"),),
        references=(ExternalReference(SystemName.CRM, "crm", number),),
    )


def available(status: AvailabilityStatus, quantity: str) -> Availability:
    return Availability(status, Decimal(quantity), fresh(SystemName.ERP))


BOLT = product(
    "BOLT",
    categories=("bolts", "gone"),
    model="BOLTS",
    attributes=(Attribute("d", "Diameter", "8 mm", raw=8), Attribute("l", "Length", "40 mm")),
    images=(Media("a/bolt.png", title="A bolt"),),
    documents=(Media("a/sheet.pdf", role="datasheet"), Media("a/x.txt", title="X", role="odd")),
    relations=(
        Relation(ProductRelationKind.CROSS_SELL, ("uuid-NUT", "uuid-GONE")),
        Relation(ProductRelationKind.PACK, ("uuid-NUT", "uuid-WASHER")),
    ),
)


@dataclass
class Shop:
    """The ports, each a fake that counts and can be made to fail.

    They answer no more of their records than is wanted of them.
    """

    catalog: FakeCatalog = field(
        default_factory=lambda: FakeCatalog(
            products=[BOLT, product("NUT", categories=("bolts",)), product("WASHER")],
            categories=[Category("root", "Root"), Category("bolts", "Bolts", parent="root")],
            models=[ProductModel("BOLTS", "Bolts of all sizes", ("Size",))],
        )
    )
    pricing: FakePricing = field(
        default_factory=lambda: FakePricing(
            {
                "BOLT": {1: "0.50", 100: "0.40"},
                "NUT": {1: "0.10"},
            },
            customers=["A"],
        )
    )
    stock: FakeStock = field(
        default_factory=lambda: FakeStock(
            {
                "BOLT": available(AvailabilityStatus.IN_STOCK, "250"),
                "NUT": available(AvailabilityStatus.MADE_TO_ORDER, "0"),
                "WASHER": available(AvailabilityStatus.DISCONTINUED, "3"),
            }
        )
    )
    accounts: FakeAccounts = field(default_factory=lambda: FakeAccounts({}))
    orders: FakeOrders = field(
        default_factory=lambda: FakeOrders(
            [
                order("A1", "A", OrderStatus.SHIPPED, "BOLT", "NUT", ""),
                order("A2", "A", OrderStatus.CONFIRMED, "BOLT"),
                order("A3", "A", OrderStatus.SHIPPED, "NUT"),
                order("B1", "B", OrderStatus.SHIPPED, "BOLT"),
            ]
        )
    )
    invoices: FakeInvoices = field(
        default_factory=lambda: FakeInvoices([invoice("IA", "A1", "A"), invoice("IB", "B1", "B")])
    )
    shipments: FakeShipments = field(
        default_factory=lambda: FakeShipments(
            [
                shipment("OUT1", "A1", "A", "T1"),
                shipment("OUT3", "A3", "A", "T3"),
                shipment("OUT4", "A3", "A", None),
                shipment("OUTB", "B1", "B", "TB"),
            ]
        )
    )
    customers: FakeCustomers = field(
        default_factory=lambda: FakeCustomers(
            customers=[customer("A"), customer("B")],
            contacts={"A": (Contact("1", "Ann"),)},
            representatives={"rep": Contact("rep", "Rea")},
        )
    )
    tracking: FakeTracking = field(
        default_factory=lambda: FakeTracking(
            {
                "T1": tracking(ShipmentStatus.DELIVERED),
                "T3": tracking(ShipmentStatus.DELIVERED),
                "TB": tracking(ShipmentStatus.DELIVERED),
            }
        )
    )
    without: frozenset[str] = frozenset()
    planned: bool = True

    def ports(self) -> Ports:
        roles = {
            role: None if role in self.without else Sparing(getattr(self, role))
            for role in (
                "catalog",
                "pricing",
                "stock",
                "accounts",
                "orders",
                "invoices",
                "shipments",
                "customers",
            )
        }
        carriers = {} if "tracking" in self.without else {"dhl": self.tracking}
        return Ports(**roles, tracking=carriers)

    async def ask(
        self,
        query: str,
        variables: dict[str, object] | None = None,
        caller: Caller = OURS,
        seconds: float = 5,
    ) -> Answer:
        call = Call(caller, "en", time.monotonic() + seconds, request_id="req")
        context = Context(call, self.ports(), lambda code: f"https://shop/{code}", lambda: [SYSTEM])
        request = GraphQLRequest(query, variables, None, None)
        try:
            engine = StockEngine(CORE, DOCUMENTS, plans=PLANS if self.planned else None)
            return await engine.execute(request, context=context, method="POST")
        finally:
            await context.aclose()

    async def data(
        self, query: str, variables: dict[str, object] | None = None, caller: Caller = OURS
    ) -> Any:
        """The data of a query that must have no error."""
        answer = await self.ask(query, variables, caller)
        assert answer.errors == []
        return answer.data and dict(answer.data)


def errors(answer: Answer) -> list[tuple[list[object], str]]:
    """Path and code of each error."""
    return [(one.get("path"), one["extensions"]["code"]) for one in answer.errors]  # type: ignore[index, misc]


def down(system: str) -> UnavailableError:
    return UnavailableError(system=system, upstream=system.lower(), operation="test")


SYSTEM = System(
    name=SystemName.ERP,
    upstream="erp",
    connector="odoo",
    status=SystemStatus.UP,
    since=NOW,
    latency=Latency(1.0, 2.0, 3.0),
    error_rate=0.0,
    roles=("pricing", "stock"),
)
