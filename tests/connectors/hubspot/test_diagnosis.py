"""What HubSpot tells of a portal and its token, and what is made of it."""

import json
from collections.abc import Mapping
from typing import Any

import httpx2
import pytest

from connectors import registry
from connectors.hubspot.config import HubSpotConfig
from connectors.hubspot.connector import HubSpot
from upstream.connector import Upstream
from upstream.diagnosis import Finding
from upstream.exchanges import Exchanges
from upstream.reference import own_call

SCOPES = [
    "crm.objects.companies.read",
    "crm.objects.contacts.read",
    "crm.objects.owners.read",
    "crm.schemas.companies.read",
]
TOKEN_PATH = "/oauth/v2/private-apps/get/access-token-info"
ACCOUNT = {"portalId": 62, "accountType": "STANDARD", "dataHostingLocation": "eu1"}


async def found_by(
    scopes: list[str] | None = None, companies: int = 60, status: int = 200
) -> tuple[Mapping[str, Finding], dict[str, Any]]:
    asked: dict[str, Any] = {}

    def answer(request: httpx2.Request) -> httpx2.Response:
        path = request.url.path
        asked[path] = json.loads(request.content) if request.content else None
        told: dict[str, Any] = {"total": companies, "results": [{"id": "1"}]}
        if path == TOKEN_PATH:
            told = {"userId": 1, "hubId": 62, "scopes": SCOPES if scopes is None else scopes}
            return httpx2.Response(status, json=told)
        return httpx2.Response(200, json=ACCOUNT if "account-info" in path else told)

    config = HubSpotConfig.model_validate(HubSpotConfig.example())
    manifest = registry.find("hubspot").manifest
    upstream = Upstream("crm", manifest, Exchanges(), httpx2.MockTransport(answer))
    hubspot = HubSpot(upstream, config)
    try:
        steps = await hubspot.diagnose(call=own_call())
    finally:
        await hubspot.aclose()
    return {one.step: one for one in steps}, asked


async def test_all_is_well() -> None:
    steps, asked = await found_by()

    assert steps["version"].detail == "portal 62 STANDARD eu1, API v3"
    assert {one.outcome for one in steps.values()} == {"passed", "skipped"}
    assert asked[TOKEN_PATH] == {"tokenKey": "pat-eu1-0123456789abcdef"}
    assert "/crm/v3/objects/companies/search" in asked


@pytest.mark.parametrize(
    ("scopes", "outcome", "named"),
    [
        (SCOPES[1:], "failed", "crm.objects.companies.read"),
        (SCOPES[:3], "warning", "crm.schemas.companies.read"),
        ([*SCOPES, "crm.objects.deals.write"], "warning", "crm.objects.deals.write"),
    ],
    ids=["one needed is missing", "one is missing", "one too many"],
)
async def test_scopes_of_the_token(scopes: list[str], outcome: str, named: str) -> None:
    steps, _ = await found_by(scopes)

    assert steps["scopes"].outcome == outcome
    assert named in steps["scopes"].detail


async def test_no_company_with_a_number() -> None:
    steps, _ = await found_by(companies=0)

    assert (steps["rights companies"].outcome, steps["rights companies"].empty) == ("failed", True)


async def test_what_the_token_may_not_know_is_skipped() -> None:
    steps, _ = await found_by(status=403)

    assert steps["scopes"].outcome == "skipped"
