"""The keys: what is published verifies, what is secret stays, rotation breaks no token."""

import httpx2
import pytest
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from tests.sandbox.oauth.conftest import Clock, Flow


async def _keys(http: httpx2.AsyncClient) -> KeySet:
    return KeySet.import_key_set((await http.get("/jwks")).json())


async def _token(flow: Flow, client: str) -> str:
    token: str = (await flow.machine(client)).json()["access_token"]
    return token


def _verified(token: str, keys: KeySet) -> jwt.Token:
    return jwt.decode(token, keys, algorithms=["ES256", "RS256"])


async def test_both_algorithms_are_published_without_their_secrets(
    http: httpx2.AsyncClient,
) -> None:
    keys = (await http.get("/jwks")).json()["keys"]
    assert [(key["kty"], key["alg"], key["use"]) for key in keys] == [
        ("EC", "ES256", "sig"),
        ("RSA", "RS256", "sig"),
    ]
    assert not {"d", "p", "q", "k"} & {name for key in keys for name in key}
    assert len({key["kid"] for key in keys}) == 2


@pytest.mark.parametrize(("client", "algorithm"), [("storefront", "ES256"), ("partner", "RS256")])
async def test_a_client_gets_tokens_of_its_algorithm(
    flow: Flow, http: httpx2.AsyncClient, client: str, algorithm: str
) -> None:
    token = _verified(await _token(flow, client), await _keys(http))
    assert (token.header["alg"], token.header["typ"]) == (algorithm, "at+jwt")


@pytest.mark.parametrize("client", ["storefront", "partner"])
async def test_after_rotation_the_new_key_signs_and_the_old_one_verifies_for_a_while(
    flow: Flow, http: httpx2.AsyncClient, clock: Clock, client: str
) -> None:
    before, known = await _token(flow, client), await _keys(http)
    assert (await http.post("/_rotate")).status_code == 200
    after, keys = await _token(flow, client), await _keys(http)
    assert _verified(before, keys).header["kid"] != _verified(after, keys).header["kid"]
    with pytest.raises((JoseError, ValueError)):
        _verified(after, known)
    clock.ahead = 2 * 3_600 + 1
    keys = await _keys(http)
    assert len(keys.keys) == 2
    with pytest.raises((JoseError, ValueError)):
        _verified(before, keys)


async def test_the_old_keys_can_be_dropped_at_once(flow: Flow, http: httpx2.AsyncClient) -> None:
    before = await _token(flow, "storefront")
    answer = await http.post("/_rotate", params={"keep": "false"})
    keys = await _keys(http)
    assert {key.kid for key in keys.keys} == set(answer.json()["kids"])
    assert len(keys.keys) == 2
    with pytest.raises((JoseError, ValueError)):
        _verified(before, keys)


async def test_a_rotation_takes_a_post(http: httpx2.AsyncClient) -> None:
    before = (await http.get("/jwks")).json()
    assert (await http.get("/_rotate")).status_code == 405
    assert (await http.get("/jwks")).json() == before


async def test_a_token_for_another_api_is_signed_as_well_as_ours(
    flow: Flow, http: httpx2.AsyncClient
) -> None:
    tokens = (await flow.machine(resource="https://elsewhere.example")).json()
    token = _verified(tokens["access_token"], await _keys(http))
    assert token.claims["aud"] == "https://elsewhere.example"
