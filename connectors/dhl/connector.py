"""The tracking port on DHL: each parcel its own call, all of them side by side."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import msgspec

from connectors.dhl import diagnosis
from connectors.dhl.client import DhlClient
from connectors.dhl.config import DhlConfig
from connectors.dhl.mapping import Reading, tracking
from ports.caller import Call
from ports.common import Answers
from ports.errors import UpstreamError
from ports.tracking import CarrierTracking, Parcel, Tracking
from upstream.connector import Connector, Upstream
from upstream.diagnosis import Diagnosed, Finding

_OPERATION = "tracking.track"
# DHL's longest numbers have 39 characters; nothing longer is worth a call of the day's quota.
_LONGEST_NUMBER = 60
# Ends a parcel's call a moment before the whole operation's, so that a slow one fails alone.
_SLACK_SECONDS = 0.1
# The number of DHL's own examples: an answer, whichever, proves address and key.
_EXAMPLE = Parcel("dhl", "7777777770")


class Dhl:
    """Serves `ports.tracking.CarrierTracking`."""

    def __init__(self, upstream: Upstream, config: DhlConfig) -> None:
        self._upstream = upstream
        self._config = config
        self._zone = ZoneInfo(config.time_zone)
        self._client = DhlClient(upstream, config)

    def ports(self) -> Mapping[str, object]:
        return {"tracking": self}

    async def check(self, *, call: Call) -> None:
        await self._client.shipments(_EXAMPLE, "check", call=call)

    async def diagnose(self, *, call: Call) -> Sequence[Finding]:
        _ = call  # DHL is not asked
        return diagnosis.diagnose(self._config)

    async def aclose(self) -> None:
        await self._client.aclose()

    async def track(self, parcels: Sequence[Parcel], /, *, call: Call) -> Answers[Parcel, Tracking]:
        own = msgspec.structs.replace(call, deadline=call.deadline - _SLACK_SECONDS)
        answers = await asyncio.gather(*(self._one(parcel, own) for parcel in parcels))
        return {
            parcel: answer
            for parcel, answer in zip(parcels, answers, strict=True)
            if answer is not None
        }

    async def _one(self, parcel: Parcel, call: Call) -> Tracking | UpstreamError | None:
        number = "".join(parcel.number.split())
        if not number or len(number) > _LONGEST_NUMBER or not number.isprintable():
            return None
        asked = Parcel(parcel.carrier, number, parcel.postal_code)
        try:
            found = await self._client.shipments(asked, _OPERATION, call=call)
        except UpstreamError as error:
            return error
        return tracking(asked, found, Reading(self._zone, self._upstream.read_now()))


if TYPE_CHECKING:
    _connector: type[Connector] = Dhl
    _diagnosed: type[Diagnosed] = Dhl
    _port: type[CarrierTracking] = Dhl
