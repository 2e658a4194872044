"""UPS's token and tracking: their rules on the wire, their answers against the specifications."""

import base64
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx2
import pytest

from sandbox.credentials import UPS_CLIENT_ID, UPS_CLIENT_SECRET
from sandbox.rate import Rate
from sandbox.ups import Terms, app
from sandbox.world import World

TOKEN = "/security/v1/oauth/token"
CLIENT = (UPS_CLIENT_ID, UPS_CLIENT_SECRET)
GRANT = {"grant_type": "client_credentials"}
REQUIRED = {"transId": "42", "transactionSrc": "tests"}


def caller(world: World, **options: Any) -> httpx2.AsyncClient:
    transport = httpx2.ASGITransport(app(world, "http://sandbox.test/ups", **options))
    return httpx2.AsyncClient(transport=transport, base_url="http://ups")


async def signed_in(http: httpx2.AsyncClient) -> None:
    answer = await http.post(TOKEN, data=GRANT, auth=CLIENT)
    assert answer.status_code == 200, answer.text
    http.headers.update({"Authorization": f"Bearer {answer.json()['access_token']}", **REQUIRED})


@pytest.fixture
async def http(world: World) -> AsyncIterator[httpx2.AsyncClient]:
    async with caller(world) as client:
        await signed_in(client)
        yield client


async def asked(http: httpx2.AsyncClient, number: str, **params: Any) -> httpx2.Response:
    return await http.get(f"/api/track/v1/details/{number}", params=params)


async def package(http: httpx2.AsyncClient, number: str, **params: Any) -> dict[str, Any]:
    answer = await asked(http, number, **params)
    assert answer.status_code == 200, answer.text
    (shipment,) = answer.json()["trackResponse"]["shipment"]
    assert shipment["inquiryNumber"] == number
    (found,) = shipment["package"]
    return found


def error(answer: httpx2.Response) -> str:
    (one,) = answer.json()["response"]["errors"]
    assert one["message"]
    return one["code"]


async def test_every_answer_is_as_specified(
    http: httpx2.AsyncClient,
    world: World,
    specification: Callable[[str], str],
    conforms: Callable[..., set[str]],
) -> None:
    document = json.loads(specification("ups/Tracking.json"))
    wishes = {"returnSignature": "true", "returnMilestones": "true", "returnPOD": "true"}
    for parcel in world.parcels:
        if parcel.carrier == "ups":
            answer = (await asked(http, parcel.number, **wishes)).json()
            assert conforms(document, "TrackApiResponse", answer) == set()


async def test_errors_are_as_specified(
    http: httpx2.AsyncClient, specification: Callable[[str], str], conforms: Callable[..., set[str]]
) -> None:
    document = json.loads(specification("ups/Tracking.json"))
    answer = await asked(http, "short")
    assert conforms(document, "Response", answer.json()) == set()


async def test_the_token_is_as_specified(
    http: httpx2.AsyncClient, specification: Callable[[str], str], conforms: Callable[..., set[str]]
) -> None:
    document = json.loads(specification("ups/OAuthClientCredentials.json"))
    answer = (await http.post(TOKEN, data=GRANT, auth=CLIENT)).json()
    assert conforms(document, "tokenSuccessResponse", answer) == set()
    assert answer["expires_in"] == "14399"
    assert answer["token_type"] == "Bearer"

    refused = (await http.post(TOKEN, data=GRANT)).json()
    assert conforms(document, "tokenErrorResponse", refused) == set()


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        ({"data": GRANT, "auth": ("someone", "else")}, 401, "10401"),
        ({"data": GRANT, "headers": {"Authorization": "Basic ???"}}, 401, "10401"),
        ({"data": {"grant_type": "password"}, "auth": CLIENT}, 400, "10400"),
        ({"data": {}, "auth": CLIENT}, 400, "10400"),
        ({"json": GRANT, "auth": CLIENT}, 400, "10400"),
        ({"params": GRANT, "auth": CLIENT}, 400, "10400"),
    ],
)
async def test_a_token_needs_the_client_and_the_grant(
    world: World, sent: dict[str, Any], status: int, code: str
) -> None:
    async with caller(world) as http:
        answer = await http.post(TOKEN, **sent)
        assert answer.status_code == status
        assert error(answer) == code


async def test_a_token_ends(world: World, clock: Any) -> None:
    async with caller(world, terms=Terms(token_seconds=60), clock=clock) as http:
        await signed_in(http)
        clock.now = 59
        assert (await asked(http, "1Z00TRANSIT")).status_code == 200
        clock.now = 60
        late = await asked(http, "1Z00TRANSIT")
        assert late.status_code == 401
        assert error(late) == "250002"

        await signed_in(http)
        assert (await asked(http, "1Z00TRANSIT")).status_code == 200


async def test_tokens_beyond_the_quota_are_429(world: World, clock: Any) -> None:
    async with caller(world, terms=Terms(tokens=Rate(1, 10)), clock=clock) as http:
        await signed_in(http)
        assert (await http.post(TOKEN, data=GRANT, auth=CLIENT)).status_code == 429


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer someone-else"])
async def test_the_token_is_always_checked(http: httpx2.AsyncClient, authorization: str) -> None:
    headers = {"Authorization": authorization}
    answer = await http.get("/api/track/v1/details/1Z00TRANSIT", headers=headers)
    assert answer.status_code == 401
    assert error(answer) == "250002"


@pytest.mark.parametrize(("header", "code"), [("transId", "TV0002"), ("transactionSrc", "TV0004")])
async def test_two_headers_are_required(http: httpx2.AsyncClient, header: str, code: str) -> None:
    del http.headers[header]
    answer = await asked(http, "1Z00TRANSIT")
    assert answer.status_code == 400
    assert error(answer) == code


