"""Which pages may ask: allowed origins, the gateway's own, and none that makes a browser ask."""

import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest
from pydantic import ValidationError
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.http.cross_origin import CrossOrigin
from gateway.settings.cross_origin import CorsSettings

SHOP = "https://shop.example.com"
EVIL = "https://evil.example"
QUERY = {"query": "{ hello }"}
GET = "/graphql?query=%7Bhello%7D"


def cors(*origins: str, **more: Any) -> CorsSettings:
    return CorsSettings(allowed_origins=origins, **more)


@asynccontextmanager
async def asking(
    app: ASGIApp, base_url: str = "http://gateway"
) -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url=base_url) as client:
        yield client


@pytest.fixture
async def client(app: ASGIApp) -> AsyncIterator[httpx2.AsyncClient]:
    async with asking(CrossOrigin(app, cors(SHOP))) as client:
        yield client


def refused(response: httpx2.Response, code: str) -> bool:
    (error,) = response.json()["errors"]
    assert error["extensions"]["requestId"]
    assert "access-control-allow-origin" not in response.headers
    assert response.headers["vary"] == "Origin"
    return response.status_code == 403 and error["extensions"]["code"] == code


# ------------------------------------------------------------------ CORS


async def test_a_page_of_an_allowed_origin_may_ask_and_read(client: httpx2.AsyncClient) -> None:
    response = await client.post("/graphql", json=QUERY, headers={"origin": SHOP})
    assert response.json() == {"data": {"hello": "Hello world"}}
    assert response.headers["access-control-allow-origin"] == SHOP
    assert response.headers["vary"] == "Origin"
    assert "ratelimit" in response.headers["access-control-expose-headers"]
    assert "access-control-allow-credentials" not in response.headers


async def test_it_may_read_refusals_too(client: httpx2.AsyncClient) -> None:
    response = await client.post("/graphql", content=b"{", headers={"origin": SHOP})
    assert response.status_code == 415
    assert response.headers["access-control-allow-origin"] == SHOP


async def test_a_preflight_is_answered_without_asking_the_graph(
    client: httpx2.AsyncClient,
) -> None:
    response = await client.options(
        "/graphql",
        headers={
            "origin": SHOP,
            "access-control-request-method": "POST",
            "access-control-request-headers": "authorization, content-type",
        },
    )
    assert response.status_code == 204
    assert response.headers["access-control-allow-origin"] == SHOP
    assert "POST" in response.headers["access-control-allow-methods"].split(", ")
    assert {
        "content-type",
        "authorization",
        "x-api-key",
        "apollo-require-preflight",
        "x-request-id",
    } <= set(response.headers["access-control-allow-headers"].split(", "))
    assert response.headers["access-control-max-age"] == "600"
    assert response.headers["vary"] == "Origin"


async def test_options_that_is_no_preflight_goes_through(client: httpx2.AsyncClient) -> None:
    for headers in ({}, {"origin": SHOP}, {"access-control-request-method": "POST"}):
        response = await client.options("/graphql", headers=headers)
        assert response.headers["allow"] == "GET, HEAD, POST, OPTIONS"


@pytest.mark.parametrize(
    "origin",
    [
        EVIL,
        "null",
        "",
        "*",
        "http://shop.example.com",  # another scheme
        "https://shop.example.com:8443",  # another port
        "https://shop.example.com.evil.example",
        "https://evil-shop.example.com",
        "https://sub.shop.example.com",
        "https://SHOP.example.com",  # no browser writes it so
        "https://shop.example.com/",
        "https://gateway.evil.example",
        "https://user@gateway",
        "file://",
        "http://[",
        "http://gateway:99999999",
        "http://gateway\\.evil.example",
    ],
)
async def test_pages_of_other_origins_are_refused(client: httpx2.AsyncClient, origin: str) -> None:
    headers = {"origin": origin, "apollo-require-preflight": "true"}
    asked = {**headers, "access-control-request-method": "POST"}
    for response in (
        await client.post("/graphql", json=QUERY, headers=headers),
        await client.get(GET, headers=headers),
        await client.options("/graphql", headers=asked),
    ):
        assert refused(response, "ORIGIN_NOT_ALLOWED")


async def test_two_origins_are_refused(client: httpx2.AsyncClient) -> None:
    headers = [("origin", SHOP), ("origin", EVIL)]
    assert refused(await client.post("/graphql", json=QUERY, headers=headers), "ORIGIN_NOT_ALLOWED")


async def test_a_refusal_never_reaches_the_graph() -> None:
    async def unreachable(_: Scope, __: Receive, ___: Send) -> None:
        raise AssertionError

    async with asking(CrossOrigin(unreachable, cors(SHOP))) as client:
        response = await client.post("/graphql", json=QUERY, headers={"origin": EVIL})
    assert refused(response, "ORIGIN_NOT_ALLOWED")


