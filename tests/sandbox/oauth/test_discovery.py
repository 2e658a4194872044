"""What the server says of itself is true, and pages of other origins may read it."""

import re
from collections.abc import AsyncIterator

import httpx2
import pytest
from authlib.oidc.discovery import OpenIDProviderMetadata
from authlib.oidc.rpinitiated import OpenIDProviderMetadata as LogoutMetadata

from sandbox.app import app as whole
from sandbox.oauth.people import SCOPES
from sandbox.world import World
from tests.sandbox.oauth.conftest import ISSUER, Flow

PAGE = "http://127.0.0.1:8000"
DOCUMENT = "/.well-known/openid-configuration"


@pytest.fixture
async def sandbox(world: World) -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(app=whole(world, base_url=ISSUER))
    async with httpx2.AsyncClient(transport=transport, base_url=ISSUER) as client:
        yield client


async def test_the_document_is_valid_and_names_what_is_there(http: httpx2.AsyncClient) -> None:
    document = (await http.get(DOCUMENT)).json()
    OpenIDProviderMetadata(document).validate(metadata_classes=[LogoutMetadata])
    assert document["issuer"] == ISSUER
    assert document["scopes_supported"] == list(SCOPES)
    assert document["code_challenge_methods_supported"] == ["S256"]
    addresses = [text for name, text in document.items() if re.search("_endpoint$|_uri$", name)]
    assert len(addresses) == 7
    for address in addresses:
        assert (await http.get(address)).status_code != 404


async def test_oauth_clients_find_the_same_document(http: httpx2.AsyncClient) -> None:
    other = await http.get("/.well-known/oauth-authorization-server")
    assert other.json() == (await http.get(DOCUMENT)).json()


async def test_in_the_sandbox_it_is_below_the_issuer_and_where_rfc_8414_looks(
    sandbox: httpx2.AsyncClient,
) -> None:
    document = (await sandbox.get(f"/oauth{DOCUMENT}")).json()
    assert document["issuer"] == f"{ISSUER}/oauth"
    assert (await sandbox.get(document["jwks_uri"])).json()["keys"]
    for path in (
        "/.well-known/oauth-authorization-server/oauth",
        "/oauth/.well-known/oauth-authorization-server",
    ):
        assert (await sandbox.get(path)).json() == document


async def test_in_the_sandbox_it_breaks_and_counts_like_the_other_systems(
    sandbox: httpx2.AsyncClient,
) -> None:
    await sandbox.put("/_control/faults/oauth", json={"status": 503})
    assert (await sandbox.get(f"/oauth{DOCUMENT}")).status_code == 503
    await sandbox.delete("/_control/faults/oauth")
    assert (await sandbox.get(f"/oauth{DOCUMENT}")).status_code == 200
    assert (await sandbox.get("/_control/calls")).json()["oauth"]["total"] == 2


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/token"),
        ("POST", "/revoke"),
        ("GET", "/userinfo"),
        ("GET", "/jwks"),
        ("GET", DOCUMENT),
    ],
)
async def test_pages_of_other_origins_may_call(
    http: httpx2.AsyncClient, method: str, path: str
) -> None:
    asked = {
        "origin": PAGE,
        "access-control-request-method": method,
        "access-control-request-headers": "authorization, content-type",
    }
    before = await http.options(path, headers=asked)
    assert before.status_code == 200
    assert method in before.headers["access-control-allow-methods"]
    assert "authorization" in before.headers["access-control-allow-headers"].lower()
    answer = await http.request(method, path, headers={"origin": PAGE})
    for response in (before, answer):
        assert response.headers["access-control-allow-origin"] == "*"
        assert "access-control-allow-credentials" not in response.headers


@pytest.mark.parametrize("path", ["/authorize", "/introspect", "/end_session"])
async def test_what_is_not_for_pages_is_not_open_to_them(
    http: httpx2.AsyncClient, path: str
) -> None:
    asked = {"origin": PAGE, "access-control-request-method": "POST"}
    for method in ("OPTIONS", "GET", "POST"):
        answer = await http.request(method, path, headers=asked)
        assert "access-control-allow-origin" not in answer.headers


async def test_who_has_a_token_is_told_about_the_person(
    flow: Flow, http: httpx2.AsyncClient
) -> None:
    tokens = await flow.tokens()
    bearer = {"authorization": f"Bearer {tokens['access_token']}"}
    for method in ("GET", "POST"):
        told = (await http.request(method, "/userinfo", headers=bearer)).json()
        assert (told["sub"], told["customer_number"]) == ("buyer", "C10001")
        assert told["email"].endswith(".example")
    less = await flow.tokens(scope="openid")
    bearer = {"authorization": f"Bearer {less['access_token']}"}
    assert (await http.get("/userinfo", headers=bearer)).json() == {"sub": "buyer"}


async def test_who_has_none_is_told_nothing(flow: Flow, http: httpx2.AsyncClient) -> None:
    tokens = await flow.tokens()
    machine = (await flow.machine()).json()["access_token"]
    for authorization, status in (
        (None, 401),
        ("Bearer guessed", 401),
        (f"Bearer {tokens['refresh_token']}", 401),
        (f"Basic {tokens['access_token']}", 401),
        (f"Bearer {machine}", 403),
    ):
        headers = {} if authorization is None else {"authorization": authorization}
        answer = await http.get("/userinfo", headers=headers)
        assert answer.status_code == status
        assert "sub" not in answer.json()


async def test_signing_out_ends_the_grant_and_returns_to_the_client(
    flow: Flow, http: httpx2.AsyncClient
) -> None:
    tokens = await flow.tokens()
    asked = {
        "id_token_hint": tokens["id_token"],
        "post_logout_redirect_uri": f"{PAGE}/",
        "state": "bye",
    }
    answer = await http.get("/end_session", params=asked)
    assert answer.status_code == 302
    assert answer.headers["location"] == f"{PAGE}/?state=bye"
    assert await flow.introspect(tokens["access_token"]) == {"active": False}
    assert (await flow.refresh(tokens["refresh_token"])).status_code == 400


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_signing_out_leads_nowhere_without_proof_or_to_a_foreign_address(
    flow: Flow, http: httpx2.AsyncClient, method: str
) -> None:
    tokens = await flow.tokens()
    back, away = f"{PAGE}/", "https://elsewhere.example/"
    for asked, status in (
        ({"client_id": "ide", "post_logout_redirect_uri": back}, 200),
        ({"id_token_hint": tokens["id_token"], "post_logout_redirect_uri": away}, 200),
        ({"id_token_hint": "forged", "post_logout_redirect_uri": back}, 400),
        ({"id_token_hint": tokens["id_token"], "client_id": "partner"}, 400),
        ({}, 200),
    ):
        parts = {"params": asked} if method == "GET" else {"data": asked}
        answer = await http.request(method, "/end_session", **parts)  # type: ignore[arg-type]
        # An empty form has no content type.
        assert answer.status_code == (400 if method == "POST" and not asked else status)
        assert "location" not in answer.headers
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")
