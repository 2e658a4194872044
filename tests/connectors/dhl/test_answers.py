"""DHL's answers, one by one: what is sent, what is read from what comes back."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ports.errors import MalformedError, RefusedError, ThrottledError, UpstreamError
from ports.tracking import Parcel, ShipmentStatus, Tracking
from tests.connectors.dhl.conftest import connector
from tests.contracts.peers import Scripted, call

PATH = "/track/shipments"
PARCEL = Parcel("dhl", "7777777770", "69007")
EXAMPLE = (
    Path(__file__).parents[3] / "../shared/vendor-apis/dhl/example-tracking-response.json"
).resolve()


async def track(
    *answers: Any, parcel: Parcel = PARCEL, language: str = "en", **settings: object
) -> tuple[Tracking | UpstreamError | None, Scripted]:
    peer = Scripted({PATH: list(answers)})
    dhl = connector(peer, **settings)
    told = await dhl.track((parcel,), call=call(language=language))
    await dhl.aclose()
    return told.get(parcel), peer


async def tracked(shipment: dict[str, Any], **settings: Any) -> Tracking:
    told, _ = await track({"shipments": [{"status": {}, **shipment}]}, **settings)
    assert isinstance(told, Tracking), getattr(told, "detail", told)
    return told


def event(at: str | None, country: str | None = None, **more: Any) -> dict[str, Any]:
    place = {"location": {"address": {"countryCode": country}}} if country else {}
    return {"timestamp": at, "statusCode": "transit", **place, **more}


async def test_what_is_sent() -> None:
    _, peer = await track(
        {"shipments": []},
        parcel=Parcel("dhl", " 0034 0434&x=1 ", "69 007"),
        language="fr-BE",
        service="express",
        requester_country="FR",
    )

    sent = peer.asked[0]
    assert sent.headers["dhl-api-key"] == "sandbox-dhl-key"
    assert sent.query == {
        "trackingNumber": "00340434&x=1",
        "service": "express",
        "requesterCountryCode": "FR",
        "recipientPostalCode": "69 007",
        "language": "fr",
    }


async def test_a_postal_code_that_is_not_known_is_not_sent() -> None:
    _, peer = await track({"shipments": []}, parcel=Parcel("dhl", "1"), language="🙂")

    assert peer.asked[0].query == {"trackingNumber": "1"}


async def test_no_shipment_at_all_is_absent() -> None:
    assert (await track({"shipments": []}))[0] is None
    assert (await track((404, {"title": "No result found", "status": 404})))[0] is None
    assert (await track((404, b"")))[0] is None


async def test_a_404_of_a_wrong_address_is_no_unknown_parcel() -> None:
    told, _ = await track((404, b"<html>nginx</html>"))

    assert isinstance(told, MalformedError)
    assert told.operation == "tracking.track"


@pytest.mark.parametrize(
    ("status", "kind"), [(400, RefusedError), (422, RefusedError), (429, ThrottledError)]
)
async def test_refusals(status: int, kind: type[UpstreamError]) -> None:
    assert type((await track((status, {"title": "x"})))[0]) is kind


async def test_missing_and_wrong_parts_are_malformed() -> None:
    bodies: tuple[Any, ...] = ({}, {"shipments": [{}]}, {"shipments": [{"status": {"status": 5}}]})
    for body in bodies:
        assert isinstance((await track(body))[0], MalformedError)


async def test_nulls_everywhere_are_borne() -> None:
    nothing = dict.fromkeys(
        ("id", "serviceUrl", "destination", "estimatedTimeOfDelivery", "details", "events")
    )
    told = await tracked({**nothing, "status": dict.fromkeys(("timestamp", "location", "status"))})

    assert (told.status, told.source_status) == (ShipmentStatus.UNKNOWN, "unknown")
    assert (told.events, told.parcels, told.delivered_at, told.has_proof) == ((), None, None, False)


async def test_all_of_a_delivery() -> None:
    told = await tracked(
        {
            "id": 7777777770,
            "serviceUrl": "https://www.dhl.com/x?id=1",
            "status": {**event("2026-11-20T10:00:00+01:00"), "statusCode": "delivered"},
            "details": {
                "totalNumberOfPieces": 2.0,
                "references": {"number": "not a list"},
                "proofOfDelivery": {
                    "documentUrl": "https://pod.example",
                    "signed": {"givenName": "Ada", "familyName": "Roux"},
                },
            },
        }
    )

    assert told.status is ShipmentStatus.DELIVERED
    assert told.delivered_at == datetime(2026, 11, 20, 9, tzinfo=UTC)
    assert (told.signed_by, told.parcels, told.has_proof) == ("Ada Roux", 2, True)
    assert told.tracking_url == "https://www.dhl.com/x?id=1"
    assert told.source_status == "delivered"


async def test_the_proof_tells_the_moment_where_the_status_does_not() -> None:
    told = await tracked(
        {
            "status": {"statusCode": "delivered"},
            "destination": {"address": {"countryCode": "de"}},
            "details": {
                "pieceIds": ["a", "b"],
                "proofOfDelivery": {"timestamp": "2026-07-01T12:00:00", "signed": {}},
            },
        }
    )

    assert told.delivered_at == datetime(2026, 7, 1, 10, tzinfo=UTC)
    assert (told.signed_by, told.parcels, told.has_proof) == (None, 2, False)


@pytest.mark.parametrize(
    "url",
    ["javascript:alert(1)", "data:text/html,x", "//x.example", "https://", "https://[", "a b", ""],
)
async def test_only_web_addresses_go_out(url: str) -> None:
    told = await tracked({"serviceUrl": url})

    assert told.tracking_url is not None
    assert told.tracking_url.startswith("https://www.dhl.com/")
    assert told.tracking_url.endswith("tracking-id=7777777770")


@pytest.mark.parametrize(
    ("at", "country", "zone", "moment"),
    [
        ("2026-07-01T12:00:00Z", "FR", "UTC", "2026-07-01T12:00:00+00:00"),
        ("2026-07-01T12:00:00-05:00", "FR", "UTC", "2026-07-01T17:00:00+00:00"),
        ("2026-07-01T12:00:00", "FR", "UTC", "2026-07-01T10:00:00+00:00"),
        ("2026-12-01T12:00:00", "FR", "UTC", "2026-12-01T11:00:00+00:00"),
        ("2026-07-01T12:00:00", "US", "UTC", "2026-07-01T12:00:00+00:00"),
        ("2026-07-01T12:00:00", None, "Europe/Paris", "2026-07-01T10:00:00+00:00"),
        ("2026-07-01", None, "UTC", "2026-07-01T00:00:00+00:00"),
        ("2026-07-01T12:00:00.5+0200", None, "UTC", "2026-07-01T10:00:00.500000+00:00"),
    ],
)
async def test_moments(at: str, country: str | None, zone: str, moment: str) -> None:
    told = await tracked({"events": [event(at, country)]}, time_zone=zone)

    assert told.events[0].at.isoformat() == moment


async def test_events_are_sorted_and_those_without_a_moment_left_out() -> None:
    told = await tracked(
        {
            "events": [
                event("2026-07-01T10:00:00Z", status="first"),
                event("string"),
                event(None),
                event("0001-01-01T00:00:00", "JP"),
                event("2026-07-01T11:00:00+02:00", "FR", description="before"),
                event("2026-07-01T10:00:00Z", "G0", status="second"),
            ]
        }
    )

    assert [one.description for one in told.events] == ["first", "second", "before"]
    assert [one.country for one in told.events] == [None, None, "FR"]


async def test_of_several_shipments_the_best_is_shown() -> None:
    def made(id_: str, at: str, zip_: str, word: str) -> dict[str, Any]:
        place = {"address": {"postalCode": zip_}}
        return {"id": id_, "destination": place, "status": event(at, status=word)}

    old, new = "2020-01-01T00:00:00Z", "2026-01-01T00:00:00Z"
    for shipments in (
        [made("other", new, "69007", "no"), made(PARCEL.number, old, "1", "yes")],
        [made(PARCEL.number, new, "1", "no"), made(PARCEL.number, old, "69007", "yes")],
        [made(PARCEL.number, old, "1", "no"), made(PARCEL.number, new, "1", "yes")],
    ):
        for order in (shipments, shipments[::-1]):
            told, _ = await track({"shipments": order})
            assert isinstance(told, Tracking)
            assert told.source_status == "yes"


async def test_a_piece_is_found_by_its_own_number() -> None:
    pieces = {"details": {"pieceIds": ["JD1"]}, "id": "x", "status": {"status": "yes"}}
    other = {"id": "y", "status": event("2026-01-01T00:00:00Z", status="no")}
    told, _ = await track({"shipments": [other, pieces]}, parcel=Parcel("dhl", "JD1"))

    assert isinstance(told, Tracking)
    assert told.source_status == "yes"


@pytest.mark.skipif(not EXAMPLE.is_file(), reason="the vendor's example is not here")
async def test_the_vendors_own_example() -> None:
    answer = json.loads(EXAMPLE.read_text(encoding="utf-8"))
    told, _ = await track(answer["trackingResponse"])
    unknown, _ = await track((404, answer["error"]))

    assert unknown is None
    assert isinstance(told, Tracking)
    assert told.status is ShipmentStatus.PREPARING
    assert (told.source_status, told.parcels, told.signed_by) == ("DELIVERED", 8, "John")
    assert told.estimated_delivery == datetime(2018, 8, 3, tzinfo=UTC)
    # Without an offset, in the Netherlands: an hour before what it says.
    assert told.events[0].at == datetime(2018, 3, 2, 6, 53, 47, tzinfo=UTC)
    assert (told.events[0].location, told.events[0].country) == ("Oderweg 2, AMSTERDAM", "NL")


async def test_the_check_passes_on_any_honest_answer() -> None:
    answers: tuple[Any, ...] = ((404, {"status": 404}), {"shipments": []})
    for answer in answers:
        dhl = connector(Scripted({PATH: [answer]}))
        await dhl.check(call=call())
        await dhl.aclose()
    refusing = connector(Scripted({PATH: [(401, {})]}))
    with pytest.raises(RefusedError):
        await refusing.check(call=call())
    await refusing.aclose()
