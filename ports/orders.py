"""Orders, asked from the ERP."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Protocol

import msgspec

from ports.caller import Call
from ports.common import Address, Answers, ExternalReference, Money, Page, PageRequest
from ports.operation import batch, single


class OrderStatus(Enum):
    DRAFT = "DRAFT"
    SUBMITTED = "SUBMITTED"
    CONFIRMED = "CONFIRMED"
    PROCESSING = "PROCESSING"
    PARTIALLY_SHIPPED = "PARTIALLY_SHIPPED"
    SHIPPED = "SHIPPED"
    DELIVERED = "DELIVERED"
    CANCELLED = "CANCELLED"
    ON_HOLD = "ON_HOLD"
    UNKNOWN = "UNKNOWN"


class OrderLine(msgspec.Struct, frozen=True, gc=False):
    """`sku` None: a free line (a service, a text the ERP charges for)."""

    position: int
    description: str
    quantity: Decimal
    unit_price: Money
    total: Money
    quantity_shipped: Decimal
    sku: str | None = None
    unit: str | None = None
    discount_percent: Decimal | None = None
    quantity_invoiced: Decimal | None = None
    expected_ship_date: date | None = None


class Order(msgspec.Struct, frozen=True, gc=False):
    """`customer` is the company's number. `status` is what the ERP alone can tell.

    A fully shipped order is SHIPPED here; DELIVERED follows from its parcels, see
    `resolvers.order`, unless the ERP knows it of itself.
    """

    number: str
    status: OrderStatus
    source_status: str
    placed_at: datetime
    subtotal: Money
    tax: Money
    total: Money
    customer: str | None
    purchase_order_number: str | None = None
    updated_at: datetime | None = None
    references: tuple[ExternalReference, ...] = ()
    lines: tuple[OrderLine, ...] = ()
    shipping_cost: Money | None = None
    billing_address: Address | None = None
    shipping_address: Address | None = None
    requested_delivery_date: date | None = None


class OrderQuery(msgspec.Struct, frozen=True, gc=False):
    """`customers` None: every company's. None elsewhere: not restricted by this.

    `search` looks in the order number, the buyer's own number and the lines' SKUs and texts.
    """

    customers: tuple[str, ...] | None
    status: tuple[OrderStatus, ...] | None = None
    placed_after: datetime | None = None
    placed_before: datetime | None = None
    purchase_order_number: str | None = None
    sku: str | None = None
    search: str | None = None


class Orders(Protocol):
    """Newest first. An order number that the system does not know is absent."""

    @batch(varies_on=(), max_age=15, stale_if_error=600)
    async def orders(self, numbers: Sequence[str], /, *, call: Call) -> Answers[str, Order]: ...

    @single(varies_on=(), max_age=15, stale_if_error=600)
    async def search(self, query: OrderQuery, page: PageRequest, /, *, call: Call) -> Page[Order]:
        """A status DELIVERED in the query also finds what is SHIPPED, since parcels decide.

        Raises BadInputError for a cursor that this operation did not give.
        """
        ...