async def test_an_unknown_number_is_a_warning_in_a_200(http: httpx2.AsyncClient) -> None:
    for number in ("1Z5629230309413682", "1Z00UNHEARD", "DHLTRANSIT"):
        answer = await asked(http, number)
        assert answer.status_code == 200
        assert answer.json()["trackResponse"]["shipment"] == [
            {
                "inquiryNumber": number,
                "warnings": [{"code": "TW0001", "message": "Tracking Information Not Found"}],
            }
        ]


@pytest.mark.parametrize("number", ["short", "x" * 35, "1Z00-TRANSIT"])
async def test_a_malformed_number_is_404(http: httpx2.AsyncClient, number: str) -> None:
    answer = await asked(http, number)
    assert answer.status_code == 404
    assert error(answer) == "TV1002"


@pytest.mark.parametrize("locale", ["french", "fr-FR", ""])
async def test_a_malformed_locale_is_400(http: httpx2.AsyncClient, locale: str) -> None:
    assert (await asked(http, "1Z00TRANSIT", locale=locale)).status_code == 400


@pytest.mark.parametrize(
    ("number", "type_", "code"),
    [
        ("1Z00ANNOUNCED", "M", "003"),
        ("1Z00HANDEDOVER", "P", "038"),
        ("1Z00TRANSIT", "I", "005"),
        ("1Z00CUSTOMS", "I", "012"),
        ("1Z00OUTFORDELIVERY", "I", "021"),
        ("1Z00PICKUPPOINT", "D", "040"),
        ("1Z00DELIVERED", "D", "011"),
        ("1Z00EXCEPTION", "X", "013"),
        ("1Z00RETURNED", "RS", "034"),
    ],
)
async def test_the_current_status(
    http: httpx2.AsyncClient, number: str, type_: str, code: str
) -> None:
    found = await package(http, number, locale="fr_FR")
    assert found["currentStatus"]["type"] == type_
    assert found["currentStatus"]["code"] == code
    assert found["currentStatus"]["statusCode"] == code
    assert found["activity"][0]["status"]["statusCode"] == code


async def test_activities_come_newest_first_in_local_and_world_time(
    http: httpx2.AsyncClient,
) -> None:
    activities = (await package(http, "1Z00TRANSIT"))["activity"]
    assert [one["status"]["code"] for one in activities] == ["AR", "AR", "PU", "MP"]
    oldest = activities[-1]
    assert (oldest["date"], oldest["time"]) == ("20261120", "233000")
    assert oldest["gmtDate"] == "20261120"
    assert oldest["gmtTime"] == "22:30:00"
    assert oldest["gmtOffset"] == "+01:00"
    assert activities[-2]["date"] == "20261121"
    assert activities[-2]["time"] == "003000"
    assert activities[-2]["gmtDate"] == "20261120"


async def test_a_delivered_package_tells_when_and_to_whom(http: httpx2.AsyncClient) -> None:
    found = await package(http, "1Z00DELIVERED")
    assert found["deliveryDate"] == [{"type": "DEL", "date": "20261121"}]
    assert found["deliveryTime"] == {"type": "DEL", "endTime": "043000"}
    assert found["deliveryInformation"]["receivedBy"] == "Jeanne Le Goff"
    assert set(found["deliveryInformation"]) == {"location", "receivedBy"}
    assert found["referenceNumber"] == [{"type": "SHIPMENT", "number": "WH/OUT/00007"}]


async def test_signature_and_proof_come_when_asked_for(http: httpx2.AsyncClient) -> None:
    wishes = {"returnSignature": "true", "returnPOD": "true"}
    told = (await package(http, "1Z00DELIVERED", **wishes))["deliveryInformation"]
    assert base64.b64decode(told["signature"]["image"]).startswith(b"GIF89a")
    assert base64.b64decode(told["pod"]["content"]).startswith(b"%PDF-1.4")


@pytest.mark.parametrize(
    ("number", "dates"),
    [
        ("1Z00TRANSIT", [{"type": "SDD", "date": "20261123"}]),
        ("1Z00LATE", [{"type": "RDD", "date": "20261123"}]),
        ("1Z00FARAWAY", []),
    ],
)
async def test_a_package_under_way_tells_when_it_is_expected(
    http: httpx2.AsyncClient, number: str, dates: list[dict[str, str]]
) -> None:
    found = await package(http, number)
    assert found["deliveryDate"] == dates
    assert found.get("deliveryTime", {}).get("type") == ("EDW" if dates else None)
    assert "deliveryInformation" not in found


async def test_the_window_of_the_estimate_is_local(http: httpx2.AsyncClient) -> None:
    time = (await package(http, "1Z00TRANSIT"))["deliveryTime"]
    assert time == {"type": "EDW", "startTime": "213000", "endTime": "233000"}


async def test_an_access_point_tells_until_when_it_waits(http: httpx2.AsyncClient) -> None:
    found = await package(http, "1Z00PICKUPPOINT")
    assert found["accessPointInformation"] == {"pickupByDate": "20261128"}


async def test_milestones_come_oldest_first_when_asked_for(http: httpx2.AsyncClient) -> None:
    assert "milestones" not in await package(http, "1Z00TRANSIT")
    told = (await package(http, "1Z00TRANSIT", returnMilestones="true"))["milestones"]
    assert [(one["state"], one["current"], one.get("linkedActivity")) for one in told] == [
        ("COMPLETE", False, "3"),
        ("COMPLETE", False, "2"),
        ("COMPLETE", True, "0"),
        ("INCOMPLETE", False, None),
        ("INCOMPLETE", False, None),
    ]
