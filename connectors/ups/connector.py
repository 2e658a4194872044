"""The tracking port on UPS: each parcel its own call, all of them side by side."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

from connectors.ups import diagnosis
from connectors.ups.client import UpsClient
from connectors.ups.config import UpsConfig
from connectors.ups.mapping import tracking
from ports.caller import Call
from ports.common import Answers
from ports.errors import UpstreamError
from ports.tracking import CarrierTracking, Parcel, Tracking
from upstream.connector import Connector, Upstream
from upstream.diagnosis import Diagnosed, Finding

_OPERATION = "tracking.track"
# What UPS takes for an inquiry number; anything else it cannot know.
_NUMBER = re.compile(r"[0-9A-Za-z]{7,34}")
# Ends a parcel's call a moment before the whole operation's, so that a slow one fails alone.
_SLACK_SECONDS = 0.1
# A number of UPS's own examples: an answer, whichever, proves address and credentials.
_EXAMPLE = "1Z12345E0205271688"


class Ups:
    """Serves `ports.tracking.CarrierTracking`."""

    def __init__(self, upstream: Upstream, config: UpsConfig) -> None:
        self._upstream = upstream
        self._config = config
        self._client = UpsClient(upstream, config)

    def ports(self) -> Mapping[str, object]:
        return {"tracking": self}

    async def check(self, *, call: Call) -> None:
        await self._client.packages(_EXAMPLE, "check", call=call)

    async def diagnose(self, *, call: Call) -> Sequence[Finding]:
        return await diagnosis.diagnose(self._upstream, self._config, call=call)

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
        if not _NUMBER.fullmatch(number):
            return None
        try:
            found = await self._client.packages(number, _OPERATION, call=call)
        except UpstreamError as error:
            return error
        return tracking(number, found, self._upstream.read_now())


if TYPE_CHECKING:
    _connector: type[Connector] = Ups
    _diagnosed: type[Diagnosed] = Ups
    _port: type[CarrierTracking] = Ups