async def test_a_refusal_has_the_media_type_asked_for(client: httpx2.AsyncClient) -> None:
    accept = "application/graphql-response+json"
    response = await client.get(GET, headers={"origin": EVIL, "accept": accept})
    assert response.headers["content-type"].startswith(accept)
    assert response.headers["cache-control"] == "no-store"


async def test_every_origin_without_credentials(app: ASGIApp) -> None:
    async with asking(CrossOrigin(app, cors("*"))) as client:
        for origin in (EVIL, "null"):
            response = await client.post("/graphql", json=QUERY, headers={"origin": origin})
            assert response.status_code == 200
            assert response.headers["access-control-allow-origin"] == "*"
            assert "access-control-allow-credentials" not in response.headers


async def test_credentials_are_allowed_by_name_only(app: ASGIApp) -> None:
    async with asking(CrossOrigin(app, cors(SHOP, credentials=True))) as client:
        response = await client.post("/graphql", json=QUERY, headers={"origin": SHOP})
    assert response.headers["access-control-allow-credentials"] == "true"
    assert response.headers["access-control-allow-origin"] == SHOP


async def test_other_paths_are_not_concerned(client: httpx2.AsyncClient) -> None:
    response = await client.get("/healthz", headers={"origin": EVIL})
    assert response.status_code == 200
    assert "access-control-allow-origin" not in response.headers
    assert "vary" not in response.headers


# ------------------------------------------------------------------ its own origin


@pytest.mark.parametrize(
    ("base", "origin", "own"),
    [
        ("http://gateway", "http://gateway", True),
        ("http://gateway:8000", "http://gateway:8000", True),
        ("http://[::1]:8000", "http://[::1]:8000", True),
        ("https://gateway", "https://gateway", True),
        ("http://gateway", "https://gateway", True),  # a proxy ends TLS in front
        ("https://gateway", "http://gateway", False),
        ("http://gateway:8000", "http://gateway:8001", False),
        ("http://gateway:8000", "http://gateway", False),
        ("http://gateway", "http://localhost", False),
    ],
)
async def test_the_gateways_own_pages_may_ask(
    app: ASGIApp, base: str, origin: str, *, own: bool
) -> None:
    async with asking(CrossOrigin(app, cors()), base) as client:
        response = await client.post("/graphql", json=QUERY, headers={"origin": origin})
    assert (response.status_code == 200) is own
    assert "access-control-allow-origin" not in response.headers


@pytest.mark.parametrize(
    ("origin", "own"),
    [
        ("https://api.example.com", True),
        ("http://api.example.com", False),
        ("http://gateway", True),
        ("https://example.com", False),
    ],
)
async def test_the_public_address_is_its_own_too(app: ASGIApp, origin: str, *, own: bool) -> None:
    wrapped = CrossOrigin(app, cors(), public_url="https://api.example.com")
    async with asking(wrapped) as client:
        response = await client.post("/graphql", json=QUERY, headers={"origin": origin})
    assert (response.status_code == 200) is own


async def test_known_https_is_asked_of_pages_behind_a_proxy_too(app: ASGIApp) -> None:
    wrapped = CrossOrigin(app, cors(), public_url="https://api.example.com")
    async with asking(wrapped, "http://api.example.com") as client:
        secure = {"origin": "https://api.example.com"}
        assert (await client.post("/graphql", json=QUERY, headers=secure)).status_code == 200
        for origin in ("http://api.example.com", "http://api.example.com:443"):
            response = await client.post("/graphql", json=QUERY, headers={"origin": origin})
            assert refused(response, "ORIGIN_NOT_ALLOWED")


@pytest.mark.parametrize("hosts", [("gateway", "evil.example"), ("evil.example", "gateway")])
async def test_two_hosts_are_nobodys_own(app: ASGIApp, hosts: tuple[str, str]) -> None:
    async with asking(CrossOrigin(app, cors())) as client:
        headers = [*(("host", host) for host in hosts), ("origin", EVIL)]
        response = await client.post("/graphql", json=QUERY, headers=headers)
    assert refused(response, "ORIGIN_NOT_ALLOWED")


# ------------------------------------------------------------------ CSRF

PASSES = [
    {},  # a program
    {"user-agent": "curl/8"},
    {"sec-fetch-site": "none"},  # somebody typed the address
    {"sec-fetch-site": "same-origin"},
    {"sec-fetch-site": "same-origin", "cookie": "a=b"},
    {"origin": "http://gateway", "sec-fetch-site": "same-origin"},
    {"origin": SHOP, "sec-fetch-site": "cross-site"},
    {"cookie": "a=b", "authorization": "Bearer x"},
    *(
        {"sec-fetch-site": "cross-site", name: "x"}
        for name in ("apollo-require-preflight", "x-apollo-operation-name", "x-api-key")
    ),
]
FOREIGN = [
    {"sec-fetch-site": "cross-site"},  # a picture, a link, a frame
    {"sec-fetch-site": "same-site"},  # of a neighbour's page
    {"sec-fetch-site": "Nonsense"},
    {"sec-fetch-site": "cross-site", "cookie": "a=b"},
    {"sec-fetch-site": "cross-site", "accept": "image/*", "content-type": "text/plain"},
    {"sec-fetch-site": "cross-site", "content-type": "application/json"},  # of a GET, no proof
    {"cookie": "session=1"},  # of a browser that tells nothing
]


