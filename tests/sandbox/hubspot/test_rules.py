"""HubSpot's rules one by one, on the wire."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from sandbox.credentials import HUBSPOT_TOKEN
from sandbox.hubspot import Limits, app
from sandbox.rate import Rate
from sandbox.world import World

BEARER = {"Authorization": f"Bearer {HUBSPOT_TOKEN}"}
COMPANIES = "/crm/v3/objects/companies"


def caller(world: World, **options: Any) -> httpx2.AsyncClient:
    served = app(world, "http://sandbox.test/hubspot", **options)
    transport = httpx2.ASGITransport(served)
    return httpx2.AsyncClient(transport=transport, base_url="http://hubspot", headers=BEARER)


@pytest.fixture
async def http(world: World) -> AsyncIterator[httpx2.AsyncClient]:
    async with caller(world) as client:
        yield client


async def searched(http: httpx2.AsyncClient, **body: Any) -> dict[str, Any]:
    answer = await http.post(f"{COMPANIES}/search", json={"properties": ["name"], **body})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def numbers(http: httpx2.AsyncClient, name: str, operator: str, **operand: Any) -> list[int]:
    """The indexes of the companies a single filter finds."""
    one = {"propertyName": name, "operator": operator, **operand}
    body = await searched(http, filterGroups=[{"filters": [one]}], limit=200)
    assert body["total"] == len(body["results"])
    return [int(found["id"]) - 9_000 for found in body["results"]]


ALL = list(range(1, 121))


@pytest.mark.parametrize(
    ("name", "operator", "operand", "expected"),
    [
        ("customer_number", "EQ", {"value": "C00004"}, [4]),
        ("customer_number", "EQ", {"value": "c00004"}, [4]),
        ("customer_number", "NEQ", {"value": "C00004"}, [at for at in ALL if at != 4]),
        ("customer_number", "IN", {"values": ["C00004", "C99999"]}, [4]),
        ("customer_number", "NOT_IN", {"values": ["C00004"]}, [at for at in ALL if at != 4]),
        ("hs_object_id", "LT", {"value": "9003"}, [1, 2]),
        ("hs_object_id", "LTE", {"value": "9002"}, [1, 2]),
        ("hs_object_id", "GT", {"value": "9119"}, [120]),
        ("hs_object_id", "GTE", {"value": "9119"}, [119, 120]),
        ("hs_object_id", "BETWEEN", {"value": "9004", "highValue": "9006"}, [4, 5, 6]),
        ("vat_number", "NOT_HAS_PROPERTY", {}, [3]),
        ("vat_number", "HAS_PROPERTY", {}, [at for at in ALL if at != 3]),
        ("name", "CONTAINS_TOKEN", {"value": "durand 12"}, [12]),
        ("name", "NOT_CONTAINS_TOKEN", {"value": "atelier"}, []),
        ("email", "CONTAINS_TOKEN", {"value": "*@atelier7.example"}, [7]),
        ("name", "CONTAINS_TOKEN", {"value": "Dur*"}, ALL),
    ],
)
async def test_filters(
    http: httpx2.AsyncClient, name: str, operator: str, operand: dict[str, Any], expected: Any
) -> None:
    assert await numbers(http, name, operator, **operand) == expected


async def test_moments_compare_as_iso_or_milliseconds(
    http: httpx2.AsyncClient, world: World
) -> None:
    created = world.now - timedelta(days=899)
    iso, milliseconds = created.isoformat(), str(int(created.timestamp() * 1000))

    assert await numbers(http, "createdate", "LT", value=iso) == [1]
    assert await numbers(http, "createdate", "LTE", value=milliseconds) == [1, 2]


async def test_groups_are_alternatives_and_their_filters_all_hold(http: httpx2.AsyncClient) -> None:
    def one(name: str, value: str) -> dict[str, str]:
        return {"propertyName": name, "operator": "EQ", "value": value}

    body = await searched(
        http,
        filterGroups=[
            {"filters": [one("customer_number", "C00001"), one("segment", "standard")]},
            {"filters": [one("customer_number", "C00002"), one("segment", "standard")]},
        ],
    )
    assert [found["id"] for found in body["results"]] == ["9002"]


async def test_free_text_finds_beginnings_of_words(http: httpx2.AsyncClient) -> None:
    body = await searched(http, query="atel 11")
    assert [found["id"] for found in body["results"]] == [
        str(9_000 + at) for at in (11, *range(110, 120))
    ][:10]
    assert body["total"] == 11


async def test_a_search_is_sorted_and_paged(http: httpx2.AsyncClient) -> None:
    sorts = [{"propertyName": "hs_object_id", "direction": "DESCENDING"}]
    body = await searched(http, sorts=sorts, limit=2, after="117")
    assert [found["id"] for found in body["results"]] == ["9003", "9002"]
    assert body["paging"]["next"]["after"] == "119"

    last = await searched(http, sorts=sorts, limit=2, after="119")
    assert [found["id"] for found in last["results"]] == ["9001"]
    assert "paging" not in last


async def test_a_search_tells_no_more_than_asked(http: httpx2.AsyncClient) -> None:
    body = await searched(http, query="Atelier 5", properties=["phone", "vat_number", "unheard"])
    assert set(body["results"][0]["properties"]) == {
        "createdate", "hs_lastmodifieddate", "hs_object_id", "phone", "vat_number",
    }  # fmt: skip


async def test_contacts_name_their_last_change_otherwise(http: httpx2.AsyncClient) -> None:
    answer = await http.get("/crm/v3/objects/contacts/5001")
    assert set(answer.json()["properties"]) == {
        "createdate", "email", "firstname", "hs_object_id", "lastmodifieddate", "lastname",
    }  # fmt: skip


@pytest.mark.parametrize(
    "body",
    [
        {"limit": 201},
        {"limit": "many"},
        {"after": "next"},
        {"limit": 100, "after": "9901"},
        {"query": "x" * 3001},
        {"filterGroups": [{"filters": []}] * 6},
        {"filterGroups": "all"},
        {"filterGroups": [{"filters": [{"propertyName": "unheard", "operator": "EQ"}]}]},
        {"filterGroups": [{"filters": [{"propertyName": "name", "operator": "LIKE"}]}]},
        {"filterGroups": [{"filters": [{"propertyName": "name", "operator": "EQ"}]}]},
        {"filterGroups": [{"filters": [{"propertyName": "name", "operator": "IN"}]}]},
        {
            "filterGroups": [
                {"filters": [{"propertyName": "createdate", "operator": "GT", "value": "soon"}]}
            ]
        },
        {"filterGroups": [{"filters": [{"propertyName": "name", "operator": "HAS_PROPERTY"}] * 7}]},
        {
            "filterGroups": [
                {"filters": [{"propertyName": "name", "operator": "HAS_PROPERTY"}] * 5}
            ]
            * 4
        },
        {"sorts": [{"propertyName": "unheard"}]},
        {"sorts": [{"propertyName": "name", "direction": "UP"}]},
        {"sorts": [{}]},
        {"sorts": ["name", "phone"]},
    ],
)
async def test_a_wrong_search_is_refused(http: httpx2.AsyncClient, body: dict[str, Any]) -> None:
    answer = await http.post(f"{COMPANIES}/search", json=body)
    assert answer.status_code == 400
    assert answer.json()["category"] == "VALIDATION_ERROR"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"inputs": []}, 400),
        ({"inputs": [{"id": 9001}]}, 400),
        ({"inputs": ["9001"]}, 400),
        ({"inputs": [{"id": "9001"}, {"id": "9001"}]}, 400),
        ({"inputs": [{"id": "9001"}], "idProperty": "name"}, 400),
        ({"inputs": [{"id": str(9001 + at)} for at in range(100)]}, 200),
        ({"inputs": [{"id": str(9001 + at)} for at in range(101)]}, 400),
        ({"inputs": [{"id": "nobody"}]}, 207),
    ],
)
async def test_a_batch_takes_one_to_a_hundred_different_ids(
    http: httpx2.AsyncClient, body: dict[str, Any], status: int
) -> None:
    answer = await http.post(f"{COMPANIES}/batch/read", json=body)
    assert answer.status_code == status


async def test_a_batch_where_all_are_missing_has_no_results(http: httpx2.AsyncClient) -> None:
    answer = await http.post(f"{COMPANIES}/batch/read", json={"inputs": [{"id": "1"}]})
    assert answer.json()["results"] == []
    assert answer.json()["errors"][0]["status"] == "error"


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({"content": b"{", "headers": {"Content-Type": "application/json"}}, 400),
        ({"content": b"[]", "headers": {"Content-Type": "application/json"}}, 400),
        ({"data": {"inputs": "1"}}, 415),
    ],
)
async def test_a_body_is_a_json_object(
    http: httpx2.AsyncClient, sent: dict[str, Any], status: int
) -> None:
    assert (await http.post(f"{COMPANIES}/batch/read", **sent)).status_code == status


async def test_links_hold_where_the_sandbox_is_mounted(world: World) -> None:
    served = Starlette(routes=[Mount("/hubspot", app(world, "http://sandbox.test/hubspot"))])
    transport = httpx2.ASGITransport(served)
    async with httpx2.AsyncClient(transport=transport, base_url="http://sandbox.test") as http:
        answer = (await http.get(f"/hubspot{COMPANIES}", headers=BEARER)).json()
        link = answer["paging"]["next"]["link"]
        assert link == f"http://sandbox.test/hubspot{COMPANIES}?after=9011"
        rest = (await http.get(link, headers=BEARER)).json()
        assert rest["results"][0]["id"] == "9011"


async def test_a_list_ends_its_pages_with_a_link(http: httpx2.AsyncClient) -> None:
    answer = (await http.get(COMPANIES, params={"limit": 100, "properties": "name,phone"})).json()
    assert answer["paging"]["next"]["after"] == "9101"
    link = answer["paging"]["next"]["link"]
    assert link.startswith("http://sandbox.test/hubspot/crm/v3/objects/companies?")
    assert "after=9101" in link

    rest = (await http.get(COMPANIES, params={"limit": 100, "after": "9101"})).json()
    assert len(rest["results"]) == 20
    assert "paging" not in rest


@pytest.mark.parametrize("params", [{"limit": 101}, {"limit": 0}, {"limit": "x"}, {"after": "x"}])
async def test_a_wrong_page_is_refused(http: httpx2.AsyncClient, params: dict[str, Any]) -> None:
    assert (await http.get(COMPANIES, params=params)).status_code == 400


async def test_nothing_is_archived(http: httpx2.AsyncClient) -> None:
    params = {"archived": "true"}
    assert (await http.get(COMPANIES, params=params)).json() == {"results": []}
    assert (await http.get(f"{COMPANIES}/9001", params=params)).status_code == 404
    body = {"inputs": [{"id": "9001"}]}
    read = await http.post(f"{COMPANIES}/batch/read", params=params, json=body)
    assert read.status_code == 207


async def test_the_dated_paths_answer_alike(http: httpx2.AsyncClient) -> None:
    dated = await http.get("/crm/objects/2026-09/companies/9001", params={"properties": "name"})
    older = await http.get(f"{COMPANIES}/9001", params={"properties": "name"})
    assert dated.json() == older.json()

    body = {"inputs": [{"id": "9001"}]}
    for path in ("/crm/v4/associations", "/crm/associations/2026-09"):
        links = await http.post(f"{path}/companies/contacts/batch/read", json=body)
        assert links.status_code == 200
    assert (await http.get("/crm/owners/2026-09")).json()["results"][0]["id"] == "70"
    assert (await http.get("/crm/properties/2026-09/contacts/email")).json()["hasUniqueValue"]


async def test_types_have_three_names(http: httpx2.AsyncClient) -> None:
    for name in ("companies", "company", "0-2"):
        assert (await http.get(f"/crm/v3/objects/{name}/9001")).json()["id"] == "9001"


async def test_other_types_are_out_of_scope_or_unheard_of(http: httpx2.AsyncClient) -> None:
    assert (await http.get("/crm/v3/objects/deals")).json()["category"] == "MISSING_SCOPES"
    assert (await http.get("/crm/v3/objects/deals")).status_code == 403
    assert (await http.get("/crm/v3/objects/spaceships")).status_code == 400


async def test_associations_by_contact_and_by_page(http: httpx2.AsyncClient) -> None:
    read = await http.post(
        "/crm/v4/associations/contacts/companies/batch/read", json={"inputs": [{"id": "5002"}]}
    )
    assert read.json()["results"] == [
        {
            "from": {"id": "5002"},
            "to": [
                {
                    "toObjectId": 9001,
                    "associationTypes": [
                        {"category": "HUBSPOT_DEFINED", "typeId": 1, "label": "Primary"},
                        {"category": "HUBSPOT_DEFINED", "typeId": 279, "label": None},
                    ],
                }
            ],
        }
    ]

    page = "/crm/v4/objects/companies/9001/associations/contacts"
    first = (await http.get(page, params={"limit": 1})).json()
    assert [one["toObjectId"] for one in first["results"]] == [5001]
    rest = (await http.get(page, params=first["paging"]["next"])).json()
    assert [one["toObjectId"] for one in rest["results"]] == [5002]
    assert "paging" not in rest


async def test_wrong_associations_are_refused(http: httpx2.AsyncClient) -> None:
    path = "/crm/v4/associations/companies/contacts/batch/read"
    many = {"inputs": [{"id": str(at)} for at in range(1001)]}
    assert (await http.post(path, json=many)).status_code == 400
    odd = {"inputs": [{"id": "9001", "after": "next"}]}
    assert (await http.post(path, json=odd)).status_code == 400
    own = "/crm/v4/associations/companies/companies/batch/read"
    assert (await http.post(own, json={"inputs": [{"id": "9001"}]})).status_code == 400
    page = "/crm/v4/objects/companies/1/associations/contacts"
    assert (await http.get(page)).status_code == 404


async def test_company_facts_become_properties(http: httpx2.AsyncClient) -> None:
    asked = ["domain", "address", "zip", "city", "vat_number", "hubspot_owner_id"]
    params = {"properties": [*asked, "pref_partialdelivery"], "idProperty": "customer_number"}
    told = (await http.get(f"{COMPANIES}/C00001", params=params)).json()["properties"]
    assert told | {"createdate": "", "hs_lastmodifieddate": ""} == {
        "createdate": "",
        "hs_lastmodifieddate": "",
        "hs_object_id": "9001",
        "domain": "atelier1.example",
        "address": "1 rue",
        "zip": "75001",
        "city": "Paris",
        "vat_number": "FR00000000001",
        "hubspot_owner_id": "71",
        "pref_partialdelivery": "yes",
    }
    unset = (await http.get(f"{COMPANIES}/9003", params={"properties": "vat_number,city"})).json()
    assert unset["properties"]["vat_number"] is None
    assert unset["properties"]["city"] is None


async def test_owners_by_email_user_and_state(http: httpx2.AsyncClient) -> None:
    owners = "/crm/v3/owners"
    found = (await http.get(owners, params={"email": "rep1@passerelle.example"})).json()["results"]
    assert [one["id"] for one in found] == ["71"]
    params = {"idProperty": "userId"}
    same = await http.get(f"{owners}/{found[0]['userId']}", params=params)
    assert same.json() == found[0]
    assert (await http.get(f"{owners}/9")).status_code == 404
    assert (await http.get(owners, params={"archived": "true"})).json()["results"] == []
    assert (await http.get(owners, params={"after": "x"})).status_code == 400


async def test_an_unknown_property_is_not_found(http: httpx2.AsyncClient) -> None:
    assert (await http.get("/crm/v3/properties/companies/unheard")).status_code == 404


@pytest.mark.parametrize("token", ["", "Bearer", "Bearer pat-other", f"Basic {HUBSPOT_TOKEN}"])
async def test_the_token_is_always_checked(http: httpx2.AsyncClient, token: str) -> None:
    answer = await http.get(COMPANIES, headers={"Authorization": token})
    assert answer.status_code == 401
    error = answer.json()
    assert error["status"] == "error"
    assert error["category"] == "INVALID_AUTHENTICATION"
    assert error["correlationId"]


async def test_no_path_and_no_method_answer_in_json(http: httpx2.AsyncClient) -> None:
    assert (await http.get("/crm/v3/nowhere")).json()["status"] == "error"
    assert (await http.delete(f"{COMPANIES}/9001")).status_code == 405


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


async def test_calls_beyond_the_rate_are_turned_away_until_it_refills(world: World) -> None:
    clock = Clock()
    limits = Limits(calls=Rate(2, 10), searches=Rate(1, 1))
    async with caller(world, limits=limits, clock=clock) as http:
        first = await http.get(COMPANIES)
        assert first.headers["X-HubSpot-RateLimit-Max"] == "2"
        assert first.headers["X-HubSpot-RateLimit-Remaining"] == "1"
        assert first.headers["X-HubSpot-RateLimit-Interval-Milliseconds"] == "10000"
        await http.get(COMPANIES)

        refused = await http.get(COMPANIES)
        assert refused.status_code == 429
        assert refused.json()["policyName"] == "TEN_SECONDLY_ROLLING"
        assert refused.json()["errorType"] == "RATE_LIMIT"

        clock.now = 5
        assert (await http.get(COMPANIES)).status_code == 200


async def test_searches_have_a_rate_of_their_own_and_no_headers(world: World) -> None:
    clock = Clock()
    async with caller(world, limits=Limits(searches=Rate(1, 1)), clock=clock) as http:
        first = await http.post(f"{COMPANIES}/search", json={})
        assert first.status_code == 200
        assert "X-HubSpot-RateLimit-Max" not in first.headers

        refused = await http.post(f"{COMPANIES}/search", json={})
        assert refused.status_code == 429
        assert refused.json()["policyName"] == "SECONDLY"
        assert (await http.get(COMPANIES)).status_code == 200

        clock.now = 1
        assert (await http.post(f"{COMPANIES}/search", json={})).status_code == 200


TOKEN_INFO = "/oauth/v2/private-apps/get/access-token-info"


async def test_the_account_and_what_a_token_may_do(http: httpx2.AsyncClient) -> None:
    account = (await http.get("/account-info/v3/details")).json()
    token = (await http.post(TOKEN_INFO, json={"tokenKey": HUBSPOT_TOKEN})).json()

    assert token["hubId"] == account["portalId"]
    assert "crm.objects.companies.read" in token["scopes"]


@pytest.mark.parametrize("body", [b'{"tokenKey": "another"}', b"[]", b"{"])
async def test_nothing_is_told_of_other_tokens(http: httpx2.AsyncClient, body: bytes) -> None:
    assert (await http.post(TOKEN_INFO, content=body)).status_code == 404
