"""Headers of every answer, and bounds on those of requests."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.http.security_headers import SecurityHeaders

QUERY = {"query": "{ hello }"}


def answering(*headers: tuple[str, str], kind: str | None = "application/json") -> ASGIApp:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        response = Response(b"{}", media_type=kind)
        for name, value in headers:
            response.headers.append(name, value)
        await response(scope, receive, send)

    return app


@asynccontextmanager
async def asking(app: ASGIApp) -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://gateway") as client:
        yield client


async def headers_of(app: ASGIApp, path: str = "/", **sent: str) -> httpx2.Headers:
    headers = {name.replace("_", "-"): value for name, value in sent.items()}
    async with asking(app) as client:
        return (await client.get(path, headers=headers)).headers


async def test_an_answer_of_the_graph_has_them_all_once(app: ASGIApp) -> None:
    async with asking(SecurityHeaders(app)) as client:
        response = await client.post("/graphql", json=QUERY)
    assert response.json() == {"data": {"hello": "Hello world"}}
    for name, value in {
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "cross-origin-resource-policy": "same-origin",
        "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
        "x-frame-options": "DENY",
        "cache-control": "no-store",
    }.items():
        assert response.headers.get_list(name) == [value]
    assert len(response.headers.get_list("x-request-id")) == 1


@pytest.mark.parametrize("path", ["/healthz", "/nowhere", "/graphql"])
async def test_every_answer_has_them(app: ASGIApp, path: str) -> None:
    headers = await headers_of(SecurityHeaders(app), path)
    assert headers["x-frame-options"] == "DENY"
    assert headers["cross-origin-resource-policy"] == "same-origin"


async def test_the_servers_name_is_not_told() -> None:
    headers = await headers_of(SecurityHeaders(answering(("server", "acme/1.2"))))
    assert "server" not in headers


@pytest.mark.parametrize(
    ("public_url", "value"),
    [(None, None), ("http://api.example.com", None), ("https://api.example.com", "31536000")],
)
async def test_https_is_made_a_must_only_where_it_is_public(
    public_url: str | None, value: str | None
) -> None:
    headers = await headers_of(SecurityHeaders(answering(), public_url=public_url))
    told = headers.get("strict-transport-security")
    assert told == (None if value is None else f"max-age={value}")


@pytest.mark.parametrize(
    "kind",
    [
        "application/json",
        "application/problem+json",
        "application/graphql-response+json; charset=utf-8",
        "text/html",
        "text/plain; charset=utf-8",
        "text/event-stream",
        "multipart/mixed; boundary=x",
        None,
    ],
)
async def test_what_could_be_shown_as_a_page_is_locked(kind: str | None) -> None:
    headers = await headers_of(SecurityHeaders(answering(kind=kind)))
    assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert headers["cache-control"] == "no-store"


@pytest.mark.parametrize("kind", ["text/javascript", "text/css", "image/png", "application/pdf"])
async def test_scripts_and_pictures_have_no_policy_and_may_be_kept(kind: str) -> None:
    headers = await headers_of(SecurityHeaders(answering(kind=kind)))
    assert "content-security-policy" not in headers
    assert "x-frame-options" not in headers
    assert "cache-control" not in headers
    assert headers["x-content-type-options"] == "nosniff"


async def test_what_an_answer_says_itself_stays() -> None:
    own = [
        ("Content-Security-Policy", "default-src 'self'"),
        ("Cache-Control", "public, max-age=60"),
        ("Referrer-Policy", "same-origin"),
        ("Cross-Origin-Resource-Policy", "same-site"),
        ("X-Frame-Options", "SAMEORIGIN"),
        ("Vary", "Origin"),
        ("Vary", "Accept-Encoding"),
    ]
    headers = await headers_of(SecurityHeaders(answering(*own, kind="text/html")))
    for name, value in own[:5]:
        assert headers.get_list(name) == [value]
    assert headers.get_list("vary") == ["Origin", "Accept-Encoding"]


@pytest.mark.parametrize("name", ["authorization", "x_api_key", "cookie"])
async def test_answers_to_somebody_known_are_not_stored(name: str) -> None:
    app = SecurityHeaders(answering(kind="image/png"))
    assert (await headers_of(app, **{name: "x"}))["cache-control"] == "no-store"


async def test_media_may_be_shown_by_the_shops_pages() -> None:
    app = SecurityHeaders(answering(kind="image/png"))
    media = await headers_of(app, "/media/abc")
    assert media["cross-origin-resource-policy"] == "cross-origin"
    other = await headers_of(app, "/mediaeval")
    assert other["cross-origin-resource-policy"] == "same-origin"


# ------------------------------------------------------------------ bounds


def total(headers: Sequence[tuple[str, str]]) -> int:
    return sum(len(name) + len(value) + 4 for name, value in headers)


async def send(app: ASGIApp, headers: Sequence[tuple[str, str]], path: str = "/healthz") -> Any:
    async with asking(app) as client:
        request = httpx2.Request("GET", f"http://gateway{path}", headers=list(headers))
        return await client.send(request)


async def test_as_many_and_as_long_headers_as_allowed(app: ASGIApp) -> None:
    wrapped = SecurityHeaders(app)
    host = ("Host", "gateway")
    many = [host, *((f"x-{number}", "1") for number in range(99))]
    assert (await send(wrapped, many)).status_code == 200
    assert (await send(wrapped, [*many, ("x-99", "1")])).status_code == 431
    rest = 16 * 1024 - total([host]) - total([("x", "")])
    assert (await send(wrapped, [host, ("x", "a" * rest)])).status_code == 200
    assert (await send(wrapped, [host, ("x", "a" * (rest + 1))])).status_code == 431


async def test_a_refusal_is_json_with_all_headers_and_never_reaches_the_app() -> None:
    async def unreachable(_: Scope, __: Receive, ___: Send) -> None:
        raise AssertionError

    response = await send(SecurityHeaders(unreachable), [("x", "a" * 20_000)], "/graphql")
    assert response.status_code == 431
    problem = response.json()
    assert problem["status"] == 431
    assert problem["requestId"] == response.headers["x-request-id"]
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["cache-control"] == "no-store"


async def test_long_paths_are_refused_and_long_queries_are_for_the_endpoint(app: ASGIApp) -> None:
    wrapped = SecurityHeaders(app)
    assert (await send(wrapped, [], "/" + "a" * 8192)).status_code == 414
    assert (await send(wrapped, [], "/" + "a" * 8191)).status_code == 404
    assert (await send(wrapped, [], "/healthz?" + "a" * 20_000)).status_code == 200


async def test_websockets_have_bounds_too() -> None:
    async def accepting(_: Scope, __: Receive, send: Send) -> None:
        await send({"type": "websocket.accept"})

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    sent: list[str] = []

    async def note(message: Message) -> None:
        sent.append(message["type"])

    for count in (100, 101):
        headers = [(b"x", b"1")] * count
        scope = {"type": "websocket", "path": "/graphql", "headers": headers}
        await SecurityHeaders(accepting)(scope, receive, note)
    assert sent == ["websocket.accept", "websocket.close"]


async def test_over_a_real_connection(app: ASGIApp, serve: Callable[[ASGIApp], Any]) -> None:
    async with serve(SecurityHeaders(app)) as address, httpx2.AsyncClient() as client:
        fine = await client.post(f"{address}/graphql", json=QUERY)
        large = await client.get(f"{address}/healthz", headers={"x": "a" * 20_000})
    assert fine.status_code == 200
    assert large.status_code == 431
    assert large.json()["status"] == 431
