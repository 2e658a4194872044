"""DHL's Shipment Tracking (Unified) as the sandbox plays it, after its specification 1.4.1."""

import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import urlencode

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from sandbox.credentials import DHL_API_KEY
from sandbox.proof import proof_of_delivery
from sandbox.rate import Bucket, Clock, Rate
from sandbox.world import Parcel, ParcelEvent, World

# The specification's values of `service`.
SERVICES = frozenset(
    {
        "dgf",
        "dsc",
        "ecommerce",
        "ecommerce-europe",
        "express",
        "freight",
        "parcel-de",
        "parcel-nl",
        "parcel-pl",
        "parcel-uk",
        "post-de",
        "sameday",
    }
)
_NEIGHBOURS = frozenset({"AT", "BE", "CZ", "DE", "ES", "FR", "IT", "LU", "NL", "PL", "PT"})

# DHL grants 250 calls a day and one in 5 s to a new app; ours lets a benchmark through.
LIMIT = Rate(1_000, 1)


@dataclass(frozen=True, slots=True)
class _Stage:
    """How DHL tells a stage: one of its five codes, and words of its own."""

    code: str
    status: str
    remark: str = ""
    next_steps: str = ""


_STAGES = {
    "announced": _Stage("pre-transit", "Shipment information received"),
    "handed_over": _Stage("transit", "Shipment picked up"),
    "transit": _Stage("transit", "In transit"),
    "customs": _Stage(
        "transit", "Customs clearance", "Clearance is under way.", "It goes on once it is cleared."
    ),
    "out_for_delivery": _Stage("transit", "Out for delivery"),
    "pickup_point": _Stage(
        "transit", "Ready for pick-up", "It waits at a service point.", "Show the notification."
    ),
    "delivered": _Stage("delivered", "Delivered"),
    "exception": _Stage(
        "failure", "Delivery not possible", "The delivery did not succeed.", "It is tried again."
    ),
    "returned": _Stage("failure", "Returned to sender"),
}


def app(world: World, base_url: str, limit: Rate = LIMIT, clock: Clock | None = None) -> ASGIApp:
    """The tracking at `base_url`, which the links to proofs of delivery start with."""
    bucket = Bucket(limit, clock) if clock else Bucket(limit)
    tracking = _Tracking(world, base_url.rstrip("/"), bucket)
    routes = [
        Route("/track/shipments", tracking.shipments, methods=["GET"]),
        Route("/webpod/{number}.pdf", tracking.proof, methods=["GET"]),
    ]
    return Starlette(routes=routes)


