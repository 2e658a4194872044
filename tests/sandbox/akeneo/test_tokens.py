"""The PIM's authorization: grants, bearer tokens, and what each refusal says."""

import base64

import httpx2
import pytest

TOKEN = "/api/oauth/v1/token"
LOCALES = "/api/rest/v1/locales"


async def test_a_password_buys_a_token(
    stranger: httpx2.AsyncClient, basic: str, login: dict[str, str]
) -> None:
    answer = await stranger.post(TOKEN, json=login, headers={"authorization": basic})
    token = answer.json()
    assert token.keys() == {
        "access_token", "expires_in", "token_type", "scope", "refresh_token",
    }  # fmt: skip
    assert (token["expires_in"], token["token_type"], token["scope"]) == (3600, "bearer", None)
    bearer = {"authorization": f"Bearer {token['access_token']}"}
    assert (await stranger.get(LOCALES, headers=bearer)).status_code == 200


async def test_a_form_serves_as_well(
    stranger: httpx2.AsyncClient, basic: str, login: dict[str, str]
) -> None:
    answer = await stranger.post(TOKEN, data=login, headers={"authorization": basic})
    assert answer.status_code == 200


async def test_a_refresh_token_serves_once(
    stranger: httpx2.AsyncClient, basic: str, login: dict[str, str]
) -> None:
    headers = {"authorization": basic}
    first = (await stranger.post(TOKEN, json=login, headers=headers)).json()
    renewal = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    second = await stranger.post(TOKEN, json=renewal, headers=headers)
    assert second.json()["access_token"] != first["access_token"]
    again = await stranger.post(TOKEN, json=renewal, headers=headers)
    assert (again.status_code, again.json()["message"]) == (422, "Refresh token is invalid")


async def test_a_refresh_token_lives_a_fortnight(
    stranger: httpx2.AsyncClient, basic: str, login: dict[str, str], clock: list[float]
) -> None:
    headers = {"authorization": basic}
    first = (await stranger.post(TOKEN, json=login, headers=headers)).json()
    clock[0] += 14 * 24 * 3600
    renewal = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    late = await stranger.post(TOKEN, json=renewal, headers=headers)
    assert (late.status_code, late.json()["message"]) == (422, "Refresh token has expired")


async def test_a_token_expires_after_an_hour(
    client: httpx2.AsyncClient, clock: list[float]
) -> None:
    clock[0] += 3599
    assert (await client.get(LOCALES)).status_code == 200
    clock[0] += 1
    late = await client.get(LOCALES)
    expected = {"code": 401, "message": "The access token provided has expired."}
    assert (late.status_code, late.json()) == (401, expected)


@pytest.mark.parametrize(
    ("authorization", "message"),
    [
        ("", "Authentication is required"),
        ("Basic abc", "Authentication is required"),
        ("Bearer", "Authentication is required"),
        ("Bearer nonsense", "The access token provided is invalid."),
    ],
)
async def test_no_resource_without_a_token(
    stranger: httpx2.AsyncClient, authorization: str, message: str
) -> None:
    headers = {"authorization": authorization} if authorization else {}
    for path in ("locales", "products-uuid", "media-files/a/b.png/download"):
        answer = await stranger.get(f"/api/rest/v1/{path}", headers=headers)
        assert (answer.status_code, answer.json()) == (401, {"code": 401, "message": message})


@pytest.mark.parametrize("client_id", ["", "1_sandbox:wrong", "other:sandbox-akeneo-secret"])
async def test_an_unknown_client_gets_no_token(
    stranger: httpx2.AsyncClient, login: dict[str, str], client_id: str
) -> None:
    encoded = base64.b64encode(client_id.encode()).decode()
    for authorization in (f"Basic {encoded}", "Basic é", "Bearer x"):
        headers = {"authorization": authorization.encode()}
        answer = await stranger.post(TOKEN, json=login, headers=headers)
        assert answer.status_code == 422
        assert answer.json()["message"].startswith('Parameter "client_id" is missing')


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"password": "wrong"}, "No user found for the given username and password"),
        ({"username": "wrong"}, "No user found for the given username and password"),
        ({"password": ""}, 'Missing parameters. "username" and "password" required'),
        ({"grant_type": "magic"}, 'Parameter "grant_type" is missing, empty or invalid'),
        ({"grant_type": "refresh_token"}, "Refresh token is invalid"),
    ],
)
async def test_a_wrong_grant_is_unprocessable(
    stranger: httpx2.AsyncClient,
    basic: str,
    login: dict[str, str],
    changes: dict[str, str],
    message: str,
) -> None:
    headers = {"authorization": basic}
    answer = await stranger.post(TOKEN, json=login | changes, headers=headers)
    assert (answer.status_code, answer.json()) == (422, {"code": 422, "message": message})


async def test_a_body_must_be_json_or_a_form(stranger: httpx2.AsyncClient, basic: str) -> None:
    kinds = {"text/plain": 415, "application/json": 400}
    for kind, status in kinds.items():
        headers = {"authorization": basic, "content-type": kind}
        answer = await stranger.post(TOKEN, content=b"{", headers=headers)
        assert answer.status_code == answer.json()["code"] == status
    headers = {"authorization": basic, "content-type": "application/json"}
    assert (await stranger.post(TOKEN, content=b"[]", headers=headers)).status_code == 400
