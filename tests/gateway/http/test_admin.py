"""Purging by hand: who may, what is accepted, what is told."""

import json
from collections.abc import AsyncIterator, Sequence

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers

from gateway.access.errors import Challenge
from gateway.http.admin import MOST_TAGS, admin_routes
from gateway.http.app import http_app
from ports.caller import Caller, CallerKind
from ports.errors import UnavailableError

PATH = "/admin/cache/purge"
OPERATOR = {"x-api-key": "operator"}


class Kept:
    def __init__(self) -> None:
        self.purged: list[str] = []

    async def purge(self, tags: Sequence[str]) -> int:
        self.purged += tags
        return 7


async def authenticate(headers: Headers) -> Caller:
    match headers.get("x-api-key"):
        case "operator":
            return Caller("ops", CallerKind.APPLICATION, scopes=frozenset({"cache:purge"}))
        case "shop":
            return Caller("shop", CallerKind.APPLICATION, scopes=frozenset({"orders:read"}))
        case "late":
            raise UnavailableError(system="issuer", upstream="issuer", operation="introspection")
        case None:
            return Caller("nobody", CallerKind.ANONYMOUS)
        case _:
            raise Challenge().refused_key()


async def _ready() -> Sequence[str]:
    return ()


async def _never(*_: object) -> None:
    raise AssertionError


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
async def client(kept: Kept) -> AsyncIterator[httpx2.AsyncClient]:
    app = http_app(_never, not_ready=_ready, routes=admin_routes(kept, authenticate))
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://gateway") as client:
        yield client


async def test_an_operator_purges_and_is_told_how_many(
    client: httpx2.AsyncClient, kept: Kept
) -> None:
    tags = ["product:SKU-1", "role:stock", "product:SKU-1"]

    answer = await client.post(PATH, json={"tags": tags}, headers=OPERATOR)

    assert (answer.status_code, answer.json()) == (200, {"purged": 7})
    assert kept.purged == ["product:SKU-1", "role:stock"]


@pytest.mark.parametrize(
    ("key", "status", "challenge"),
    [
        ({}, 401, 'Bearer realm="passerelle"'),
        ({"x-api-key": "stolen"}, 401, 'Bearer realm="passerelle"'),
        ({"x-api-key": "shop"}, 403, 'scope="cache:purge"'),
    ],
)
async def test_nobody_else_does(
    client: httpx2.AsyncClient, kept: Kept, key: dict[str, str], status: int, challenge: str
) -> None:
    answer = await client.post(PATH, json={"tags": ["a:b"]}, headers=key)

    assert answer.status_code == status
    assert challenge in answer.headers["www-authenticate"]
    assert kept.purged == []


async def test_where_nobody_can_tell_who_asks(client: httpx2.AsyncClient, kept: Kept) -> None:
    answer = await client.post(PATH, json={"tags": ["a:b"]}, headers={"x-api-key": "late"})

    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "5"
    assert kept.purged == []


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"tags": []},
        {"tags": ["product"]},
        {"tags": ["a:b"], "all": True},
        {"tags": "a:b"},
        [],
        {"tags": [f"a:{number}" for number in range(MOST_TAGS + 1)]},
    ],
)
async def test_a_body_that_cannot_be_meant(
    client: httpx2.AsyncClient, kept: Kept, body: object
) -> None:
    answer = await client.post(PATH, json=body, headers=OPERATOR)

    assert answer.status_code == 400
    assert kept.purged == []


async def test_other_types_lengths_and_methods(client: httpx2.AsyncClient) -> None:
    plain = {**OPERATOR, "content-type": "text/plain"}
    long = json.dumps({"tags": ["a:" + "b" * 300_000]}).encode()
    told = {**OPERATOR, "content-type": "application/json"}

    assert (await client.post(PATH, content=b'{"tags": []}', headers=plain)).status_code == 415
    assert (await client.post(PATH, content=long, headers=told)).status_code == 413
    assert (await client.get(PATH, headers=OPERATOR)).status_code == 405


@given(st.binary(max_size=200))
async def test_no_bytes_are_an_error_of_ours(body: bytes) -> None:
    app = http_app(_never, not_ready=_ready, routes=admin_routes(Kept(), authenticate))
    transport = httpx2.ASGITransport(app=app)
    told = {**OPERATOR, "content-type": "application/json"}
    async with httpx2.AsyncClient(transport=transport, base_url="http://gateway") as client:
        answer = await client.post(PATH, content=body, headers=told)

    assert answer.status_code in {200, 400}
