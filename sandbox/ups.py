"""UPS's token and Track API as the sandbox plays them, after UPS's published specifications."""

import base64
import hmac
import re
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from urllib.parse import parse_qs

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from sandbox.credentials import UPS_CLIENT_ID, UPS_CLIENT_SECRET
from sandbox.proof import proof_of_delivery
from sandbox.rate import Bucket, Clock, Rate
from sandbox.world import Parcel, ParcelEvent, World

_TOKENS = Rate(1_000, 1)


@dataclass(frozen=True, slots=True)
class Terms:
    """How long a token lives, how many may be asked for. UPS's tokens live 4 hours."""

    token_seconds: int = 14_399
    tokens: Rate = _TOKENS


@dataclass(frozen=True, slots=True)
class _Stage:
    """How UPS tells a stage: the activity's type and code, the code of the package's status."""

    type: str
    code: str
    status: str
    simple: str


# Types and status codes of the appendix of UPS's Track API. Note that an access point's parcel
# has the type D of a delivered one: only its status code tells them apart.
_STAGES = {
    "announced": _Stage("M", "MP", "003", "Order Processed"),
    "handed_over": _Stage("P", "PU", "038", "We Have Your Package"),
    "transit": _Stage("I", "AR", "005", "On the Way"),
    "customs": _Stage("I", "IP", "012", "Clearance in Progress"),
    "out_for_delivery": _Stage("I", "OT", "021", "Out for Delivery"),
    "pickup_point": _Stage("D", "2Q", "040", "Ready for Customer Pickup"),
    "delivered": _Stage("D", "FS", "011", "Delivered"),
    "exception": _Stage("X", "48", "013", "Delivery Attempted"),
    "returned": _Stage("RS", "KR", "034", "Returned to Sender"),
}
_MILESTONES = (
    ("Label Created", {"announced"}),
    ("We Have Your Package", {"handed_over"}),
    ("On the Way", {"transit", "customs", "exception"}),
    ("Out for Delivery", {"out_for_delivery"}),
    ("Delivered", {"delivered"}),
)
_DAYS_AT_ACCESS_POINT = 7
_WINDOW = timedelta(hours=2)
# A transparent GIF of one pixel stands for the image of a signature.
_SIGNATURE = "R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"


def app(
    world: World, base_url: str, terms: Terms | None = None, clock: Clock = time.monotonic
) -> ASGIApp:
    """The two APIs; UPS puts no address into its answers, so `base_url` is not told."""
    del base_url
    tokens = _Tokens(terms or Terms(), clock)
    tracking = _Tracking(world, tokens)
    routes = [
        Route("/security/v1/oauth/token", tokens.create, methods=["POST"]),
        Route("/api/track/v1/details/{number}", tracking.details, methods=["GET"]),
    ]
    return Starlette(routes=routes)


class _Tokens:
    """The tokens handed out, in memory: a restart forgets them all."""

    def __init__(self, terms: Terms, clock: Clock) -> None:
        self._seconds = terms.token_seconds
        self._bucket = Bucket(terms.tokens, clock)
        self._clock = clock
        self._ends: dict[str, float] = {}

    async def create(self, request: Request) -> Response:
        if not _known_client(request.headers.get("authorization", "")):
            return _error(401, "10401", "ClientId is Invalid")
        if not self._bucket.take():
            return _error(429, "10429", "Quota Limit Exceeded")
        if await _grant(request) != "client_credentials":
            return _error(400, "10400", "Invalid or missing grant_type")
        return _json(self._issue())

    def known(self, authorization: str) -> bool:
        scheme, _, token = authorization.partition(" ")
        return scheme.lower() == "bearer" and self._ends.get(token.strip(), 0) > self._clock()

    def _issue(self) -> dict[str, str]:
        now, token = self._clock(), secrets.token_urlsafe(32)
        self._ends = {one: end for one, end in self._ends.items() if end > now}
        self._ends[token] = now + self._seconds
        return {
            "token_type": "Bearer",
            "issued_at": str(int(datetime.now(UTC).timestamp() * 1_000)),
            "client_id": UPS_CLIENT_ID,
            "access_token": token,
            "scope": "",
            "expires_in": str(self._seconds),
            "refresh_count": "0",
            "status": "approved",
        }


