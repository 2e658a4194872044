"""The authorization code with PKCE: the whole way, and every way that must not lead anywhere."""

import base64
from typing import Any

import httpx2
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from sandbox.credentials import OAUTH_AUDIENCE
from sandbox.world import World
from tests.sandbox.oauth.conftest import BACK, ISSUER, VERIFIER, Clock, Flow, told

ELSEWHERE = "https://elsewhere.example"


async def _verified(http: httpx2.AsyncClient, token: str, algorithm: str) -> jwt.Token:
    keys = KeySet.import_key_set((await http.get("/jwks")).json())
    return jwt.decode(token, keys, algorithms=[algorithm])


async def test_a_person_signs_in_and_the_client_gets_all_tokens(
    flow: Flow, http: httpx2.AsyncClient, world: World
) -> None:
    said = told(await flow.choose("buyer"))
    assert said["state"] == "the state"
    assert said["iss"] == ISSUER
    answer = await flow.exchange(said["code"])
    assert answer.headers["cache-control"] == "no-store"
    tokens = answer.json()
    assert (tokens["token_type"], tokens["expires_in"]) == ("Bearer", 3600)
    assert tokens["scope"] == "orders:read openid profile email offline_access"
    access = await _verified(http, tokens["access_token"], "ES256")
    assert access.header["typ"] == "at+jwt"
    claims = access.claims
    assert claims["exp"] - claims["iat"] == 3600
    assert {name: claims[name] for name in ("iss", "aud", "sub", "client_id", "scope")} == {
        "iss": ISSUER,
        "aud": OAUTH_AUDIENCE,
        "sub": "buyer",
        "client_id": "ide",
        "scope": tokens["scope"],
    }
    assert claims["customer_number"] == world.examples.customer
    assert claims["customers"] == [world.examples.customer]
    assert claims["staff"] is False
    assert claims["jti"]


async def test_the_id_token_is_for_the_client_and_names_the_person(
    flow: Flow, http: httpx2.AsyncClient, world: World
) -> None:
    tokens = await flow.tokens("buyer")
    token = await _verified(http, tokens["id_token"], "RS256")
    contact = next(c for c in world.companies if c.number == world.examples.customer).contacts[0]
    claims = token.claims
    assert (claims["iss"], claims["aud"], claims["nonce"]) == (ISSUER, "ide", "the nonce")
    assert (claims["sub"], claims["email"]) == ("buyer", contact.email)
    assert claims["exp"] - claims["iat"] == 3600
    assert claims["at_hash"]


async def test_staff_may_act_for_everybody_and_buyers_are_given_less_than_was_asked(
    flow: Flow, http: httpx2.AsyncClient
) -> None:
    asked = "orders:read systems:read customers:act-for"
    staff = (await flow.tokens("staff", scope=asked))["access_token"]
    buyer = (await flow.tokens("buyer-tenant-2", scope=asked))["access_token"]
    of_staff = (await _verified(http, staff, "ES256")).claims
    of_buyer = (await _verified(http, buyer, "ES256")).claims
    assert of_staff["scope"] == "orders:read customers:act-for systems:read"
    assert of_staff["roles"] == ["staff"]
    assert of_staff["staff"] is True
    assert not {"customers", "customer_number"} & of_staff.keys()
    assert of_buyer["scope"] == "orders:read"
    assert of_buyer["customers"] == ["C10002"]


async def test_a_person_with_none_of_the_rights_asked_for_gets_no_code(flow: Flow) -> None:
    said = told(await flow.choose("buyer", scope="systems:read"))
    assert said["error"] == "invalid_scope"
    assert "code" not in said


async def test_without_offline_access_there_is_no_refresh_token(flow: Flow) -> None:
    assert "refresh_token" not in await flow.tokens(scope="openid orders:read")


async def test_without_openid_there_is_no_id_token(flow: Flow) -> None:
    assert "id_token" not in await flow.tokens(scope="orders:read")


