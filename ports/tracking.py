"""Where a parcel is, asked from its carrier."""

from collections.abc import Sequence
from datetime import datetime
from enum import Enum
from typing import Protocol

import msgspec

from ports.caller import Call
from ports.common import Answers, Freshness
from ports.operation import batch


class ShipmentStatus(Enum):
    PREPARING = "PREPARING"
    HANDED_OVER = "HANDED_OVER"
    IN_TRANSIT = "IN_TRANSIT"
    CUSTOMS = "CUSTOMS"
    OUT_FOR_DELIVERY = "OUT_FOR_DELIVERY"
    AVAILABLE_FOR_PICKUP = "AVAILABLE_FOR_PICKUP"
    DELIVERED = "DELIVERED"
    EXCEPTION = "EXCEPTION"
    RETURNED = "RETURNED"
    UNKNOWN = "UNKNOWN"


class TrackingEvent(msgspec.Struct, frozen=True, gc=False):
    at: datetime
    status: ShipmentStatus
    description: str
    location: str | None = None
    country: str | None = None


class Tracking(msgspec.Struct, frozen=True, gc=False):
    """`events` newest first. `has_proof` tells that the carrier holds a proof of delivery."""

    status: ShipmentStatus
    source_status: str
    freshness: Freshness
    tracking_url: str | None = None
    estimated_delivery: datetime | None = None
    delivered_at: datetime | None = None
    signed_by: str | None = None
    parcels: int | None = None
    events: tuple[TrackingEvent, ...] = ()
    has_proof: bool = False


class Parcel(msgspec.Struct, frozen=True, gc=False, cache_hash=True):
    """`carrier` is the lower-case carrier code; `postal_code` the recipient's, where known."""

    carrier: str
    number: str
    postal_code: str | None = None


class CarrierTracking(Protocol):
    """A number that the carrier does not know is absent; numbers fail one by one."""

    @batch(varies_on=("language",), max_age=120, stale_if_error=86_400)
    async def track(
        self, parcels: Sequence[Parcel], /, *, call: Call
    ) -> Answers[Parcel, Tracking]: ...
