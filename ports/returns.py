"""Returns, asked from the OMS. No connector serves this role yet."""

from datetime import datetime
from decimal import Decimal
from enum import Enum

import msgspec

from ports.common import Money


class ReturnStatus(Enum):
    REQUESTED = "REQUESTED"
    APPROVED = "APPROVED"
    REJECTED = "REJECTED"
    IN_TRANSIT = "IN_TRANSIT"
    RECEIVED = "RECEIVED"
    REFUNDED = "REFUNDED"
    CLOSED = "CLOSED"


class ReturnLine(msgspec.Struct, frozen=True, gc=False):
    sku: str
    quantity: Decimal
    reason: str | None = None
    condition: str | None = None


class Return(msgspec.Struct, frozen=True, gc=False):
    """`customer` and `order` are numbers, `shipment` a `Shipment.key`."""

    number: str
    status: ReturnStatus
    source_status: str
    requested_at: datetime
    customer: str | None
    lines: tuple[ReturnLine, ...] = ()
    refund: Money | None = None
    order: str | None = None
    shipment: str | None = None