async def test_refusing_to_sign_in_is_told_to_the_client(flow: Flow) -> None:
    said = told(await flow.choose(None))
    assert (said["error"], said["state"], said["iss"]) == ("access_denied", "the state", ISSUER)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": "plain", "code_challenge": VERIFIER}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "code id_token"}, "unsupported_response_type"),
        ({"scope": "openid admin"}, "invalid_scope"),
        ({"resource": "https://somebody.example"}, "invalid_target"),
        ({"prompt": "none"}, "login_required"),
    ],
)
async def test_a_bad_request_of_a_known_client_is_told_to_it(
    flow: Flow, changes: dict[str, str | None], error: str
) -> None:
    said = told(await flow.show(**changes))
    assert (said["error"], said["state"], said["iss"]) == (error, "the state", ISSUER)


@pytest.mark.parametrize(
    "address",
    [
        ELSEWHERE,
        f"{ELSEWHERE}/callback",
        "//elsewhere.example/callback",
        "/callback",
        "http://127.0.0.1.elsewhere.example/callback",
        "http://127.0.0.1:8000@elsewhere.example/callback",
        "http://elsewhere.example:8000/callback",
        "http://127.0.0.1:8000\\@elsewhere.example/callback",
        "http://127.0.0.1:8000/callback#fragment",
        "http://127.0.0.1:8000/callback?next=https://elsewhere.example",
        "http://127.0.0.1:8000/callback/../elsewhere",
        "http://127.0.0.1:8000/else",
        "http://127.0.0.1:8000/callback\n",
        "http://127.0.0.1:notaport/callback",
        "http://127.1:8000/callback",
        "http://localhost.:8000/callback",
        "https://127.0.0.1:8000/callback",
        "HTTP://127.0.0.1:8000/callback",
        "javascript:alert(1)//127.0.0.1",
        'http://127.0.0.1:8000/"><script>',
        None,
    ],
)
async def test_an_address_that_is_not_the_clients_is_never_redirected_to(
    flow: Flow, address: str | None
) -> None:
    for changes in ({}, {"scope": "admin"}, {"response_type": "token"}, {"code_challenge": None}):
        answer = await flow.show(redirect_uri=address, **changes)
        assert answer.status_code == 400
        assert "location" not in answer.headers
        assert "<script>" not in answer.text


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1/callback",
        "http://127.0.0.1:1/callback",
        "http://127.0.0.1:65535/",
        "http://localhost:3000/login/callback",
        "http://[::1]:8000/ide",
    ],
)
async def test_any_port_of_the_loopback_will_do(flow: Flow, address: str) -> None:
    answer = await flow.choose("buyer", redirect_uri=address)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith(f"{address}?code=")


@pytest.mark.parametrize("client", ["nobody", "storefront", "introspection", None, 'a"b', "é"])
async def test_a_client_without_sign_in_gets_a_page_and_no_redirect(
    flow: Flow, client: str | None
) -> None:
    answer = await flow.show(client_id=client)
    assert answer.status_code == 400
    assert "location" not in answer.headers


@pytest.mark.parametrize("name", ["redirect_uri", "state", "client_id", "scope", "nonce"])
async def test_a_parameter_given_twice_is_refused(
    flow: Flow, http: httpx2.AsyncClient, name: str
) -> None:
    pairs: list[tuple[str, Any]] = [*flow.request().items(), (name, f"{ELSEWHERE}/callback")]
    answer = await http.get("/authorize", params=pairs)
    assert answer.status_code == 400
    assert "location" not in answer.headers


@pytest.mark.parametrize("state", ["a b", "a&code=x", 'quote"back\\slash', "é💥", "a#b", "x" * 900])
async def test_the_state_comes_back_as_it_was(flow: Flow, state: str) -> None:
    assert told(await flow.choose("buyer", state=state))["state"] == state
    assert told(await flow.choose(None, state=state))["state"] == state


async def test_without_state_none_comes_back(flow: Flow) -> None:
    assert told(await flow.choose("buyer", state=None)).keys() == {"code", "iss"}


