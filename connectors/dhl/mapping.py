"""DHL's shipments as the records of `ports.tracking`."""

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from urllib.parse import quote, urlsplit

from connectors.dhl.client import Details, Event, Person, Place, Shipment
from connectors.dhl.moments import moment
from connectors.dhl.words import status_of
from ports.common import Freshness
from ports.tracking import Parcel, ShipmentStatus, Tracking, TrackingEvent

_PUBLIC_PAGE = "https://www.dhl.com/global-en/home/tracking.html?tracking-id="
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Reading:
    """What all moments of one answer are read with."""

    zone: tzinfo
    freshness: Freshness


def tracking(parcel: Parcel, found: list[Shipment], reading: Reading) -> Tracking | None:
    """None when nothing was found.

    Divisions use the same numbers: of several shipments the one that bears the number itself is
    taken, then the one that goes to the parcel's postal code, then the one heard of last.
    """
    if not found:
        return None
    best = max(found, key=lambda one: _likeness(parcel, one, reading))
    return _tracking(parcel, best, reading)


def _likeness(parcel: Parcel, shipment: Shipment, reading: Reading) -> tuple[bool, bool, datetime]:
    names = {str(shipment.id), *((shipment.details and shipment.details.piece_ids) or ())}
    there = _address(shipment.destination, "postal_code")
    latest = [event.at for event in _events(shipment, reading)]
    return (
        parcel.number in names,
        there is not None and there == parcel.postal_code,
        max([_at(shipment.status, reading) or _LONG_AGO, *latest]),
    )


def _tracking(parcel: Parcel, shipment: Shipment, reading: Reading) -> Tracking:
    now, details = shipment.status, shipment.details or Details()
    proof, status = details.proof_of_delivery, status_of(shipment.status)
    delivered = status is ShipmentStatus.DELIVERED
    country = _country(shipment.destination)
    proven_at = moment(proof.timestamp, country, reading.zone) if proof else None
    return Tracking(
        status=status,
        source_status=now.status or now.description or now.status_code or "unknown",
        freshness=reading.freshness,
        tracking_url=_web_address(shipment.service_url)
        or _PUBLIC_PAGE + quote(parcel.number, safe=""),
        estimated_delivery=moment(shipment.estimated_time_of_delivery, country, reading.zone),
        delivered_at=(_at(now, reading) or proven_at) if delivered else None,
        signed_by=_name(proof.signed) if proof and proof.signed else None,
        parcels=_pieces(details),
        events=_events(shipment, reading),
        has_proof=bool(proof and (proof.document_url or proof.signature_url)),
    )


def _events(shipment: Shipment, reading: Reading) -> tuple[TrackingEvent, ...]:
    """Newest first, in DHL's order where moments are equal.

    An event without a moment that can be read has no place in a history and is left out.
    """
    told = [(_at(event, reading), event) for event in shipment.events or ()]
    dated = [(at, event) for at, event in told if at is not None]
    dated.sort(key=lambda pair: pair[0], reverse=True)
    return tuple(_event(at, event) for at, event in dated)


def _event(at: datetime, event: Event) -> TrackingEvent:
    return TrackingEvent(
        at=at,
        status=status_of(event),
        description=event.description or event.status or event.status_code or "",
        location=_address(event.location, "locality"),
        country=_country(event.location),
    )


def _at(event: Event, reading: Reading) -> datetime | None:
    return moment(event.timestamp, _country(event.location), reading.zone)


def _country(place: Place | None) -> str | None:
    """ISO 3166-1 alpha-2, else None: DHL also tells codes of its own, such as G0."""
    code = (_address(place, "country") or "").upper()
    return code if len(code) == 2 and code.isascii() and code.isalpha() else None  # noqa: PLR2004


def _address(place: Place | None, part: str) -> str | None:
    address = place.address if place else None
    told: str | None = getattr(address, part, None)
    return told.strip() or None if told else None


def _name(person: Person) -> str | None:
    parts = (person.given_name, person.family_name)
    return person.name or " ".join(part for part in parts if part) or None


def _pieces(details: Details) -> int | None:
    if details.total_number_of_pieces is not None:
        return int(details.total_number_of_pieces)
    return len(details.piece_ids) if details.piece_ids else None


def _web_address(text: str | None) -> str | None:
    """The text when it is an http(s) address with a host, and no more than that."""
    if not text or not text.isprintable() or " " in text:
        return None
    try:
        parts = urlsplit(text)
    except ValueError:
        return None
    return text if parts.scheme in {"http", "https"} and parts.hostname else None
