"""UPS's packages as the records of `ports.tracking`."""

from datetime import UTC, datetime, timezone
from urllib.parse import quote

from connectors.ups.client import Activity, DeliveryInformation, Location, Package
from connectors.ups.moments import happened_at, offset_of, on_day
from connectors.ups.words import status_of, word_of
from ports.common import Freshness
from ports.tracking import ShipmentStatus, Tracking, TrackingEvent

_PUBLIC_PAGE = "https://www.ups.com/track?tracknum="
# The rescheduled day holds more than the one first planned.
_PLANNED = ("RDD", "SDD")
_WINDOWS = frozenset({"EDW", "CDW", "IDW", "CMT"})


def tracking(number: str, packages: list[Package], freshness: Freshness) -> Tracking | None:
    """None when there is no package; of several the one that bears the number itself."""
    if not packages:
        return None
    own = [one for one in packages if (one.tracking_number or "").upper() == number.upper()]
    return _tracking(number, (own or packages)[0], freshness)


def _tracking(number: str, package: Package, freshness: Freshness) -> Tracking:
    events = _events(package)
    newest = package.activity[0].status if package.activity else None
    now = package.current_status or newest
    status = status_of(now)
    delivery = package.delivery_information or DeliveryInformation()
    delivered = status is ShipmentStatus.DELIVERED
    return Tracking(
        status=status,
        source_status=word_of(now),
        freshness=freshness,
        tracking_url=_PUBLIC_PAGE + quote(number, safe=""),
        estimated_delivery=None if delivered else _estimated(package),
        delivered_at=_delivered(package, events) if delivered else None,
        signed_by=(delivery.received_by or "").strip() or None,
        parcels=package.package_count,
        events=events,
        has_proof=delivered and _has_proof(delivery),
    )


def _events(package: Package) -> tuple[TrackingEvent, ...]:
    """Newest first, in UPS's order where moments are equal.

    An activity without a moment that can be read has no place in a history and is left out.
    """
    told = [(happened_at(activity), activity) for activity in package.activity or ()]
    dated = [(at, activity) for at, activity in told if at is not None]
    dated.sort(key=lambda pair: pair[0], reverse=True)
    return tuple(_event(at, activity) for at, activity in dated)


def _event(at: datetime, activity: Activity) -> TrackingEvent:
    return TrackingEvent(
        at=at,
        status=status_of(activity.status),
        description=word_of(activity.status),
        location=_place(activity.location),
        country=_country(activity.location),
    )


def _delivered(package: Package, events: tuple[TrackingEvent, ...]) -> datetime | None:
    """The moment of the delivery's own scan, else the delivery's day and time."""
    for event in events:
        if event.status is ShipmentStatus.DELIVERED:
            return event.at
    days = [one.date for one in package.delivery_date or () if one.type == "DEL"]
    told = package.delivery_time
    at = told.end_time if told and told.type == "DEL" else None
    return on_day(days[0], at, _offset(package)) if days else None


def _estimated(package: Package) -> datetime | None:
    days = {one.type: one.date for one in package.delivery_date or ()}
    day = next((days[kind] for kind in _PLANNED if days.get(kind)), None)
    told = package.delivery_time
    at = told.end_time if told and told.type in _WINDOWS else None
    return on_day(day, at, _offset(package))


def _offset(package: Package) -> timezone:
    """Where the parcel was last: a delivery's day and time are local there."""
    return offset_of(package.activity[0]) if package.activity else UTC


def _has_proof(delivery: DeliveryInformation) -> bool:
    told = (delivery.received_by, delivery.signature, delivery.pod, delivery.delivery_photo)
    return any(told)


def _place(location: Location | None) -> str | None:
    address = location.address if location else None
    parts = (address.city, address.state_province) if address else ()
    return ", ".join(part.strip() for part in parts if part and part.strip()) or None


def _country(location: Location | None) -> str | None:
    """ISO 3166-1 alpha-2, else None."""
    address = location.address if location else None
    code = ((address.country_code or address.country) if address else None) or ""
    return code if len(code) == 2 and code.isascii() and code.isupper() else None  # noqa: PLR2004
