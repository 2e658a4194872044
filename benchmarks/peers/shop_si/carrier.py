"""Parcels of all carriers, from the mock's one tracking service."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from ports.caller import Call
from ports.common import Freshness, SystemName
from ports.tracking import CarrierTracking, Parcel, ShipmentStatus, Tracking, TrackingEvent
from shop_si.client import ShopClient, ShopConfig, limits, listed
from upstream.connector import Connector, Manifest, Upstream

_CHECK = Parcel("shop", "T00000000")
_STATUS = ShipmentStatus.__members__


class ShopEvent(TrackingEvent, frozen=True, gc=False, kw_only=True):
    """Bytes are decoded into this. The service's codes are its own, and so tell no status."""

    at: datetime
    description: str = msgspec.field(name="code")
    location: str | None = msgspec.field(default=None, name="place")
    status: ShipmentStatus = ShipmentStatus.UNKNOWN


class _Row(msgspec.Struct, frozen=True, gc=False):
    tracking: str
    status: str
    events: list[ShopEvent]


_ROWS = msgspec.json.Decoder(list[_Row])


class Carrier:
    manifest = Manifest(
        name="shop-carrier",
        title="The mock's carriers",
        system=SystemName.CARRIER,
        ports=("tracking",),
        connector="shop_si:Carrier",
        config="shop_si:ShopConfig",
        operations=limits("tracking.track"),
    )

    def __init__(self, upstream: Upstream, config: ShopConfig) -> None:
        self._upstream = upstream
        self._client = ShopClient(upstream, config)

    def ports(self) -> Mapping[str, object]:
        return {"tracking": self}

    async def check(self, *, call: Call) -> None:
        await self.track([_CHECK], call=call)

    async def aclose(self) -> None:
        await self._client.aclose()

    async def track(self, parcels: Sequence[Parcel], /, *, call: Call) -> dict[Parcel, Tracking]:
        if not (keys := listed([parcel.number for parcel in parcels])):
            return {}
        path = f"/carrier/shipments?trackings={keys}"
        rows = await self._client.read("tracking.track", path, _ROWS, call=call)
        now = self._upstream.read_now()
        found = {row.tracking: _tracking(row, now) for row in rows}
        return {parcel: found[parcel.number] for parcel in parcels if parcel.number in found}


def _tracking(row: _Row, now: Freshness) -> Tracking:
    status = _STATUS.get(row.status, ShipmentStatus.UNKNOWN)
    return Tracking(status, row.status, now, events=tuple(row.events[::-1]))


if TYPE_CHECKING:

    def _serves(carrier: Carrier) -> tuple[CarrierTracking, Connector]:
        return carrier, carrier
