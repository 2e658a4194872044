"""DHL's tracking: its rules on the wire, its answers against its specification."""

from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import Any

import httpx2
import pytest
import yaml

from sandbox.credentials import DHL_API_KEY
from sandbox.dhl import app
from sandbox.rate import Rate
from sandbox.world import World

KEY = {"DHL-API-Key": DHL_API_KEY}
PROBLEM = "application/problem+json"


def caller(world: World, **options: Any) -> httpx2.AsyncClient:
    transport = httpx2.ASGITransport(app(world, "http://sandbox.test/dhl", **options))
    return httpx2.AsyncClient(transport=transport, base_url="http://dhl", headers=KEY)


@pytest.fixture
async def http(world: World) -> AsyncIterator[httpx2.AsyncClient]:
    async with caller(world) as client:
        yield client


async def asked(http: httpx2.AsyncClient, number: str, **params: Any) -> httpx2.Response:
    return await http.get("/track/shipments", params={"trackingNumber": number, **params})


async def shipment(http: httpx2.AsyncClient, number: str, **params: Any) -> dict[str, Any]:
    answer = await asked(http, number, **params)
    assert answer.status_code == 200, answer.text
    (found,) = answer.json()["shipments"]
    return found


async def test_every_answer_is_as_specified(
    http: httpx2.AsyncClient,
    world: World,
    specification: Callable[[str], str],
    conforms: Callable[..., set[str]],
) -> None:
    document = yaml.safe_load(specification("dhl/tracking-unified-1.4.1.yaml"))
    name = "supermodelIoLogisticsTrackingShipments"
    newer = {"@type", "proofOfDeliverySignedAvailable", "unitText", "value"}
    for parcel in world.parcels:
        if parcel.carrier == "dhl" and parcel.events:
            answer = (await asked(http, parcel.number)).json()
            assert conforms(document, name, answer) <= newer


async def test_problems_are_as_specified(
    http: httpx2.AsyncClient, specification: Callable[[str], str], conforms: Callable[..., set[str]]
) -> None:
    document = yaml.safe_load(specification("dhl/tracking-unified-1.4.1.yaml"))
    answer = await asked(http, "8264715546")
    assert conforms(document, "supermodelIoLogisticsApiProblemDetail", answer.json()) == set()


@pytest.mark.parametrize(
    ("number", "code"),
    [
        ("DHLANNOUNCED", "pre-transit"),
        ("DHLHANDEDOVER", "transit"),
        ("DHLTRANSIT", "transit"),
        ("DHLCUSTOMS", "transit"),
        ("DHLOUTFORDELIVERY", "transit"),
        ("DHLPICKUPPOINT", "transit"),
        ("DHLDELIVERED", "delivered"),
        ("DHLEXCEPTION", "failure"),
        ("DHLRETURNED", "failure"),
    ],
)
async def test_the_status_is_the_newest_event(
    http: httpx2.AsyncClient, number: str, code: str
) -> None:
    found = await shipment(http, number)
    assert found["status"]["statusCode"] == code
    assert found["status"] == found["events"][0]


async def test_events_come_newest_first(http: httpx2.AsyncClient) -> None:
    stamps = [one["timestamp"] for one in (await shipment(http, "DHLDELIVERED"))["events"]]
    moments = [datetime.fromisoformat(one) for one in stamps]
    assert len(moments) == 6
    assert moments == sorted(moments, reverse=True)


async def test_a_delivered_shipment_has_its_proof(http: httpx2.AsyncClient) -> None:
    details = (await shipment(http, "DHLDELIVERED"))["details"]
    assert details["proofOfDelivery"]["signed"]["name"] == "Jeanne Le Goff"
    assert details["proofOfDelivery"]["signed"]["familyName"] == "Goff"
    assert details["references"] == [{"number": "WH/OUT/00007", "type": "customer-reference"}]

    url = details["proofOfDelivery"]["documentUrl"]
    assert url == "http://sandbox.test/dhl/webpod/DHLDELIVERED.pdf"
    document = await http.get("/webpod/DHLDELIVERED.pdf", headers={"DHL-API-Key": ""})
    assert document.headers["content-type"] == "application/pdf"
    assert document.content.startswith(b"%PDF-1.4")
    assert b"Jeanne Le Goff" in document.content


@pytest.mark.parametrize("number", ["DHLTRANSIT", "nothing"])
async def test_there_is_no_proof_before_the_delivery(http: httpx2.AsyncClient, number: str) -> None:
    assert (await http.get(f"/webpod/{number}.pdf")).status_code == 404