class _Tracking:
    def __init__(self, world: World, base_url: str, bucket: Bucket) -> None:
        self._base_url = base_url
        self._bucket = bucket
        # A number without any event is one DHL was not told of yet.
        self._parcels = {
            one.number: one for one in world.parcels if one.carrier == "dhl" and one.events
        }
        self._deliveries = {one.id: one.number for one in world.deliveries}

    async def shipments(self, request: Request) -> Response:
        """GET /track/shipments: one number a call; 404 when DHL does not know it."""
        key = request.headers.get("dhl-api-key", "")
        if not hmac.compare_digest(key.encode(), DHL_API_KEY.encode()):
            return _problem(401, "Unauthorized", "Unauthorized for given resource.")
        if not self._bucket.take():
            detail = "Too many requests within defined time period, please try again later."
            return _problem(429, "Too Many Requests", detail)
        wrong = _mistake(request)
        if wrong:
            return _problem(400, "Bad Request", wrong)
        parcel = self._asked(request)
        if parcel is None:
            instance = f"/shipment/{request.query_params['trackingNumber']}"
            detail = "No shipment with given tracking number found."
            return _problem(404, "No result found", detail, instance)
        return self._answer(parcel, request)

    async def proof(self, request: Request) -> Response:
        """The document `details.proofOfDelivery.documentUrl` leads to; open, as DHL's is."""
        parcel = self._parcels.get(request.path_params["number"])
        if parcel is None or parcel.events[-1].stage != "delivered":
            return _problem(404, "No result found", "No proof of delivery found.")
        at = _local(parcel.events[-1]).strftime("%Y-%m-%d %H:%M")
        lines = (f"DHL {parcel.number}", f"Delivered {at}", f"Signed by {parcel.signed_by or '-'}")
        return Response(proof_of_delivery(*lines), media_type="application/pdf")

    def _asked(self, request: Request) -> Parcel | None:
        query = request.query_params
        parcel = self._parcels.get(query["trackingNumber"].strip())
        if parcel is None or query.get("service", _service(parcel)) != _service(parcel):
            return None
        beyond = int(query.get("offset", "0")) > 0 or int(query.get("limit", "5")) == 0
        return None if beyond else parcel

    def _answer(self, parcel: Parcel, request: Request) -> Response:
        query = urlencode({"trackingNumber": parcel.number, "offset": 0, "limit": 5})
        body = {
            "url": f"/shipments?{query}",
            "firstUrl": f"/shipments?{query}",
            "lastUrl": f"/shipments?{query}",
            "shipments": [self._shipment(parcel, request.query_params.get("recipientPostalCode"))],
        }
        # The sandbox's texts are English whatever the `language` wished for, and it says so.
        return Response(
            orjson.dumps(body),
            media_type="application/json",
            headers={"Content-Language": "en"},
        )

    def _shipment(self, parcel: Parcel, postal_code: str | None) -> dict[str, Any]:
        events = [_event(parcel, one) for one in reversed(parcel.events)]
        unlocked = _service(parcel) != "parcel-de" or postal_code == parcel.destination_zip
        shipment: dict[str, Any] = {
            "id": parcel.number,
            "service": _service(parcel),
            "serviceUrl": f"https://www.dhl.com/en/home/tracking.html?tracking-id={parcel.number}",
            "origin": {"address": {"countryCode": parcel.origin_country}},
            "destination": {"address": _destination(parcel, unlocked=unlocked)},
            "status": events[0],
            "details": self._details(parcel, unlocked=unlocked),
            "events": events,
        }
        if parcel.estimated is not None:
            estimated = _stamp(parcel, _shifted(parcel.estimated, parcel.events[-1]))
            shipment["estimatedTimeOfDelivery"] = estimated
        return shipment

    def _details(self, parcel: Parcel, *, unlocked: bool) -> dict[str, Any]:
        details: dict[str, Any] = {
            "carrier": {"@type": "Organization", "organizationName": "DHL"},
            "product": {"productName": f"DHL {_service(parcel)}"},
            "proofOfDeliverySignedAvailable": bool(parcel.signed_by),
            "totalNumberOfPieces": parcel.pieces,
            "pieceIds": [f"J{parcel.number}{piece:03}" for piece in range(1, parcel.pieces + 1)],
        }
        if parcel.delivery in self._deliveries:
            reference = self._deliveries[parcel.delivery]
            details["references"] = [{"number": reference, "type": "customer-reference"}]
        if parcel.events[-1].stage == "delivered":
            details["proofOfDelivery"] = self._proof(parcel, unlocked=unlocked)
        return details

    def _proof(self, parcel: Parcel, *, unlocked: bool) -> dict[str, Any]:
        proof: dict[str, Any] = {
            "timestamp": _stamp(parcel, _local(parcel.events[-1])),
            "documentUrl": f"{self._base_url}/webpod/{parcel.number}.pdf",
        }
        if parcel.signed_by and unlocked:
            given, _, family = parcel.signed_by.rpartition(" ")
            named = {"givenName": given, "familyName": family, "name": parcel.signed_by}
            told = {name: text for name, text in named.items() if text}
            proof["signed"] = {"@type": "Person", **told}
        return proof


def _mistake(request: Request) -> str | None:
    query = request.query_params
    if not query.get("trackingNumber", "").strip():
        return "The parameter trackingNumber is required."
    if query.get("service", "express") not in SERVICES:
        return "The parameter service is not one of its values."
    for name in ("offset", "limit"):
        if not query.get(name, "0").isdecimal():
            return f"The parameter {name} must be a number."
    return None


def _service(parcel: Parcel) -> str:
    """Which DHL carries it: several pieces and far countries go by Express."""
    if parcel.pieces > 1 or parcel.destination_country not in _NEIGHBOURS:
        return "express"
    return "parcel-de" if parcel.destination_country == "DE" else "ecommerce-europe"


def _destination(parcel: Parcel, *, unlocked: bool) -> dict[str, str]:
    address = {"countryCode": parcel.destination_country}
    return address | ({"postalCode": parcel.destination_zip} if unlocked else {})


def _event(parcel: Parcel, event: ParcelEvent) -> dict[str, Any]:
    stage = _STAGES[event.stage]
    told = {"remark": stage.remark, "nextSteps": stage.next_steps}
    return {
        "timestamp": _stamp(parcel, _local(event)),
        "location": {
            "address": {"countryCode": event.country, "addressLocality": event.city},
        },
        "statusCode": stage.code,
        "status": stage.status,
        "description": event.text,
        **{name: text for name, text in told.items() if text},
    }


def _local(event: ParcelEvent) -> datetime:
    return _shifted(event.at, event)


def _shifted(at: datetime, event: ParcelEvent) -> datetime:
    return at.astimezone(timezone(timedelta(minutes=event.offset_minutes)))


def _stamp(parcel: Parcel, at: datetime) -> str:
    """Local time; only Express leaves its offset out, as DHL's divisions differ in this."""
    if _service(parcel) == "express":
        at = at.replace(tzinfo=None)
    return at.isoformat(timespec="seconds")


def _problem(status: int, title: str, detail: str, instance: str = "") -> Response:
    body = {"title": title, "status": status, "detail": detail}
    return Response(
        orjson.dumps(body | ({"instance": instance} if instance else {})),
        status,
        media_type="application/problem+json",
        headers={"Content-Language": "en"},
    )
