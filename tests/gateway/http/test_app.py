"""The whole application: health, routes beside GraphQL, problems, marks, lifespan."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from gateway.http.app import http_app
from gateway.http.endpoint import Endpoint


async def page(_: Request) -> PlainTextResponse:
    return PlainTextResponse("page")


async def teapot(_: Request) -> PlainTextResponse:
    raise HTTPException(418, headers={"X-Tea": "mint"})


async def broken(_: Request) -> PlainTextResponse:
    raise RuntimeError("password=hunter2")


async def media(request: Request) -> PlainTextResponse:
    return PlainTextResponse(request.path_params["path"])


class BreaksMidway:
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise HTTPException(400) if b"x" in scope["query_string"] else RuntimeError("midway")


async def echo(socket: WebSocket) -> None:
    await socket.accept()
    await socket.close()


ROUTES = [
    Route("/", page),
    Route("/tea", teapot),
    Route("/broken", broken),
    Route("/midway", BreaksMidway()),
    Mount("/media", routes=[Route("/{path:path}", media)]),
    WebSocketRoute("/socket", echo),
]


class Readiness:
    def __init__(self) -> None:
        self.missing: list[str] = []

    async def __call__(self) -> list[str]:
        if "crash" in self.missing:
            raise RuntimeError("password=hunter2")
        return self.missing


@pytest.fixture
def readiness() -> Readiness:
    return Readiness()


@pytest.fixture
def app(endpoint: Endpoint, readiness: Readiness) -> ASGIApp:
    return http_app(endpoint, not_ready=readiness, routes=ROUTES)


async def test_healthz(client: httpx2.AsyncClient, readiness: Readiness) -> None:
    readiness.missing = ["crash"]
    response = await client.get("/healthz")
    assert response.status_code == 200
    assert response.json() == {"status": "ok"}
    assert response.headers["cache-control"] == "no-store"
    head = await client.head("/healthz")
    assert (head.status_code, head.content) == (200, b"")


async def test_readyz(client: httpx2.AsyncClient, readiness: Readiness) -> None:
    response = await client.get("/readyz")
    assert (response.status_code, response.json()) == (200, {"status": "ready"})
    readiness.missing = ["erp", "pim"]
    response = await client.get("/readyz")
    assert response.status_code == 503
    assert response.json() == {"status": "not ready", "notReady": ["erp", "pim"]}
    readiness.missing = ["crash"]
    response = await client.get("/readyz")
    assert response.status_code == 503
    assert "hunter2" not in response.text


async def test_health_has_no_other_methods(client: httpx2.AsyncClient) -> None:
    response = await client.post("/readyz")
    assert response.status_code == 405
    assert response.headers["allow"] == "GET, HEAD"


async def test_routes_beside_graphql(client: httpx2.AsyncClient) -> None:
    assert (await client.get("/")).text == "page"
    assert (await client.get("/media/a/b.png")).text == "a/b.png"


@pytest.mark.parametrize(
    ("method", "path", "status", "title"),
    [
        ("GET", "/nowhere", 404, "Not Found"),
        ("GET", "/graphql/", 404, "Not Found"),
        ("POST", "/", 405, "Method Not Allowed"),
        ("GET", "/tea", 418, "I'm a Teapot"),
        ("GET", "/broken", 500, "Internal Server Error"),
    ],
)
async def test_problems(
    client: httpx2.AsyncClient, method: str, path: str, status: int, title: str
) -> None:
    response = await client.request(method, path)
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json() == {
        "type": "about:blank",
        "title": title,
        "status": status,
        "requestId": response.headers["x-request-id"],
    }


async def test_headers_of_problems(client: httpx2.AsyncClient) -> None:
    assert (await client.post("/")).headers["allow"] == "GET, HEAD"
    assert (await client.get("/tea")).headers["x-tea"] == "mint"


@pytest.mark.parametrize("path", ["/", "/graphql", "/healthz", "/readyz", "/nowhere", "/broken"])
async def test_every_answer_is_marked(client: httpx2.AsyncClient, path: str) -> None:
    response = await client.get(path, headers={"x-request-id": "mine"})
    assert response.headers["x-request-id"] == "mine"
    assert response.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("query", ["", "?x"])
async def test_an_answer_that_breaks_midway_ends_the_connection(
    client: httpx2.AsyncClient, query: str
) -> None:
    with pytest.raises((RuntimeError, HTTPException)):
        await client.get(f"/midway{query}")


async def test_behind_a_root_path(app: ASGIApp) -> None:
    transport = httpx2.ASGITransport(app=app, root_path="/shop")
    async with httpx2.AsyncClient(transport=transport) as client:
        assert (await client.get("http://gateway/shop/healthz")).status_code == 200
        assert (await client.get("http://gateway/healthz")).status_code == 200


async def websocket(app: ASGIApp, path: str) -> list[Message]:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "websocket", "path": path, "headers": [], "query_string": b""}
    await app(scope, receive, send)
    return sent


async def test_websockets(app: ASGIApp) -> None:
    assert [message["type"] for message in await websocket(app, "/socket")] == [
        "websocket.accept",
        "websocket.close",
    ]
    assert [message["type"] for message in await websocket(app, "/graphql")] == ["websocket.close"]


async def test_the_lifespan_surrounds_the_service(
    endpoint: Endpoint, readiness: Readiness, serve: Callable[[ASGIApp], Any]
) -> None:
    seen: list[str] = []

    @asynccontextmanager
    async def lifespan(_: object) -> AsyncIterator[None]:
        seen.append("up")
        yield
        seen.append("down")

    app = http_app(endpoint, not_ready=readiness, lifespan=lifespan)
    async with serve(app) as address, httpx2.AsyncClient(base_url=address) as client:
        assert (await client.get("/healthz")).status_code == 200
        assert seen == ["up"]
    assert seen == ["up", "down"]
