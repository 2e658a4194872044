"""UPS's answers, one by one: what is sent, what is read from what comes back."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from ports.errors import (
    MalformedError,
    RefusedError,
    ThrottledError,
    UnavailableError,
    UpstreamError,
)
from ports.tracking import Parcel, ShipmentStatus, Tracking
from tests.connectors.ups.conftest import TOKEN_PATH, connector
from tests.contracts.peers import Asked, Scripted, call

NUMBER = "1Z023E2X0214323462"
PARCEL = Parcel("ups", NUMBER)
PATH = f"/api/track/v1/details/{NUMBER}"
TOKEN = {"access_token": "secret-token", "expires_in": "14399", "token_type": "Bearer"}
SPECIFICATION = (Path(__file__).parents[3] / "../shared/vendor-apis/ups/Tracking.json").resolve()


async def track(
    *answers: Any, language: str = "en", **settings: object
) -> tuple[Tracking | UpstreamError | None, list[Asked]]:
    peer = Scripted({PATH: list(answers), TOKEN_PATH: [TOKEN]})
    ups = connector(peer, **settings)
    told = await ups.track((PARCEL,), call=call(language=language))
    await ups.aclose()
    return told.get(PARCEL), peer.asked


def packages(*told: dict[str, Any]) -> dict[str, Any]:
    return {"trackResponse": {"shipment": [{"inquiryNumber": NUMBER, "package": list(told)}]}}


async def tracked(*told: dict[str, Any]) -> Tracking:
    answer, _ = await track(packages(*told))
    assert isinstance(answer, Tracking), getattr(answer, "detail", answer)
    return answer


def errors(*codes: str) -> dict[str, Any]:
    return {"response": {"errors": [{"code": code, "message": "words"} for code in codes]}}


def status(type_: str = "", code: str = "", status_code: str = "") -> dict[str, Any]:
    return {"type": type_, "code": code, "statusCode": status_code, "description": " Word "}


async def test_what_is_sent() -> None:
    _, asked = await track(packages({}), language="fr-LU")

    token, details = asked
    assert (token.method, token.body) == ("POST", "grant_type=client_credentials")
    assert token.headers["authorization"].startswith("Basic ")
    assert details.path == PATH
    assert details.query == {"locale": "fr_FR"}
    assert details.headers["authorization"] == "Bearer secret-token"
    assert details.headers["transactionsrc"] == "passerelle"
    assert UUID(details.headers["transid"]).version == 4


async def test_each_call_bears_an_identifier_of_its_own() -> None:
    peer = Scripted({PATH: [packages({})], TOKEN_PATH: [TOKEN]})
    ups = connector(peer)
    await asyncio.gather(*(ups.track((PARCEL,), call=call()) for _ in range(5)))
    await ups.aclose()

    calls = [one.headers["transid"] for one in peer.asked if one.path == PATH]
    assert len(set(calls)) == len(calls) == 5
    assert [one.path for one in peer.asked].count(TOKEN_PATH) == 1


@pytest.mark.parametrize(
    ("language", "locale"),
    [
        ("fr", "fr_FR"), ("fr-BE", "fr_BE"), ("en-GB", "en_GB"), ("en-AU", "en_US"),
        ("de_CH", "de_CH"), ("xx", "en_US"), ("", "en_US"),
    ],
)  # fmt: skip
async def test_locales(language: str, locale: str) -> None:
    _, asked = await track(packages({}), language=language)

    assert asked[-1].query == {"locale": locale}


@pytest.mark.parametrize(
    "answer",
    [
        {"trackResponse": {"shipment": [{"warnings": [{"code": "TW0001", "message": "m"}]}]}},
        {"trackResponse": {"shipment": []}},
        {"trackResponse": {"shipment": [{"package": None}]}},
        errors("TV1002"),
        (404, errors("TV1002")),
        (404, errors("151044")),
        (404, {"response": {}}),
        (404, b""),
    ],
)
async def test_a_number_that_ups_does_not_know_is_absent(answer: Any) -> None:
    assert (await track(answer))[0] is None


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (errors("250003"), RefusedError),
        (errors("TV0003"), RefusedError),
        (errors("10429"), ThrottledError),
        (errors("TS0001"), UnavailableError),
        ((404, errors("250003")), RefusedError),
        ((404, b"<html>"), MalformedError),
        ((400, errors("TV0002")), RefusedError),
        ((403, errors("blocked")), RefusedError),
        ({}, MalformedError),
        ({"trackResponse": {}}, MalformedError),
        ({"trackResponse": {"shipment": "none"}}, MalformedError),
        (packages({"activity": "none"}), MalformedError),
    ],
)
async def test_errors_also_inside_a_good_status(answer: Any, kind: type[UpstreamError]) -> None:
    told, _ = await track(answer)

    assert type(told) is kind
    assert told.operation == "tracking.track"
    assert "words" not in told.message


async def test_a_token_that_is_refused_is_an_error_of_the_parcel() -> None:
    peer = Scripted({TOKEN_PATH: [(401, errors("10401"))]})
    ups = connector(peer)
    told = await ups.track((PARCEL,), call=call())
    with pytest.raises(RefusedError):
        await ups.check(call=call())
    await ups.aclose()

    assert isinstance(told[PARCEL], RefusedError)


async def test_a_token_that_ended_is_fetched_anew_once() -> None:
    peer = Scripted({PATH: [(401, errors("250002")), packages({})], TOKEN_PATH: [TOKEN]})
    ups = connector(peer)
    told = await ups.track((PARCEL,), call=call())
    await ups.aclose()

    assert isinstance(told[PARCEL], Tracking)
    assert [one.path for one in peer.asked] == [TOKEN_PATH, PATH, TOKEN_PATH, PATH]


async def test_the_check_passes_on_any_honest_answer() -> None:
    path = "/api/track/v1/details/1Z12345E0205271688"
    peer = Scripted({path: [(404, errors("TV1002"))], TOKEN_PATH: [TOKEN]})
    ups = connector(peer)
    await ups.check(call=call())
    await ups.aclose()

    assert peer.asked[-1].path == path


async def test_all_of_a_delivery() -> None:
    told = await tracked(
        {
            "trackingNumber": NUMBER,
            "currentStatus": status("D", "011"),
            "activity": [
                {
                    "status": status("D", "9E", "011"),
                    "location": {"address": {"city": "Wayne", "stateProvince": "NJ", "countryCode": "US"}},
                    "date": "20210210", "time": "024700",
                    "gmtDate": "20210210", "gmtTime": "74700", "gmtOffset": "-05:00",
                },
            ],
            "deliveryInformation": {"receivedBy": " ROUX "},
            "packageCount": 2,
        }
    )  # fmt: skip

    moment = datetime(2021, 2, 10, 7, 47, tzinfo=UTC)
    assert (told.status, told.source_status) == (ShipmentStatus.DELIVERED, "Word")
    assert told.delivered_at == told.events[0].at == moment
    assert (told.signed_by, told.parcels, told.has_proof) == ("ROUX", 2, True)
    assert (told.events[0].location, told.events[0].country) == ("Wayne, NJ", "US")
    assert told.tracking_url == f"https://www.ups.com/track?tracknum={NUMBER}"
    assert told.estimated_delivery is None


@pytest.mark.parametrize(
    ("activity", "moment"),
    [
        ({"gmtDate": "20261120", "gmtTime": "10:11:12"}, "2026-11-20T10:11:12+00:00"),
        ({"gmtDate": "20261120", "gmtTime": "101112"}, "2026-11-20T10:11:12+00:00"),
        (
            {"date": "20261120", "time": "101112", "gmtOffset": "+01:00"},
            "2026-11-20T09:11:12+00:00",
        ),
        ({"date": "20261120", "time": "101112", "gmtOffset": "-0530"}, "2026-11-20T15:41:12+00:00"),
        ({"date": "20261120", "time": "101112"}, "2026-11-20T10:11:12+00:00"),
        ({"date": "20261120"}, "2026-11-20T00:00:00+00:00"),
        ({"date": "20261120", "gmtOffset": "+99:99"}, "2026-11-20T00:00:00+00:00"),
        ({"gmtDate": "string", "gmtTime": "1", "date": "20261120"}, "2026-11-20T00:00:00+00:00"),
        ({"date": "string"}, None),
        ({"date": "20261340"}, None),
        ({"date": "20261120", "time": "996161"}, None),
        ({"date": "00010101", "time": "0", "gmtOffset": "+10:00"}, None),
        ({}, None),
    ],
)
async def test_moments(activity: dict[str, str], moment: str | None) -> None:
    told = await tracked({"activity": [activity]})

    assert [one.at.isoformat() for one in told.events] == ([moment] if moment else [])


async def test_activities_are_sorted_by_their_moment() -> None:
    told = await tracked(
        {
            "activity": [
                {"gmtDate": "20261120", "gmtTime": "080000", "status": {"description": "before"}},
                {"gmtDate": "20261121", "gmtTime": "080000", "status": {"code": "AR"}},
                {"gmtDate": "20261120", "gmtTime": "080000", "location": {}},
            ]
        }
    )

    assert [one.description for one in told.events] == ["AR", "before", "unknown"]


@pytest.mark.parametrize(
    ("days", "window", "moment"),
    [
        ([("SDD", "20261124")], None, "2026-11-24T22:59:00+00:00"),
        ([("SDD", "20261124"), ("RDD", "20261125")], None, "2026-11-25T22:59:00+00:00"),
        ([("SDD", "20261124")], ("EDW", "143000"), "2026-11-24T13:30:00+00:00"),
        ([("SDD", "20261124")], ("EOD", "143000"), "2026-11-24T22:59:00+00:00"),
        ([("DEL", "20261124")], None, None),
        ([("SDD", "string")], ("EDW", "string"), None),
        ([], None, None),
    ],
)
async def test_estimates(
    days: list[tuple[str, str]], window: tuple[str, str] | None, moment: str | None
) -> None:
    told = await tracked(
        {
            "currentStatus": status("I"),
            "activity": [{"date": "20261123", "time": "1", "gmtOffset": "+01:00"}],
            "deliveryDate": [{"type": kind, "date": day} for kind, day in days],
            "deliveryTime": {"type": window[0], "endTime": window[1]} if window else None,
        }
    )

    assert told.estimated_delivery == (datetime.fromisoformat(moment) if moment else None)
    assert (told.delivered_at, told.has_proof) == (None, False)


@pytest.mark.parametrize(
    ("time", "moment"),
    [
        ({"type": "DEL", "endTime": "101500"}, "2026-11-24T10:15:00+00:00"),
        ({"type": "EDW", "endTime": "101500"}, "2026-11-24T23:59:00+00:00"),
        (None, "2026-11-24T23:59:00+00:00"),
    ],
)
async def test_a_delivery_without_its_scan_has_its_day(time: Any, moment: str) -> None:
    told = await tracked(
        {
            "currentStatus": status("D", "011"),
            "deliveryDate": [{"type": "DEL", "date": "20261124"}],
            "deliveryTime": time,
        }
    )
    bare = await tracked({"currentStatus": status("D", "011")})

    assert told.delivered_at == datetime.fromisoformat(moment)
    assert bare.delivered_at is None
    assert bare.has_proof is False


async def test_a_delivery_is_its_own_scan_not_the_newest() -> None:
    told = await tracked(
        {
            "currentStatus": status("D", "011"),
            "activity": [
                {"status": status("I"), "date": "20261125"},
                {"status": status("D"), "date": "20261124"},
            ],
        }
    )

    assert told.delivered_at == datetime(2026, 11, 24, tzinfo=UTC)


async def test_of_several_packages_the_one_with_the_number_is_told() -> None:
    other = {"trackingNumber": "1ZOTHER", "currentStatus": status("X")}
    own = {"trackingNumber": NUMBER.lower(), "currentStatus": status("I")}

    assert (await tracked(other, own)).status is ShipmentStatus.IN_TRANSIT
    assert (await tracked(other)).status is ShipmentStatus.EXCEPTION


async def test_without_a_current_status_the_newest_activity_tells_it() -> None:
    told = await tracked({"activity": [{"status": status("I", "OT"), "date": "20261120"}]})

    assert told.status is ShipmentStatus.OUT_FOR_DELIVERY
    assert (await tracked({})).status is ShipmentStatus.UNKNOWN


@pytest.mark.skipif(not SPECIFICATION.is_file(), reason="the vendor's specification is not here")
async def test_an_answer_made_of_the_specifications_examples() -> None:
    schemas = json.loads(SPECIFICATION.read_text(encoding="utf-8"))["components"]["schemas"]
    told, _ = await track(_sample(schemas, "TrackApiResponse"))

    assert isinstance(told, Tracking), getattr(told, "detail", told)
    assert told.status is ShipmentStatus.PREPARING
    assert told.source_status == "Your package was released by the customs agency."
    assert told.events[0].at == datetime(2021, 2, 10, 7, 47, tzinfo=UTC)
    assert (told.events[0].location, told.parcels) == ("Wayne, NJ", 2)


def _sample(schemas: dict[str, Any], name: str) -> Any:
    return _value(schemas, {"$ref": f"#/components/schemas/{name}"})


def _value(schemas: dict[str, Any], schema: dict[str, Any]) -> Any:
    if "$ref" in schema:
        return _value(schemas, schemas[schema["$ref"].rpartition("/")[2]])
    match schema:
        case {"type": "object", "properties": properties}:
            return {name: _value(schemas, each) for name, each in properties.items()}
        case {"type": "array", "items": items}:
            return [_value(schemas, items)]
        case _:
            unset = {"boolean": True, "integer": 0}.get(schema.get("type", ""), "string")
            return schema.get("example", unset)
