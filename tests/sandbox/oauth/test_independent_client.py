"""Authlib's client, which shares no line with ours, gets on with the server."""

from collections.abc import AsyncIterator

import httpx2
import pytest
from authlib.integrations.httpx_client import AsyncOAuth2Client

from sandbox.credentials import OAUTH_SECRETS
from sandbox.oauth import app
from sandbox.world import World
from tests.sandbox.oauth.conftest import BACK, ISSUER, VERIFIER, Flow


@pytest.fixture
def transport(world: World) -> httpx2.ASGITransport:
    return httpx2.ASGITransport(app=app(world, ISSUER))


@pytest.fixture
async def browser(transport: httpx2.ASGITransport) -> AsyncIterator[Flow]:
    async with httpx2.AsyncClient(transport=transport, base_url=ISSUER) as http:
        yield Flow(http)


async def test_a_public_client_signs_in_refreshes_and_revokes(
    transport: httpx2.ASGITransport, browser: Flow
) -> None:
    async with AsyncOAuth2Client(
        "ide",
        scope="openid orders:read offline_access",
        redirect_uri=BACK,
        code_challenge_method="S256",
        token_endpoint_auth_method="none",
        token_endpoint=f"{ISSUER}/token",
        transport=transport,
    ) as client:
        address, state = client.create_authorization_url(
            f"{ISSUER}/authorize", code_verifier=VERIFIER
        )
        browser.asked = dict(httpx2.URL(address).params)
        back = (await browser.choose("staff")).headers["location"]
        token = await client.fetch_token(
            f"{ISSUER}/token", authorization_response=back, state=state, code_verifier=VERIFIER
        )
        assert token["scope"] == "orders:read openid offline_access"
        assert (await client.get(f"{ISSUER}/userinfo")).json() == {"sub": "staff"}
        fresh = await client.refresh_token(f"{ISSUER}/token")
        assert fresh["access_token"] != token["access_token"]
        gone = await client.revoke_token(f"{ISSUER}/revoke", token=fresh["refresh_token"])
        assert gone.status_code == 200
    assert await browser.introspect(fresh["access_token"]) == {"active": False}


async def test_a_machine_gets_a_token_and_asks_what_it_is_worth(
    transport: httpx2.ASGITransport,
) -> None:
    async with AsyncOAuth2Client(
        "storefront", OAUTH_SECRETS["storefront"], transport=transport
    ) as client:
        token = await client.fetch_token(f"{ISSUER}/token", grant_type="client_credentials")
        told = await client.introspect_token(f"{ISSUER}/introspect", token=token["access_token"])
        assert told.json()["customer_number"] == "C10001"
