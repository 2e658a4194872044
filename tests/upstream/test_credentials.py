"""Tokens: fetched once for all, renewed before they end, refused in the words of the graph."""

import asyncio
import base64
import dataclasses
import json
from typing import Any

import httpx2
import pytest

from ports.errors import (
    MalformedError,
    RefusedError,
    ThrottledError,
    TimedOutError,
    UnavailableError,
    UpstreamError,
)
from tests.upstream.loopback import (
    IDENTITY,
    Answer,
    Loopback,
    call,
    config,
    gone,
    good,
    grant,
    serving,
    silent,
)
from upstream.credentials import FixedHeaders, OAuthToken, TokenError
from upstream.http import HttpClient, Request

ASKED = Request("orders.orders", "/orders")


def token(text: str = "t1", life: object = 3600) -> bytes:
    expires = "" if life is None else f', "expires_in": {life}'
    return good(f'{{"access_token": "{text}", "token_type": "bearer"{expires}}}'.encode())


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def client(peer: Loopback, credentials: Any, **settings: object) -> HttpClient:
    return HttpClient(IDENTITY, config(peer.url, **settings), credentials=credentials)


async def test_concurrent_callers_share_one_token_request() -> None:
    async with serving(good(), token=[token()]) as peer:
        http = client(peer, OAuthToken(grant()))
        await asyncio.gather(*(http.send(ASKED, call=call()) for _ in range(10)))
        await http.aclose()

    assert peer.targets().count("/token") == 1
    asked = [one for one in peer.received if one.target == "/orders"]
    assert [one.headers["authorization"] for one in asked] == ["Bearer t1"] * 10


async def test_what_the_token_endpoint_is_asked() -> None:
    told = {"grant_type": "password", "username": "ü&x", "password": "p=1"}
    async with serving(good(), token=[token()]) as peer:
        http = client(peer, OAuthToken(grant(**told)))
        await http.send(ASKED, call=call())
        await http.aclose()

    asked = peer.received[0]
    basic = base64.b64encode(b"client:s3cret").decode()
    assert (asked.method, asked.headers["authorization"]) == ("POST", f"Basic {basic}")
    form = httpx2.QueryParams(asked.body.decode())
    assert dict(form) == told


async def test_a_token_endpoint_that_takes_json_is_asked_in_json() -> None:
    told = {"grant_type": "password", "username": "ü&x", "password": "p=1+ \u20ac"}
    async with serving(good(), token=[token()]) as peer:
        http = client(peer, OAuthToken(dataclasses.replace(grant(**told), as_json=True)))
        await http.send(ASKED, call=call())
        await http.aclose()

    first = peer.received[0]
    basic = base64.b64encode(b"client:s3cret").decode()
    assert first.headers["authorization"] == f"Basic {basic}"
    assert first.headers["content-type"] == "application/json"
    assert json.loads(first.body) == told


@pytest.mark.parametrize("life", ['"soon"', "null", "[]", '"14399"', "3599.5"])
async def test_any_life_of_a_token_is_taken(life: str) -> None:
    async with serving(good(), token=[token("t1", life)]) as peer:
        http = client(peer, OAuthToken(grant()))
        await http.send(ASKED, call=call())
        await http.aclose()

    assert peer.received[-1].headers["authorization"] == "Bearer t1"


async def test_an_absolute_token_address_is_asked_there() -> None:
    async with serving(good()) as peer, serving(token()) as other:
        http = client(peer, OAuthToken(grant(f"{other.url}/oauth2/v2/token")))
        await http.send(ASKED, call=call())
        await http.aclose()

    assert other.targets() == ["/oauth2/v2/token"]
    assert peer.targets() == ["/orders"]


