"""Orders, from the ERP."""

from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

import strawberry

from ports import orders
from ports.orders import OrderStatus
from resolvers import connection
from resolvers import order as resolve
from resolvers.later import not_configured
from schema.common import (
    ID,
    Address,
    ExternalReference,
    Money,
    PageInfo,
    cursor_field,
    edges_field,
    global_id,
    nodes_field,
    page_info_field,
)
from schema.directives import CRM, ERP, OMS, PAYMENT, PIM, reusable
from schema.fields import Node, batched, plain, view
from schema.payment import Payment
from schema.product import Product

if TYPE_CHECKING:
    from schema.customer import Customer
    from schema.invoice import Invoice
    from schema.returns import Return
    from schema.shipment import Shipment


@view(orders.OrderLine, "One line of an order.")
class OrderLine:
    position: int = plain("Its place in the order, from 1.")
    sku: str | None = plain("The article number; null for a free line.")
    description: str = plain("The line's text.")
    quantity: Decimal = plain("What was ordered, in `unit`.")
    unit: str | None = plain("The ERP's unit of sale.")
    unit_price: Money = plain("Net price of one unit, before `discountPercent`.")
    discount_percent: Decimal | None = plain("The line's discount: 5 means 5 %.")
    total: Money = plain("Net, after discount.")
    quantity_shipped: Decimal = plain("What of it has left.")
    quantity_invoiced: Decimal | None = plain("What of it is invoiced.")
    expected_ship_date: date | None = plain("When the rest is expected to leave.")
    product: Product | None = batched(
        resolve.line_product,
        "The product, as the PIM has it today.",
        role="catalog",
        directives=[PIM],
    )


@view(
    orders.Order,
    "An order in the ERP.",
    keys=["id", "number"],
    directives=[ERP, reusable(15, 600, private=True)],
)
class Order(Node):
    id: ID = global_id("Order", "number")
    number: str = plain("The ERP's order number.")
    purchase_order_number: str | None = plain("The buyer's own purchase order number.")
    status: OrderStatus = batched(
        resolve.status, "How far the order is.", role="orders", reads=("number", "status")
    )
    source_status: str = plain("The word that the ERP itself uses.")
    placed_at: datetime = plain("When it was placed.")
    updated_at: datetime | None = plain("When the ERP last changed it.")
    references: list[ExternalReference] = plain("Its keys in the systems.")
    lines: list[OrderLine] = plain("What was ordered.")
    subtotal: Money = plain("Net, all lines and shipping.")
    shipping_cost: Money | None = plain("What of it is for shipping, where told apart.")
    tax: Money = plain("The tax on `subtotal`.")
    total: Money = plain("With tax.")
    billing_address: Address | None = plain("Where the invoice goes.")
    shipping_address: Address | None = plain("Where the goods go.")
    requested_delivery_date: date | None = plain("The day that the buyer asked for.")
    customer: Annotated["Customer", strawberry.lazy("schema.customer")] | None = batched(
        resolve.customer,
        "The company that ordered.",
        role="customers",
        reads=("customer",),
        directives=[CRM],
    )
    shipments: list[Annotated["Shipment", strawberry.lazy("schema.shipment")]] | None = batched(
        resolve.shipments,
        "Its deliveries, oldest first.",
        role="shipments",
        reads=("number",),
        directives=[ERP],
    )
    invoices: list[Annotated["Invoice", strawberry.lazy("schema.invoice")]] | None = batched(
        resolve.invoices,
        "Its invoices and credit notes.",
        role="invoices",
        reads=("number",),
        directives=[ERP],
    )
    payments: list[Payment] | None = batched(
        not_configured("payments"),
        "Its payments.",
        role="payments",
        reads=(),
        directives=[PAYMENT],
    )
    returns: list[Annotated["Return", strawberry.lazy("schema.returns")]] | None = batched(
        not_configured("returns"),
        "Its returns.",
        role="returns",
        reads=(),
        directives=[OMS],
    )


@view(connection.Edge, "An order in its list.")
class OrderEdge:
    node: Order = plain("The order.")
    cursor: str = cursor_field()


@view(connection.Connection, "A page of orders.")
class OrderConnection:
    edges: list[OrderEdge] = edges_field()
    nodes: list[Order] = nodes_field()
    page_info: PageInfo = page_info_field()
    total_count: int | None = batched(
        connection.total_count, "How many there are in all; null where the ERP does not tell."
    )
