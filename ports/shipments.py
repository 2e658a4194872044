"""Deliveries, asked from the ERP; where they are now is the carrier's to say (`ports.tracking`)."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Protocol

import msgspec

from ports.caller import Call
from ports.common import Answers, ExternalReference
from ports.operation import batch


class ShipmentLine(msgspec.Struct, frozen=True, gc=False):
    sku: str
    quantity: Decimal


class Carrier(msgspec.Struct, frozen=True, gc=False):
    """`code` is lower case (`dhl`, `ups`): the key under which `[roles.tracking]` names upstreams."""

    code: str
    name: str


class Shipment(msgspec.Struct, frozen=True, gc=False):
    """`key` is the ERP's delivery number, unique; `customer` and `order` are numbers."""

    key: str
    customer: str | None
    order: str | None = None
    number: str | None = None
    tracking_number: str | None = None
    carrier: Carrier | None = None
    service: str | None = None
    shipped_at: datetime | None = None
    references: tuple[ExternalReference, ...] = ()
    lines: tuple[ShipmentLine, ...] = ()
    postal_code: str | None = None
    "Where it goes; carriers unlock details to those who know it."


class Shipments(Protocol):
    """A key that the system does not know is absent."""

    @batch(varies_on=(), max_age=60, stale_if_error=3_600)
    async def shipments(self, keys: Sequence[str], /, *, call: Call) -> Answers[str, Shipment]: ...

    @batch(varies_on=(), max_age=60, stale_if_error=3_600)
    async def tracked(
        self, tracking_numbers: Sequence[str], /, *, call: Call
    ) -> Answers[str, Shipment]: ...

    @batch(varies_on=(), max_age=60, stale_if_error=3_600)
    async def of_orders(
        self, orders: Sequence[str], /, *, call: Call
    ) -> Answers[str, tuple[Shipment, ...]]:
        """Outgoing deliveries of each order number, oldest first; none gives an empty tuple."""
        ...
