"""Tokens of the sandbox's authorization server: another party's code, by the letter of the RFCs."""

from typing import Any

import httpx2
import pytest
from starlette.datastructures import Headers

from gateway.access.assembly import Parts, authenticator, protected_resource
from gateway.access.authenticate import Authenticator
from gateway.access.errors import AccessError
from gateway.settings.access import TokenSettings
from ports.caller import Caller, CallerKind
from sandbox.credentials import OAUTH_AUDIENCE, OAUTH_INTROSPECTION_ID, OAUTH_SECRETS
from sandbox.oauth.app import app
from sandbox.seed import build
from sandbox.world import World
from tests.gateway.access.issuing import Noted

ISSUER = "http://127.0.0.1:7100"


class Counted(httpx2.AsyncBaseTransport):
    def __init__(self, world: World) -> None:
        self.asked: list[str] = []
        self._served = httpx2.ASGITransport(app=app(world, ISSUER))

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(request.url.path)
        return await self._served.handle_async_request(request)


@pytest.fixture(scope="module")
def world() -> World:
    return build()


@pytest.fixture
def issuer(world: World) -> Counted:
    return Counted(world)


@pytest.fixture
def gate(issuer: Counted) -> Authenticator:
    asked = {"client_id": OAUTH_INTROSPECTION_ID}
    asked["client_secret"] = OAUTH_SECRETS[OAUTH_INTROSPECTION_ID]
    told = {"issuer": ISSUER, "audience": OAUTH_AUDIENCE, "introspection": asked}
    claims = {"staff": "staff"}
    settings = TokenSettings.model_validate({"issuers": [told], "claims": claims})
    resource = protected_resource(settings, "https://gateway.example", [])
    return authenticator(settings, resource, Parts(Noted(), transport=issuer))


async def token(issuer: Counted, client: str, **more: str) -> str:
    async with httpx2.AsyncClient(transport=issuer, base_url=ISSUER) as asking:
        form = {"grant_type": "client_credentials", **more}
        answer = await asking.post("/token", data=form, auth=(client, OAUTH_SECRETS[client]))
    told: dict[str, Any] = answer.json()
    return str(told["access_token"])


async def bearer(gate: Authenticator, text: str) -> Caller:
    return await gate.caller(Headers({"Authorization": f"Bearer {text}"}))


@pytest.mark.parametrize("client", ["storefront", "storefront-opaque"])
async def test_a_shop(gate: Authenticator, issuer: Counted, client: str) -> None:
    found = await bearer(gate, await token(issuer, client))

    assert (found.subject, found.kind) == (client, CallerKind.APPLICATION)
    assert found.customer is not None
    assert found.customers == {found.customer}
    assert "orders:read" in found.scopes


async def test_a_partner_of_two_customers(gate: Authenticator, issuer: Counted) -> None:
    found = await bearer(gate, await token(issuer, "partner"))

    assert found.customer is None
    assert len(found.customers or ()) == 2


async def test_our_own_office(gate: Authenticator, issuer: Counted) -> None:
    found = await bearer(gate, await token(issuer, "back-office"))

    assert (found.kind, found.customers) == (CallerKind.STAFF, None)


@pytest.mark.parametrize("client", ["storefront", "storefront-opaque"])
async def test_a_token_for_another_api(gate: Authenticator, issuer: Counted, client: str) -> None:
    with pytest.raises(AccessError):
        await bearer(gate, await token(issuer, client, resource="https://elsewhere.example"))


async def test_rotation(gate: Authenticator, issuer: Counted) -> None:
    old = await token(issuer, "storefront")
    await bearer(gate, old)
    async with httpx2.AsyncClient(transport=issuer, base_url=ISSUER) as asking:
        await asking.post("/_rotate")

    await bearer(gate, await token(issuer, "partner"))
    await bearer(gate, old)

    assert issuer.asked.count("/jwks") == 2
