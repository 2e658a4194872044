"""UPS's wire: the token, one GET a number, and the part of its answer that is read here."""

from urllib.parse import quote
from uuid import uuid4

import msgspec

from connectors.ups.config import UpsConfig
from ports.caller import Call
from ports.errors import MalformedError, RefusedError, ThrottledError, UnavailableError
from upstream.connector import Upstream
from upstream.credentials import Grant, OAuthToken
from upstream.http import ErrorType, HttpClient, Request

_TOKEN_PATH = "/security/v1/oauth/token"  # noqa: S105 - a path
_NOT_FOUND = 404
# Inquiry numbers that UPS cannot know, told in a body whatever its status.
_UNKNOWN_NUMBER = frozenset({"TV1001", "TV1002", "TW0001", "151018", "151044"})
_THROTTLED = frozenset({"10429", "250429"})


class Address(msgspec.Struct, rename="camel", gc=False):
    city: str | None = None
    state_province: str | None = None
    country: str | None = None
    country_code: str | None = None


class Location(msgspec.Struct, gc=False):
    address: Address | None = None


class Status(msgspec.Struct, rename="camel", gc=False):
    """An activity's `code` is the kind of scan; that of a package's status is a status code."""

    type: str | None = None
    code: str | None = None
    status_code: str | None = None
    description: str | None = None
    simplified_text_description: str | None = None


class Activity(msgspec.Struct, rename="camel", gc=False):
    status: Status | None = None
    location: Location | None = None
    date: str | None = None
    time: str | None = None
    gmt_date: str | None = None
    gmt_time: str | None = None
    gmt_offset: str | None = None


class DeliveryDate(msgspec.Struct, gc=False):
    type: str | None = None
    date: str | None = None


class DeliveryTime(msgspec.Struct, rename="camel", gc=False):
    type: str | None = None
    end_time: str | None = None


class DeliveryInformation(msgspec.Struct, rename="camel", gc=False):
    received_by: str | None = None
    signature: object = None
    pod: object = None
    delivery_photo: object = None


class Package(msgspec.Struct, rename="camel", gc=False):
    tracking_number: str | None = None
    current_status: Status | None = None
    activity: list[Activity] | None = None
    delivery_date: list[DeliveryDate] | None = None
    delivery_time: DeliveryTime | None = None
    delivery_information: DeliveryInformation | None = None
    package_count: int | None = None


class Notice(msgspec.Struct, gc=False):
    code: str = ""
    message: str = ""


class Shipment(msgspec.Struct, gc=False):
    package: list[Package] | None = None


class TrackResponse(msgspec.Struct, gc=False):
    shipment: list[Shipment]


class _Errors(msgspec.Struct, gc=False):
    errors: list[Notice] | None = None


class _Answer(msgspec.Struct, rename="camel", gc=False):
    """Either of both; UPS puts errors also into bodies of status 200."""

    track_response: TrackResponse | None = None
    response: _Errors | None = None


class UpsClient:
    """Raises the branches of `ports.errors.UpstreamError`."""

    def __init__(self, upstream: Upstream, config: UpsConfig) -> None:
        self._config = config
        grant = Grant(
            path=_TOKEN_PATH,
            client_id=config.client_id,
            client_secret=config.client_secret,
            parameters={"grant_type": "client_credentials"},
        )
        self._http = HttpClient(
            upstream.identity,
            config,
            credentials=OAuthToken(grant),
            bulkhead=upstream.bulkhead(config),
            exchanges=upstream.exchanges,
            headers={"transactionSrc": config.transaction_source},
            transport=upstream.transport,
        )

    async def aclose(self) -> None:
        await self._http.aclose()

    async def packages(self, number: str, operation: str, *, call: Call) -> list[Package]:
        """The packages of an inquiry number; an unknown one gives an empty list."""
        request = Request(
            operation,
            f"/api/track/v1/details/{quote(number, safe='')}",
            params={"locale": self._locale(call.language)},
            # UPS wants each call to bear an identifier of its own.
            headers={"transId": uuid4().hex},
            expect=frozenset({200, _NOT_FOUND}),
        )
        response = await self._http.send(request, call=call)
        if response.status == _NOT_FOUND and not response.body:
            return []
        # A 404 of something else than UPS's API must not pass for an unknown parcel.
        answer = self._http.decode(response, _Answer, operation)
        told = answer.response.errors if answer.response else None
        if told:
            self._weigh(told, operation)
            return []
        if response.status == _NOT_FOUND:
            return []
        if answer.track_response is None:
            raise self._http.error(MalformedError, operation, "neither trackResponse nor errors")
        # A shipment without packages bears a warning that the number is unknown.
        return [found for one in answer.track_response.shipment for found in one.package or ()]

    def _weigh(self, told: list[Notice], operation: str) -> None:
        """Raises what the errors mean; returns when they mean that the number is unknown."""
        if any(notice.code in _UNKNOWN_NUMBER for notice in told):
            return
        detail = "; ".join(f"{notice.code} {notice.message}" for notice in told)
        raise self._http.error(_kind(told[0].code), operation, detail)

    def _locale(self, language: str) -> str:
        tag = language.replace("_", "-")
        locales = self._config.locales
        return locales.get(tag) or locales.get(tag.partition("-")[0]) or self._config.default_locale


def _kind(code: str) -> ErrorType:
    """What an error inside a body means: 25xxxx and 10xxx are the gateway's, TV the request's."""
    if code in _THROTTLED:
        return ThrottledError
    return RefusedError if code.startswith(("25", "10", "TV")) else UnavailableError