@pytest.mark.parametrize("headers", PASSES)
async def test_queries_that_no_foreign_page_can_send_pass(
    client: httpx2.AsyncClient, headers: Mapping[str, str]
) -> None:
    response = await client.get(GET, headers=dict(headers))
    assert response.json() == {"data": {"hello": "Hello world"}}
    assert (await client.head(GET, headers=dict(headers))).status_code == 200


@pytest.mark.parametrize("headers", FOREIGN)
async def test_queries_that_a_foreign_page_can_send_are_refused(
    client: httpx2.AsyncClient, headers: Mapping[str, str]
) -> None:
    assert refused(await client.get(GET, headers=dict(headers)), "CSRF_PREVENTED")
    response = await client.head(GET, headers=dict(headers))
    assert response.status_code == 403
    assert response.content == b""


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]
)
async def test_forms_of_foreign_pages_are_refused(client: httpx2.AsyncClient, kind: str) -> None:
    body = json.dumps(QUERY).encode()
    headers = {"content-type": kind}
    foreign = {**headers, "sec-fetch-site": "cross-site"}
    assert refused(await client.post("/graphql", content=body, headers=foreign), "CSRF_PREVENTED")
    response = await client.post("/graphql", content=body, headers={**headers, "origin": EVIL})
    assert refused(response, "ORIGIN_NOT_ALLOWED")
    assert (await client.post("/graphql", content=body, headers=headers)).status_code == 415


async def test_json_by_post_needs_no_further_proof(client: httpx2.AsyncClient) -> None:
    headers = {"sec-fetch-site": "cross-site", "cookie": "a=b"}
    response = await client.post("/graphql", json=QUERY, headers=headers)
    assert response.status_code == 200


# ------------------------------------------------------------------ WebSockets


async def connect(app: ASGIApp, *headers: tuple[str, str], scheme: str = "ws") -> list[Message]:
    """What is sent to a client who opens a WebSocket and sends nothing."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message)

    raw = [(name.encode(), value.encode()) for name, value in (("host", "gateway"), *headers)]
    scope = {"type": "websocket", "path": "/graphql", "headers": raw, "scheme": scheme}
    await app(scope, receive, send)
    return sent


async def accepting(_: Scope, __: Receive, send: Send) -> None:
    await send({"type": "websocket.accept"})


@pytest.mark.parametrize(
    ("origins", "connected"),
    [
        ([], True),
        ([SHOP], True),
        (["http://gateway"], True),
        ([EVIL], False),
        (["null"], False),
        ([SHOP, EVIL], False),
    ],
)
async def test_websockets_open_for_the_same_pages(origins: list[str], *, connected: bool) -> None:
    headers = [("origin", origin) for origin in origins]
    (message,) = await connect(CrossOrigin(accepting, cors(SHOP)), *headers)
    assert message["type"] == ("websocket.accept" if connected else "websocket.close")


async def test_a_secure_websocket_is_not_for_an_insecure_page() -> None:
    app = CrossOrigin(accepting, cors())
    (message,) = await connect(app, ("origin", "http://gateway:443"), scheme="wss")
    assert message["type"] == "websocket.close"


# ------------------------------------------------------------------ settings, and the audits


@pytest.mark.parametrize(
    "origin",
    [
        "https://shop.example.com/",
        "https://Shop.example.com",
        "https://shop.example.com:443",
        "http://shop.example.com:80",
        "https://*.example.com",
        "shop.example.com",
        "null",
        "",
        "ftp://shop.example.com",
        "https://user@shop.example.com",
    ],
)
def test_what_no_browser_sends_cannot_be_allowed(origin: str) -> None:
    with pytest.raises(ValidationError):
        CorsSettings(allowed_origins=(origin,))


def test_origins_that_can_be_allowed() -> None:
    origins = ("https://shop.example.com", "http://localhost:3000", "http://[::1]:3000", "*")
    assert CorsSettings(allowed_origins=origins).allowed_origins == origins


def test_every_origin_and_credentials_exclude_each_other() -> None:
    with pytest.raises(ValidationError):
        CorsSettings(allowed_origins=("*",), credentials=True)


async def test_over_a_real_connection(app: ASGIApp, serve: Callable[[ASGIApp], Any]) -> None:
    async with serve(CrossOrigin(app, cors())) as address, httpx2.AsyncClient() as client:
        own = await client.post(f"{address}/graphql", json=QUERY, headers={"origin": address})
        foreign = await client.post(f"{address}/graphql", json=QUERY, headers={"origin": EVIL})
    assert own.status_code == 200
    assert refused(foreign, "ORIGIN_NOT_ALLOWED")
