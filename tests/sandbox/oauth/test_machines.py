"""Machines: client credentials, introspection and revocation."""

import httpx2
import pytest

from sandbox.credentials import OAUTH_AUDIENCE, OAUTH_SECRETS
from sandbox.oauth import tenants
from sandbox.oauth.people import IDENTITY, SCOPES
from sandbox.world import World
from tests.sandbox.oauth.conftest import ISSUER, Clock, Flow

STOREFRONTS = ("storefront", "storefront-tenant-2", "storefront-tenant-3")
CREDENTIALS = {"grant_type": "client_credentials"}


async def test_each_storefront_acts_for_its_own_customer(flow: Flow, world: World) -> None:
    for client, tenant in zip(STOREFRONTS, tenants(world), strict=True):
        tokens = (await flow.machine(client)).json()
        assert "refresh_token" not in tokens
        told = await flow.introspect(tokens["access_token"])
        assert (told["active"], told["iss"], told["aud"]) == (True, ISSUER, OAUTH_AUDIENCE)
        assert (told["sub"], told["client_id"]) == (client, client)
        assert told["customer_number"] == tenant.customer
        assert told["customers"] == [tenant.customer]
        assert told["exp"] - told["iat"] == 3600


def test_every_tenant_has_an_order_of_its_own(world: World) -> None:
    owners = {order.number: order.company for order in world.orders}
    found = tenants(world)
    assert [owners[one.order] for one in found] == [one.customer for one in found]
    assert len({one.customer for one in found}) == 3
    assert (found[0].customer, found[0].order) == (world.examples.customer, world.examples.order)


async def test_a_partner_acts_for_two_customers_and_the_back_office_for_all(flow: Flow) -> None:
    partner = await flow.introspect((await flow.machine("partner")).json()["access_token"])
    office = await flow.introspect((await flow.machine("back-office")).json()["access_token"])
    assert partner["customers"] == ["C10001", "C10002"]
    assert "customer_number" not in partner
    assert "customers" not in office
    assert office["staff"] is True
    assert set(office["scope"].split()) == set(SCOPES) - set(IDENTITY)


async def test_a_machine_is_given_what_it_asks_for_and_may_have(flow: Flow) -> None:
    tokens = (await flow.machine(scope="stock:read catalog:read")).json()
    assert tokens["scope"] == "catalog:read stock:read"
    for scope in ("systems:read", "openid", "admin", "orders:read systems:read"):
        refused = await flow.machine(scope=scope)
        assert (refused.status_code, refused.json()["error"]) == (400, "invalid_scope")


async def test_a_secret_may_come_in_the_form(http: httpx2.AsyncClient) -> None:
    form = {**CREDENTIALS, "client_id": "storefront"}
    right = await http.post("/token", data={**form, "client_secret": OAUTH_SECRETS["storefront"]})
    wrong = await http.post("/token", data={**form, "client_secret": "wrong"})
    assert right.status_code == 200
    assert (wrong.status_code, wrong.json()["error"]) == (401, "invalid_client")


@pytest.mark.parametrize(
    "credentials", [("storefront", "wrong"), ("storefront", ""), ("nobody", "x"), ("ide", "x")]
)
async def test_wrong_credentials_are_refused_everywhere(
    http: httpx2.AsyncClient, credentials: tuple[str, str]
) -> None:
    for path in ("/token", "/introspect", "/revoke"):
        answer = await http.post(path, data={**CREDENTIALS, "token": "x"}, auth=credentials)
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
        assert answer.headers["www-authenticate"].startswith("Basic ")


async def test_a_public_client_has_no_token_of_its_own(http: httpx2.AsyncClient) -> None:
    answer = await http.post("/token", data={**CREDENTIALS, "client_id": "ide"})
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


async def test_an_opaque_token_says_nothing_but_to_who_may_ask(
    flow: Flow, http: httpx2.AsyncClient
) -> None:
    token = (await flow.machine("storefront-opaque")).json()["access_token"]
    assert "." not in token
    told = await flow.introspect(token)
    assert (told["active"], told["token_type"]) == (True, "Bearer")
    assert told["customer_number"] == "C10001"
    partner = ("partner", OAUTH_SECRETS["partner"])
    foreign = await http.post("/introspect", data={"token": token}, auth=partner)
    assert foreign.json() == {"active": False}
    own = ("storefront-opaque", OAUTH_SECRETS["storefront-opaque"])
    answer = await http.post("/introspect", data={"token": token}, auth=own)
    assert answer.json()["active"] is True
    assert (await http.post("/introspect", data={"token": token})).status_code == 401


async def test_what_does_not_count_is_inactive_and_nothing_more(flow: Flow, clock: Clock) -> None:
    tokens = await flow.tokens()
    assert await flow.introspect("guessed") == {"active": False}
    assert await flow.introspect(tokens["refresh_token"]) == {"active": False}
    clock.ahead = 3_601
    assert await flow.introspect(tokens["access_token"]) == {"active": False}


async def test_introspection_needs_a_token(http: httpx2.AsyncClient) -> None:
    asking = ("introspection", OAUTH_SECRETS["introspection"])
    answer = await http.post("/introspect", data={"other": "x"}, auth=asking)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert (await http.get("/introspect")).status_code == 405


async def test_revoking_an_access_token_leaves_the_grant(
    flow: Flow, http: httpx2.AsyncClient
) -> None:
    tokens = await flow.tokens()
    form = {"client_id": "ide", "token": tokens["access_token"]}
    assert (await http.post("/revoke", data=form)).status_code == 200
    assert await flow.introspect(tokens["access_token"]) == {"active": False}
    assert (await flow.refresh(tokens["refresh_token"])).status_code == 200


async def test_revoking_a_refresh_token_ends_the_grant(
    flow: Flow, http: httpx2.AsyncClient
) -> None:
    tokens = await flow.tokens()
    form = {"client_id": "ide", "token": tokens["refresh_token"]}
    for _ in range(2):
        assert (await http.post("/revoke", data=form)).status_code == 200
    assert await flow.introspect(tokens["access_token"]) == {"active": False}
    assert (await flow.refresh(tokens["refresh_token"])).status_code == 400


async def test_revoking_takes_ones_own_tokens_only_and_tells_nothing_of_others(
    flow: Flow, http: httpx2.AsyncClient
) -> None:
    token = (await flow.machine("storefront")).json()["access_token"]
    foreign = await http.post("/revoke", data={"client_id": "ide", "token": token})
    assert (foreign.status_code, foreign.json()["error"]) == (400, "invalid_grant")
    assert (await flow.introspect(token))["active"] is True
    unknown = await http.post("/revoke", data={"client_id": "ide", "token": "guessed"})
    assert unknown.status_code == 200


async def test_the_published_examples_open_what_they_say(
    flow: Flow, http: httpx2.AsyncClient
) -> None:
    told = (await http.get("/_examples")).json()
    machines = [one for one in told["clients"] if "client_credentials" in one["grants"]]
    assert len(machines) == 6
    for one in machines:
        auth = (one["id"], one["secret"])
        answer = await http.post("/token", data=CREDENTIALS, auth=auth)
        assert answer.json()["scope"] == one["scopes"]
    for person in told["people"]:
        assert (await flow.tokens(person["id"]))["access_token"]