async def test_nothing_under_way_has_a_proof(http: httpx2.AsyncClient) -> None:
    assert "proofOfDelivery" not in (await shipment(http, "DHLTRANSIT"))["details"]


async def test_a_signature_may_be_a_family_name_only(http: httpx2.AsyncClient) -> None:
    signed = (await shipment(http, "DHLSHORT"))["details"]["proofOfDelivery"]["signed"]
    assert signed == {"@type": "Person", "familyName": "ROUX", "name": "ROUX"}


async def test_a_parcel_of_no_known_delivery_has_no_reference(http: httpx2.AsyncClient) -> None:
    assert "references" not in (await shipment(http, "DHLSTRAY"))["details"]


async def test_pieces_are_counted_and_named(http: httpx2.AsyncClient) -> None:
    details = (await shipment(http, "DHLPIECES"))["details"]
    assert details["totalNumberOfPieces"] == 3
    assert len(set(details["pieceIds"])) == 3


async def test_the_estimate_is_absent_where_there_is_none(http: httpx2.AsyncClient) -> None:
    assert "estimatedTimeOfDelivery" not in await shipment(http, "DHLFARAWAY")
    told = (await shipment(http, "DHLTRANSIT"))["estimatedTimeOfDelivery"]
    assert told == "2026-11-23T23:30:00+01:00"


async def test_express_tells_local_times_without_their_offset(http: httpx2.AsyncClient) -> None:
    found = await shipment(http, "DHLFARAWAY")
    assert found["service"] == "express"
    assert found["events"][-1]["timestamp"] == "2026-11-20T23:30:00"


async def test_other_services_tell_the_offset(http: httpx2.AsyncClient) -> None:
    found = await shipment(http, "DHLTRANSIT")
    assert found["service"] == "ecommerce-europe"
    assert found["events"][-1]["timestamp"] == "2026-11-20T23:30:00+01:00"


@pytest.mark.parametrize(
    ("params", "told"), [({}, False), ({"recipientPostalCode": "10115"}, True)]
)
async def test_parcel_de_tells_all_to_who_knows_the_postal_code(
    http: httpx2.AsyncClient, params: dict[str, Any], told: bool
) -> None:
    found = await shipment(http, "DHLGERMANY", **params)
    assert found["service"] == "parcel-de"
    assert ("signed" in found["details"]["proofOfDelivery"]) is told
    assert ("postalCode" in found["destination"]["address"]) is told


@pytest.mark.parametrize(
    ("number", "params"),
    [
        ("8264715546", {}),
        ("DHLUNHEARD", {}),
        ("1Z00DELIVERED", {}),
        ("DHLTRANSIT", {"service": "express"}),
        ("DHLTRANSIT", {"offset": 5}),
        ("DHLTRANSIT", {"limit": 0}),
    ],
)
async def test_what_is_not_known_is_404(
    http: httpx2.AsyncClient, number: str, params: dict[str, Any]
) -> None:
    answer = await asked(http, number, **params)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == PROBLEM
    assert answer.json()["status"] == 404
    assert answer.json()["instance"] == f"/shipment/{number}"


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"trackingNumber": " "},
        {"trackingNumber": "DHLTRANSIT", "service": "pigeon"},
        {"trackingNumber": "DHLTRANSIT", "limit": "all"},
        {"trackingNumber": "DHLTRANSIT", "offset": "-1"},
    ],
)
async def test_wrong_parameters_are_400(http: httpx2.AsyncClient, params: dict[str, Any]) -> None:
    answer = await http.get("/track/shipments", params=params)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == PROBLEM


@pytest.mark.parametrize("key", ["", "someone-else"])
async def test_the_key_is_always_checked(http: httpx2.AsyncClient, key: str) -> None:
    answer = await http.get("/track/shipments", headers={"DHL-API-Key": key})
    assert answer.status_code == 401
    assert answer.headers["content-type"] == PROBLEM
    assert answer.json()["title"] == "Unauthorized"


async def test_the_language_of_the_texts_is_told(http: httpx2.AsyncClient) -> None:
    answer = await asked(http, "DHLTRANSIT", language="de", service="ecommerce-europe", limit=5)
    assert answer.headers["content-language"] == "en"


async def test_calls_beyond_the_rate_are_429(world: World, clock: Any) -> None:
    async with caller(world, limit=Rate(1, 5), clock=clock) as http:
        assert (await asked(http, "DHLTRANSIT")).status_code == 200
        refused = await asked(http, "DHLTRANSIT")
        assert refused.status_code == 429
        assert refused.headers["content-type"] == PROBLEM
        clock.now = 5
        assert (await asked(http, "DHLTRANSIT")).status_code == 200
