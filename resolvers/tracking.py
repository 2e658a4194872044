"""Where parcels are, each asked from its own carrier, all at the same time."""

from collections import defaultdict
from collections.abc import Container, Sequence
from typing import Any

from ports.common import Answers
from ports.shipments import Shipment
from ports.tracking import Parcel, Tracking
from resolvers.context import Context
from resolvers.loading import Found


async def tracked(shipments: Sequence[Shipment], *, ctx: Context) -> list[Found[Tracking]]:
    """None for what has no tracking number or goes by a carrier that is not configured."""
    carriers = ctx.carriers
    parcels = [_parcel(shipment, carriers) for shipment in shipments]
    codes = {None if parcel is None else parcel.carrier for parcel in parcels}
    if len(codes) == 1 and (only := codes.pop()) is not None:
        told: list[Found[Tracking]] = await _loader(only, ctx).many(parcels)
        return told
    asked: dict[str, list[Parcel]] = defaultdict(list)
    for parcel in parcels:
        if parcel is not None:
            asked[parcel.carrier].append(parcel)
    # Every carrier's loader is asked before any is awaited, so that none waits for another.
    for code, kept in asked.items():
        _loader(code, ctx).start(kept)
    found: dict[Parcel, Found[Tracking]] = {}
    for code, kept in asked.items():
        found.update(zip(kept, await _loader(code, ctx).many(kept), strict=True))
    return [None if parcel is None else found[parcel] for parcel in parcels]


def _parcel(shipment: Shipment, carriers: Container[str]) -> Parcel | None:
    if shipment.carrier is None or shipment.tracking_number is None:
        return None
    if shipment.carrier.code not in carriers:
        return None
    return Parcel(shipment.carrier.code, shipment.tracking_number, shipment.postal_code)


def _loader(code: str, ctx: Context) -> Any:
    port = ctx.carriers[code]

    async def ask(parcels: "Sequence[Parcel]") -> "Answers[Parcel, Tracking]":
        return await port.track(parcels, call=ctx.call)

    return ctx.loader_of(("tracking", code), ask, "tracking.track")


async def proof_of_delivery(trackings: Sequence[Tracking], *, ctx: Context) -> list[None]:
    """None until a document store or a carrier that gives files is connected."""
    _ = ctx
    return [None for _ in trackings]
