"""Parcels and their way, as a carrier sees it."""

from datetime import datetime, timedelta
from random import Random

from sandbox.seed.fates import Carrier, Plan
from sandbox.world import Delivery, Parcel, ParcelEvent, PostalAddress

_HUBS = {
    "FR": ("Lyon", "Paris-Roissy"), "DE": ("Lyon", "Leipzig"), "BE": ("Lyon", "Bruxelles"),
    "IT": ("Lyon", "Milano"), "ES": ("Lyon", "Barcelona"), "NL": ("Lyon", "Eindhoven"),
    "CH": ("Lyon", "Basel"), "GB": ("Lyon", "East Midlands"),
}  # fmt: skip
_TEXTS = {
    "announced": "Shipment information received",
    "handed_over": "Picked up from the sender",
    "transit": "Processed at the sorting centre",
    "customs": "Clearance in progress",
    "out_for_delivery": "Out for delivery",
    "pickup_point": "Ready for collection at the access point",
    "delivered": "Delivered",
    "exception": "Delivery attempted, recipient absent",
    "returned": "Returned to the sender",
}
_HOURS = {
    "announced": -5, "handed_over": 0, "transit": 8, "customs": 18, "out_for_delivery": 31,
    "pickup_point": 36, "delivered": 34, "exception": 35, "returned": 190,
}  # fmt: skip
_WAYS = {
    "announced": ("announced",),
    "handed_over": ("announced", "handed_over"),
    "transit": ("announced", "handed_over", "transit", "transit"),
    "customs": ("announced", "handed_over", "transit", "customs"),
    "out_for_delivery": ("announced", "handed_over", "transit", "transit", "out_for_delivery"),
    "pickup_point": ("announced", "handed_over", "transit", "out_for_delivery", "pickup_point"),
    "delivered": ("announced", "handed_over", "transit", "transit", "out_for_delivery",
                  "delivered"),
    "exception": ("announced", "handed_over", "transit", "out_for_delivery", "exception"),
    "returned": ("announced", "handed_over", "transit", "exception", "transit", "returned"),
}  # fmt: skip
_SUMMER = range(4, 11)


def number(carrier: Carrier, serial: int) -> str:
    """A tracking number of the carrier's form: DHL 10, 12 or 20 digits, UPS `1Z` with check digit."""
    if carrier == "ups":
        digits = f"A4R97168{10_000_000 + serial * 7919 % 89_999_999:08d}"[:15]
        return f"1Z{digits}{_ups_check(digits)}"
    scrambled = serial * 104_729
    if serial % 5 == 0:
        return f"{4_000_000_000 + scrambled % 999_999_999:010d}"
    if serial % 5 == 1:
        return f"7{scrambled % 99_999_999_999:011d}"
    return f"00340434{161_000_000_000 + scrambled:012d}"


def _ups_check(digits: str) -> int:
    values = [int(c) if c.isdigit() else (ord(c) - 63) % 10 for c in digits]
    return -(sum(values[::2]) + 2 * sum(values[1::2])) % 10


def parcel(delivery: Delivery, plan: Plan, to: PostalAddress, now: datetime, rng: Random) -> Parcel:
    """The parcel of a done delivery, up to the stage its plan tells."""
    handed = delivery.done or delivery.scheduled
    events = _events(handed, plan.stage, to, now)
    last = events[-1]
    done = last.stage in {"delivered", "returned"}
    contact = plan.company.contacts[delivery.id % len(plan.company.contacts)]
    noon = (last.at + timedelta(days=1)).replace(hour=12, minute=0, second=0)
    return Parcel(
        number=delivery.tracking_number or "",
        carrier="ups" if delivery.carrier == "ups" else "dhl",
        delivery=delivery.id,
        events=events,
        pieces=rng.choice((1, 1, 1, 2, 3)),
        estimated=None if done else noon,
        signed_by=contact.last_name.upper() if last.stage == "delivered" else None,
        origin_country="FR",
        destination_country=to.country,
        destination_zip=to.zip,
    )


def _events(
    handed: datetime, stage: str, to: PostalAddress, now: datetime
) -> tuple[ParcelEvent, ...]:
    way = _WAYS[stage]
    if to.country in {"CH", "GB"} and stage in {"delivered", "out_for_delivery"}:
        way = (*way[:4], "customs", *way[4:])
    hours = [float(_HOURS[step]) for step in way]
    hours = [max(hours[: place + 1]) + place / 2 for place in range(len(hours))]
    # What a recent parcel has lived through must fit between its pick-up and now.
    lived = (now - handed).total_seconds() / 3600 - 0.5
    factor = min(1.0, lived / hours[-1]) if hours[-1] > 0 else 1.0
    return tuple(
        _event(step, handed + timedelta(minutes=round(60 * hour * factor)), to, place)
        for place, (step, hour) in enumerate(zip(way, hours, strict=True))
    )


def _event(step: str, at: datetime, to: PostalAddress, place: int) -> ParcelEvent:
    start, hub = _HUBS[to.country]
    near = step in {"announced", "handed_over", "returned"} or (step == "transit" and place < 3)  # noqa: PLR2004
    city = start if near else hub if step in {"transit", "customs"} else to.city
    country = "FR" if near else to.country
    offset = (60 if at.month in _SUMMER else 0) + (0 if country == "GB" else 60)
    return ParcelEvent(at, offset, step, city, country, _TEXTS[step])  # type: ignore[arg-type]
