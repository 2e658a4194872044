"""Stock per warehouse and what is coming in."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Protocol

import msgspec

from ports.caller import Call
from ports.common import Answers, Freshness
from ports.operation import batch


class AvailabilityStatus(Enum):
    IN_STOCK = "IN_STOCK"
    LOW_STOCK = "LOW_STOCK"
    BACKORDER = "BACKORDER"
    MADE_TO_ORDER = "MADE_TO_ORDER"
    OUT_OF_STOCK = "OUT_OF_STOCK"
    DISCONTINUED = "DISCONTINUED"
    UNKNOWN = "UNKNOWN"


class Warehouse(msgspec.Struct, frozen=True, gc=False):
    code: str
    name: str
    country: str | None = None


class IncomingStock(msgspec.Struct, frozen=True, gc=False):
    quantity: Decimal
    expected_on: date


class StockLevel(msgspec.Struct, frozen=True, gc=False):
    warehouse: Warehouse
    on_hand: Decimal
    reserved: Decimal
    available: Decimal
    incoming: tuple[IncomingStock, ...] = ()


class Availability(msgspec.Struct, frozen=True, gc=False):
    """`available` is the sum over `locations` of what is neither sold nor reserved."""

    status: AvailabilityStatus
    available: Decimal
    freshness: Freshness
    unit: str | None = None
    locations: tuple[StockLevel, ...] = ()
    lead_time_days: int | None = None


class Stock(Protocol):
    """A SKU that the system does not know is absent."""

    @batch(varies_on=(), max_age=10, stale_if_error=300)
    async def availability(
        self, skus: Sequence[str], /, *, call: Call
    ) -> Answers[str, Availability]: ...
