"""DHL's wire: one GET a number, and the part of its answer that is read here."""

import msgspec

from connectors.dhl.config import DhlConfig
from ports.caller import Call
from ports.tracking import Parcel
from upstream.connector import Upstream
from upstream.credentials import FixedHeaders
from upstream.http import HttpClient, Request

_PATH = "/track/shipments"
_NOT_FOUND = 404
_LANGUAGE_LETTERS = 2


class Address(msgspec.Struct, gc=False):
    country: str | None = msgspec.field(default=None, name="countryCode")
    postal_code: str | None = msgspec.field(default=None, name="postalCode")
    locality: str | None = msgspec.field(default=None, name="addressLocality")


class Place(msgspec.Struct, gc=False):
    address: Address | None = None


class Event(msgspec.Struct, rename="camel", gc=False):
    """`status` and `description` are words of the division, in a language it likes."""

    timestamp: str | None = None
    location: Place | None = None
    status_code: str | None = None
    status: str | None = None
    description: str | None = None


class Person(msgspec.Struct, rename="camel", gc=False):
    name: str | None = None
    given_name: str | None = None
    family_name: str | None = None


class Proof(msgspec.Struct, rename="camel", gc=False):
    timestamp: str | None = None
    document_url: str | None = None
    signature_url: str | None = None
    signed: Person | None = None


class Details(msgspec.Struct, rename="camel", gc=False):
    proof_of_delivery: Proof | None = None
    total_number_of_pieces: float | None = None
    piece_ids: list[str] | None = None


class Shipment(msgspec.Struct, rename="camel", gc=False):
    """`id` is text by the specification and a number in DHL's own example."""

    status: Event
    id: str | int | None = None
    service_url: str | None = None
    destination: Place | None = None
    estimated_time_of_delivery: str | None = None
    details: Details | None = None
    events: list[Event] | None = None


class Shipments(msgspec.Struct, gc=False):
    shipments: list[Shipment]


class _Problem(msgspec.Struct, gc=False):
    """An RFC 9457 body; what it says is not shown to anyone."""

    status: int | str | None = None


class DhlClient:
    """Raises the branches of `ports.errors.UpstreamError`."""

    def __init__(self, upstream: Upstream, config: DhlConfig) -> None:
        self._config = config
        self._http = HttpClient(
            upstream.identity,
            config,
            credentials=FixedHeaders({"dhl-api-key": config.api_key.get_secret_value()}),
            bulkhead=upstream.bulkhead(config),
            exchanges=upstream.exchanges,
            transport=upstream.transport,
        )

    async def aclose(self) -> None:
        await self._http.aclose()

    async def shipments(self, parcel: Parcel, operation: str, *, call: Call) -> list[Shipment]:
        """Whatever DHL knows by this number; an unknown one gives an empty list."""
        request = Request(
            operation,
            _PATH,
            params=self._parameters(parcel, call.language),
            expect=frozenset({200, _NOT_FOUND}),
        )
        response = await self._http.send(request, call=call)
        if response.status == _NOT_FOUND:
            # A 404 of something else than DHL's API must not pass for an unknown parcel.
            if response.body:
                self._http.decode(response, _Problem, operation)
            return []
        return self._http.decode(response, Shipments, operation).shipments

    def _parameters(self, parcel: Parcel, language: str) -> dict[str, str]:
        code = language[:_LANGUAGE_LETTERS].lower()
        told = {
            "trackingNumber": parcel.number,
            "service": self._config.service,
            "requesterCountryCode": self._config.requester_country,
            "recipientPostalCode": parcel.postal_code,
            "language": code if code.isascii() and code.isalpha() else None,
        }
        return {name: value for name, value in told.items() if value}