@pytest.mark.parametrize(
    ("life", "kept", "renewed"),
    [
        (3_600, 3_539, 3_541),
        ('"14399"', 14_338, 14_340),
        (100, 89, 91),
        (None, 3_539, 3_541),
        (0, 0.8, 0.95),
    ],
)
async def test_a_token_is_renewed_before_it_ends(life: object, kept: float, renewed: float) -> None:
    clock = Clock()
    async with serving(good(), token=[token("t1", life), token("t2", life)]) as peer:
        http = client(peer, OAuthToken(grant(), clock))
        for later in (0.0, kept, renewed):
            clock.now = 1_000.0 + later
            await http.send(ASKED, call=call())
        await http.aclose()

    asked = [one for one in peer.received if one.target == "/orders"]
    assert [one.headers["authorization"] for one in asked] == [
        "Bearer t1",
        "Bearer t1",
        "Bearer t2",
    ]


async def test_a_refused_token_is_fetched_anew_once_for_all() -> None:
    async with serving(
        good(),
        token=[token("t1"), token("t2")],
        orders=[good(status="401 Unauthorized")] * 5 + [good()],
    ) as peer:
        http = client(peer, OAuthToken(grant()))
        told = await asyncio.gather(*(http.send(ASKED, call=call()) for _ in range(5)))
        await http.aclose()

    assert [one.status for one in told] == [200] * 5
    assert peer.targets().count("/token") == 2


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (good(b'{"error": "invalid_client"}', "401 Unauthorized"), RefusedError),
        (good(b'{"error": "invalid_grant"}', "400 Bad"), RefusedError),
        (good(b'{"response": {"errors": []}}', "401 Unauthorized"), RefusedError),
        (good(b"{}"), RefusedError),
        (good(b'{"access_token": 5}'), RefusedError),
        (good(b'{"access_token": ""}'), RefusedError),
        (good(b"<html>", "403 Forbidden"), RefusedError),
        (good(b"{}", "429 Too Many"), ThrottledError),
        (good(b"{}", "500 Oops"), UnavailableError),
        (good(b"<html>"), MalformedError),
        (good(b"[]"), MalformedError),
        (good(b"", "302 Found", location="/elsewhere"), MalformedError),
        (good(b'"' + b"x" * 1_100_000 + b'"'), MalformedError),
        (gone, UnavailableError),
        (silent, TimedOutError),
    ],
)
async def test_a_token_endpoint_fails_in_the_words_of_the_graph(
    answer: Answer, kind: type[UpstreamError]
) -> None:
    async with serving(good(), token=[answer]) as peer:
        http = client(peer, OAuthToken(grant()), timeout_seconds=0.3)
        with pytest.raises(UpstreamError) as caught:
            await http.send(ASKED, call=call())
        await http.aclose()

    error = caught.value
    assert type(error) is kind
    assert error.upstream == "erp-fr"
    assert "s3cret" not in error.message + error.detail
    assert "/orders" not in peer.targets()
    assert http.exchanges.failing


async def test_a_caller_who_gives_up_does_not_keep_the_others_waiting() -> None:
    async with serving(good(), token=[silent, token()]) as peer:
        http = client(peer, OAuthToken(grant()), timeout_seconds=60)
        with pytest.raises(TimedOutError):
            await http.send(ASKED, call=call(0.2))
        told = await http.send(ASKED, call=call())
        await http.aclose()

    assert told.status == 200


async def test_only_the_token_of_the_refused_headers_is_given_up() -> None:
    async with (
        serving(token=[token("t1"), token("t2")]) as peer,
        httpx2.AsyncClient(base_url=peer.url) as http,
    ):
        credentials = OAuthToken(grant())
        first = await credentials.headers(http)
        assert credentials.refused({"authorization": "Bearer of long ago"})
        assert await credentials.headers(http) == first
        assert credentials.refused(first)
        assert await credentials.headers(http) == {"authorization": "Bearer t2"}


async def test_a_token_error_tells_its_branch() -> None:
    async with serving(token=[good(b"{}")]) as peer, httpx2.AsyncClient(base_url=peer.url) as http:
        with pytest.raises(TokenError) as caught:
            await OAuthToken(grant()).headers(http)

    assert caught.value.kind is RefusedError


async def test_fixed_headers_stay_as_they_are() -> None:
    fixed = FixedHeaders({"x-key": "1"})
    async with httpx2.AsyncClient() as http:
        assert await fixed.headers(http) == {"x-key": "1"}
        assert await FixedHeaders().headers(http) == {}
    assert not fixed.refused({"x-key": "1"})
