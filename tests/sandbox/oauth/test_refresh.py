"""Refresh tokens: each is good once, and one shown twice ends them all."""

import httpx2

from tests.sandbox.oauth.conftest import Clock, Flow


async def test_refreshing_gives_new_tokens_of_the_same_grant(flow: Flow) -> None:
    first = await flow.tokens()
    second = (await flow.refresh(first["refresh_token"])).json()
    assert second["access_token"] != first["access_token"]
    assert second["refresh_token"] != first["refresh_token"]
    assert second["scope"] == first["scope"]
    assert (await flow.introspect(second["access_token"]))["sub"] == "buyer"
    assert (await flow.refresh(second["refresh_token"])).status_code == 200


async def test_a_refresh_token_shown_twice_ends_the_whole_grant(flow: Flow) -> None:
    first = await flow.tokens()
    second = (await flow.refresh(first["refresh_token"])).json()
    again = await flow.refresh(first["refresh_token"])
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    assert (await flow.refresh(second["refresh_token"])).status_code == 400
    for tokens in (first, second):
        assert await flow.introspect(tokens["access_token"]) == {"active": False}


async def test_another_grant_of_the_same_person_goes_on(flow: Flow) -> None:
    one, other = await flow.tokens(), await flow.tokens()
    await flow.refresh(one["refresh_token"])
    await flow.refresh(one["refresh_token"])
    assert (await flow.refresh(other["refresh_token"])).status_code == 200


async def test_a_refresh_may_narrow_the_scope_for_once_but_never_widen_it(flow: Flow) -> None:
    first = await flow.tokens()
    wider = await flow.refresh(first["refresh_token"], scope="orders:read invoices:read")
    assert (wider.status_code, wider.json()["error"]) == (400, "invalid_scope")
    narrow = (await flow.refresh(first["refresh_token"], scope="orders:read")).json()
    assert narrow["scope"] == "orders:read"
    assert (await flow.introspect(narrow["access_token"]))["scope"] == "orders:read"
    whole = (await flow.refresh(narrow["refresh_token"])).json()
    assert whole["scope"] == first["scope"]


async def test_neither_an_access_token_nor_a_guess_refreshes(flow: Flow) -> None:
    tokens = await flow.tokens()
    for wrong in (tokens["access_token"], "guessed"):
        answer = await flow.refresh(wrong)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    assert (await flow.refresh(tokens["refresh_token"])).status_code == 200


async def test_another_client_cannot_refresh_nor_end_the_grant(
    flow: Flow, http: httpx2.AsyncClient
) -> None:
    tokens = await flow.tokens()
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    answer = await http.post("/token", data=form, auth=("partner", "sandbox-partner-secret"))
    assert answer.json()["error"] == "unauthorized_client"
    assert (await flow.refresh(tokens["refresh_token"])).status_code == 200


async def test_a_refresh_token_ends_after_half_a_day(flow: Flow, clock: Clock) -> None:
    tokens = await flow.tokens()
    clock.ahead = 12 * 3_600 + 1
    assert (await flow.refresh(tokens["refresh_token"])).json()["error"] == "invalid_grant"


async def test_a_refreshed_token_stays_with_the_target_consented_to(flow: Flow) -> None:
    tokens = await flow.tokens(audience="passerelle")
    other = await flow.refresh(tokens["refresh_token"], resource="https://elsewhere.example")
    assert other.json()["error"] == "invalid_target"
    same = (await flow.refresh(tokens["refresh_token"])).json()
    assert (await flow.introspect(same["access_token"]))["aud"] == "passerelle"