def _known_client(authorization: str) -> bool:
    scheme, _, encoded = authorization.partition(" ")
    expected = base64.b64encode(f"{UPS_CLIENT_ID}:{UPS_CLIENT_SECRET}".encode())
    known = hmac.compare_digest(encoded.strip().encode(), expected)
    return scheme.lower() == "basic" and known


async def _grant(request: Request) -> str | None:
    """The grant of the form; JSON bodies and queries are not read, as UPS does not."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        return None
    form = parse_qs((await request.body()).decode("latin-1"))
    return form.get("grant_type", [None])[0]


class _Tracking:
    def __init__(self, world: World, tokens: _Tokens) -> None:
        self._tokens = tokens
        # A number without any event is one UPS was not told of yet.
        self._parcels = {
            one.number: one for one in world.parcels if one.carrier == "ups" and one.events
        }
        self._deliveries = {one.id: one.number for one in world.deliveries}

    async def details(self, request: Request) -> Response:
        """GET /api/track/v1/details/{number}: an unknown number is a warning in a 200."""
        number = request.path_params["number"]
        refused = self._refused(request)
        if refused is not None:
            return refused
        parcel = self._parcels.get(number)
        if parcel is None:
            warning = {"code": "TW0001", "message": "Tracking Information Not Found"}
            shipment = {"inquiryNumber": number, "warnings": [warning]}
        else:
            package = self._package(parcel, _wishes(request))
            shipment = {"inquiryNumber": number, "package": [package]}
        return _json({"trackResponse": {"shipment": [shipment]}})

    def _refused(self, request: Request) -> Response | None:
        if not self._tokens.known(request.headers.get("authorization", "")):
            return _error(401, "250002", "Invalid Authentication Information.")
        for name, code in (("transId", "TV0002"), ("transactionSrc", "TV0004")):
            if not request.headers.get(name, "").strip():
                return _error(400, code, f"Missing {name}")
        if not re.fullmatch(r"[a-z]{2}_[A-Z]{2}", request.query_params.get("locale", "en_US")):
            return _error(400, "TV0008", "Invalid locale")
        if not re.fullmatch(r"[0-9A-Za-z]{7,34}", request.path_params["number"]):
            return _error(404, "TV1002", "Invalid inquiry number")
        return None

    def _package(self, parcel: Parcel, wishes: set[str]) -> dict[str, Any]:
        last = parcel.events[-1]
        package: dict[str, Any] = {
            "trackingNumber": parcel.number,
            "deliveryDate": _delivery_dates(parcel),
            "activity": [_activity(event) for event in reversed(parcel.events)],
            "currentStatus": _current(last),
            "packageCount": parcel.pieces,
            "packageAddress": _addresses(parcel),
            "service": {"code": "011", "levelCode": "011", "description": "UPS Standard"},
            "referenceNumber": self._references(parcel),
        }
        if last.stage == "delivered" or parcel.estimated is not None:
            package["deliveryTime"] = _delivery_time(parcel)
        if last.stage == "delivered":
            package["deliveryInformation"] = _delivery(parcel, wishes)
        if last.stage == "pickup_point":
            until = _local(last) + timedelta(days=_DAYS_AT_ACCESS_POINT)
            package["accessPointInformation"] = {"pickupByDate": _date(until)}
        if "returnMilestones" in wishes:
            package["milestones"] = _milestones(parcel)
        return package

    def _references(self, parcel: Parcel) -> list[dict[str, str]]:
        number = self._deliveries.get(parcel.delivery)
        return [{"type": "SHIPMENT", "number": number}] if number else []


def _wishes(request: Request) -> set[str]:
    return {name for name, value in request.query_params.items() if value.lower() == "true"}


def _current(event: ParcelEvent) -> dict[str, str]:
    """The status of a package, whose `code` is a status code (an activity's is not)."""
    stage = _STAGES[event.stage]
    return {
        "type": stage.type,
        "code": stage.status,
        "description": event.text,
        "simplifiedTextDescription": stage.simple,
        "statusCode": stage.status,
    }


def _activity(event: ParcelEvent) -> dict[str, Any]:
    stage, local, gmt = _STAGES[event.stage], _local(event), event.at.astimezone(UTC)
    address = {"city": event.city, "countryCode": event.country, "country": event.country}
    return {
        "location": {"address": {name: text for name, text in address.items() if text}},
        "status": {
            "type": stage.type,
            "description": event.text,
            "code": stage.code,
            "statusCode": stage.status,
        },
        "date": _date(local),
        "time": _time(local),
        "gmtDate": _date(gmt),
        # UPS writes this one time with colons, whatever its specification's example.
        "gmtTime": gmt.strftime("%H:%M:%S"),
        "gmtOffset": local.isoformat()[-6:],
        "logicalScan": event.stage == "announced",
    }


def _delivery_dates(parcel: Parcel) -> list[dict[str, str]]:
    last = parcel.events[-1]
    if last.stage == "delivered":
        return [{"type": "DEL", "date": _date(_local(last))}]
    if parcel.estimated is None:
        return []
    late = any(event.stage == "exception" for event in parcel.events)
    return [{"type": "RDD" if late else "SDD", "date": _date(_estimated(parcel))}]


def _delivery_time(parcel: Parcel) -> dict[str, str]:
    last = parcel.events[-1]
    if last.stage == "delivered":
        return {"type": "DEL", "endTime": _time(_local(last))}
    end = _estimated(parcel)
    return {"type": "EDW", "startTime": _time(end - _WINDOW), "endTime": _time(end)}


def _delivery(parcel: Parcel, wishes: set[str]) -> dict[str, Any]:
    delivery: dict[str, Any] = {"location": "Reception", "receivedBy": parcel.signed_by or ""}
    if "returnSignature" in wishes and parcel.signed_by:
        delivery["signature"] = {"image": _SIGNATURE}
    if "returnPOD" in wishes:
        at = _local(parcel.events[-1]).strftime("%Y-%m-%d %H:%M")
        lines = (f"UPS {parcel.number}", f"Delivered {at}", f"Received by {parcel.signed_by}")
        content = base64.b64encode(proof_of_delivery(*lines)).decode()
        delivery["pod"] = {"content": content}
    return delivery


def _addresses(parcel: Parcel) -> list[dict[str, Any]]:
    return [
        {"type": kind, "address": {**address, "country": address["countryCode"]}}
        for kind, address in (
            ("ORIGIN", {"countryCode": parcel.origin_country}),
            (
                "DESTINATION",
                {
                    "postalCode": parcel.destination_zip,
                    "countryCode": parcel.destination_country,
                },
            ),
        )
    ]


def _milestones(parcel: Parcel) -> list[dict[str, Any]]:
    """The five milestones, the oldest first; `linkedActivity` counts from the newest activity."""
    stages = [event.stage for event in reversed(parcel.events)]
    reached = [
        next((at for at, stage in enumerate(stages) if stage in wanted), None)
        for _, wanted in _MILESTONES
    ]
    nearest = min((at for at in reached if at is not None), default=None)
    return [
        _milestone(name, at, current=at is not None and at == nearest)
        for (name, _), at in zip(_MILESTONES, reached, strict=True)
    ]


def _milestone(name: str, at: int | None, *, current: bool) -> dict[str, Any]:
    told: Mapping[str, str] = {} if at is None else {"category": name, "linkedActivity": str(at)}
    state = "INCOMPLETE" if at is None else "COMPLETE"
    code = name.upper().replace(" ", "_")
    return {"code": code, "description": name, "state": state, "current": current, **told}


def _local(event: ParcelEvent) -> datetime:
    return event.at.astimezone(timezone(timedelta(minutes=event.offset_minutes)))


def _estimated(parcel: Parcel) -> datetime:
    """The estimate in the local time of the last activity; only called when there is one."""
    offset = timedelta(minutes=parcel.events[-1].offset_minutes)
    return (parcel.estimated or parcel.events[-1].at).astimezone(timezone(offset))


def _date(at: datetime) -> str:
    return at.strftime("%Y%m%d")


def _time(at: datetime) -> str:
    return at.strftime("%H%M%S")


def _json(body: object, status: int = 200) -> Response:
    return Response(orjson.dumps(body), status, media_type="application/json")


def _error(status: int, code: str, message: str) -> Response:
    return _json({"response": {"errors": [{"code": code, "message": message}]}}, status)