@pytest.mark.parametrize(
    ("changes", "status", "error"),
    [
        ({"code_verifier": "x" * 43}, 400, "invalid_grant"),
        ({"code_verifier": "short"}, 400, "invalid_request"),
        ({"code_verifier": None}, 400, "invalid_request"),
        ({"redirect_uri": "http://127.0.0.1:8001/callback"}, 400, "invalid_grant"),
        ({"redirect_uri": None}, 400, "invalid_grant"),
        ({"code": "guessed"}, 400, "invalid_grant"),
        ({"client_id": "nobody"}, 400, "invalid_client"),
        ({"client_id": None}, 401, "invalid_client"),
        ({"client_id": "storefront"}, 401, "invalid_client"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"grant_type": None}, 400, "unsupported_grant_type"),
        ({"grant_type": "a\"b'é"}, 400, "invalid_request"),
        ({"resource": "https://elsewhere.example"}, 400, "invalid_target"),
    ],
)
async def test_a_wrong_exchange_yields_nothing_and_the_code_stays_good(
    flow: Flow, changes: dict[str, str | None], status: int, error: str
) -> None:
    code = await flow.code()
    refused = await flow.exchange(**{"code": code, **changes})  # type: ignore[arg-type]
    assert (refused.status_code, refused.json()["error"]) == (status, error)
    assert "access_token" not in refused.text
    assert (await flow.exchange(code)).status_code == 200


async def test_a_code_shown_twice_ends_the_tokens_it_gave(flow: Flow) -> None:
    code = await flow.code()
    tokens = (await flow.exchange(code)).json()
    assert (await flow.introspect(tokens["access_token"]))["active"] is True
    again = await flow.exchange(code)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    assert await flow.introspect(tokens["access_token"]) == {"active": False}
    assert (await flow.refresh(tokens["refresh_token"])).status_code == 400


async def test_a_code_shown_twice_after_its_time_ends_the_tokens_too(
    flow: Flow, clock: Clock
) -> None:
    code = await flow.code()
    tokens = (await flow.exchange(code)).json()
    clock.ahead = 120
    assert (await flow.exchange(code)).status_code == 400
    assert await flow.introspect(tokens["access_token"]) == {"active": False}


async def test_a_code_is_good_for_a_minute(flow: Flow, clock: Clock) -> None:
    code = await flow.code()
    clock.ahead = 61
    assert (await flow.exchange(code)).json()["error"] == "invalid_grant"


async def test_a_target_that_is_ours_is_the_audience(flow: Flow) -> None:
    for name in ("resource", "audience"):
        tokens = await flow.tokens(**{name: "passerelle"})
        assert (await flow.introspect(tokens["access_token"]))["aud"] == "passerelle"


async def test_only_a_form_is_read_at_the_token_endpoint(http: httpx2.AsyncClient) -> None:
    bodies: list[dict[str, Any]] = [
        {"json": {"grant_type": "client_credentials"}},
        {"params": {"grant_type": "client_credentials", "client_id": "ide"}},
        {"content": b"\xff\xfe=", "headers": {"content-type": "application/x-www-form-urlencoded"}},
        {"data": {"grant_type": "x" * 70_000}},
    ]
    for body in bodies:
        answer = await http.post("/token", **body)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert (await http.get("/token")).status_code == 405


async def test_credentials_that_are_no_text_are_refused(http: httpx2.AsyncClient) -> None:
    for said in (base64.b64encode(b"\xff:\xfe").decode(), "%%%", "bm9jb2xvbg==", ""):
        answer = await http.post(
            "/token",
            data={"grant_type": "client_credentials"},
            headers={"authorization": f"Basic {said}"},
        )
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
        assert answer.headers["www-authenticate"].startswith("Basic ")


async def test_a_request_may_come_as_a_form(flow: Flow, http: httpx2.AsyncClient) -> None:
    answer = await http.post("/authorize", data=flow.request())
    assert answer.status_code == 303
    page = await http.get(answer.headers["location"])
    assert page.status_code == 200
    assert BACK.removesuffix("/callback") in page.text
