"""Kept answers over real connections: given without the application, and just as it would."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx2
import pytest
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.app import ISSUERS, build
from gateway.cli.demo_access import api_keys
from gateway.http.server import ConnectionRules, protocol
from gateway.settings import read
from sandbox.world import World
from tests.end_to_end.conftest import tables_of

NAME = "query($sku: String!) { product(sku: $sku) { sku name } }"
_MANY = " ".join(f"description{number}: description" for number in range(20))
LONG = f"query($sku: String!) {{ product(sku: $sku) {{ {_MANY} }} }}"
WHO = "{ viewer { kind name } product(sku: %s) { sku } }"
# Of each answer by itself.
OWN = {"date", "x-request-id", "age", "cache-control", "cache-status", "ratelimit"}


class Counting:
    """The application, and how many requests came to it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.asked = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.asked += scope["type"] == "http"
        await self._app(scope, receive, send)


class Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.is_up = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.is_up.set()


@dataclass(frozen=True)
class Shop:
    client: httpx2.AsyncClient
    app: Counting
    keys: dict[str, str]
    skus: list[str]

    async def ask(self, query: str, *, sku: str | None = None, **headers: str) -> httpx2.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        variables = {"sku": sku} if sku else None
        told = {"query": query, "variables": variables}
        return await self.client.post("/graphql", json=told, headers=named)

    async def given(self, query: str, **told: str) -> tuple[httpx2.Response, bool]:
        """The answer, and whether the application was not asked for it."""
        before = self.app.asked
        answer = await self.ask(query, **told)
        return answer, self.app.asked == before


Open = Callable[..., Awaitable[Shop]]


@pytest.fixture
async def opened(world: World, sandbox: ASGIApp, tmp_path: Path) -> AsyncIterator[Open]:
    async with AsyncExitStack() as stack:

        async def open_one(**sections: Any) -> Shop:
            settings = read(tables_of(tmp_path, **sections))
            wire = httpx2.ASGITransport(app=sandbox)
            app = Counting(
                build(settings, transports=dict.fromkeys((*settings.upstreams, ISSUERS), wire))
            )
            keys = await api_keys(settings.access.keys, world.examples.customer)
            config = uvicorn.Config(
                app,
                http=protocol(ConnectionRules()),
                loop="none",
                lifespan="on",
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=1,
            )
            listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            server = Server(config)
            running = asyncio.create_task(server.serve(sockets=[listener]))
            stack.push_async_callback(asyncio.wait_for, running, 20)
            stack.callback(setattr, server, "should_exit", True)
            await server.is_up.wait()
            address = f"http://127.0.0.1:{listener.getsockname()[1]}"
            client = await stack.enter_async_context(httpx2.AsyncClient(base_url=address))
            client.headers["x-api-key"] = keys["storefront"]
            return Shop(client, app, dict(keys), [one.sku for one in world.items[:4]])

        yield open_one


@pytest.fixture
async def shop(opened: Open) -> Shop:
    return await opened()


def lasting(answer: httpx2.Response) -> list[tuple[str, str]]:
    return sorted(one for one in answer.headers.multi_items() if one[0] not in OWN)


async def test_the_server_tells_what_the_application_tells(shop: Shop) -> None:
    first, second = [await shop.ask(NAME, sku=shop.skus[0]) for _ in range(2)]
    third, by_itself = await shop.given(NAME, sku=shop.skus[0])

    assert by_itself
    assert first.content == second.content == third.content
    assert second.headers["cache-status"].startswith("passerelle; hit; ttl=")
    assert third.headers["cache-status"].startswith("passerelle; hit; ttl=")
    assert lasting(second) == lasting(third)
    assert third.headers.keys() >= OWN
    assert len({one.headers["x-request-id"] for one in (first, second, third)}) == 3


async def test_what_was_asked_once_is_given_to_headers_that_are_known(shop: Shop) -> None:
    for _ in range(2):
        await shop.ask(NAME, sku=shop.skus[0])
    other = await shop.ask(NAME, sku=shop.skus[1])

    again, by_itself = await shop.given(NAME, sku=shop.skus[1])

    assert by_itself
    assert again.content == other.content != (await shop.ask(NAME, sku=shop.skus[0])).content


async def test_each_caller_has_answers_of_its_own(shop: Shop) -> None:
    query = WHO % f'"{shop.skus[0]}"'
    kinds: dict[str, Any] = {}
    for _ in range(4):
        for name, key in shop.keys.items():
            answer = await shop.ask(query, x_api_key=key)
            told = answer.json()["data"]["viewer"]
            assert kinds.setdefault(name, told) == told

    assert shop.app.asked < 4 * len(shop.keys)
    assert len({str(one) for one in kinds.values()}) == len(shop.keys)


@pytest.mark.parametrize(
    "headers",
    [{"x_api_key": "gw_unknown"}, {"connection": "close"}],
    ids=["unknown-key", "close"],
)
async def test_what_is_not_plain_is_the_application_s(shop: Shop, headers: dict[str, str]) -> None:
    for _ in range(3):
        answer, by_itself = await shop.given(NAME, sku=shop.skus[0], **headers)
        assert not by_itself

    assert answer.status_code == (401 if "x_api_key" in headers else 200)


async def test_who_wants_no_kept_answer_gets_none(shop: Shop) -> None:
    await shop.ask(NAME, sku=shop.skus[0])

    answers = [await shop.ask(NAME, sku=shop.skus[0], cache_control="no-cache") for _ in range(3)]

    assert not any("passerelle; hit" in one.headers["cache-status"] for one in answers)


@pytest.mark.parametrize(
    ("headers", "told"),
    [
        ({"x_request_id": "mine"}, "mine"),
        (
            {"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"},
            "4bf92f3577b34da6a3ce929d0e0e4736",
        ),
    ],
    ids=["request-id", "trace"],
)
async def test_the_id_is_the_request_s_own(shop: Shop, headers: dict[str, str], told: str) -> None:
    """That of a kept answer too, and nobody else's."""
    for _ in range(2):
        await shop.ask(NAME, sku=shop.skus[0], x_request_id="another")

    answer, by_itself = await shop.given(NAME, sku=shop.skus[0], **headers)
    plain = await shop.ask(NAME, sku=shop.skus[0])

    assert by_itself
    assert answer.headers["cache-status"].startswith("passerelle; hit")
    assert answer.headers["x-request-id"] == told
    assert plain.headers["x-request-id"] not in {told, "another"}


async def test_each_is_charged_and_the_last_is_refused(opened: Open) -> None:
    rates = {"application": {"cost_per_second": 0.01, "burst": 40}}
    shop = await opened(rates=rates)
    left: list[int] = []
    while (answer := await shop.ask(NAME, sku=shop.skus[0])).status_code == 200:
        left.append(int(answer.headers["ratelimit"].partition("r=")[2].partition(";")[0]))

    assert answer.status_code == 429
    assert len(left) > 3
    assert len({one - other for one, other in pairwise(left)}) == 1
    assert shop.app.asked < len(left)


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd"])
async def test_compressed_where_that_was_taken(coding: str, opened: Open) -> None:
    shop = await opened(compression={"min_bytes": 256})
    for _ in range(2):
        await shop.ask(LONG, sku=shop.skus[0], accept_encoding=coding)
        await shop.ask(LONG, sku=shop.skus[0], accept_encoding="identity")

    packed, first = await shop.given(LONG, sku=shop.skus[0], accept_encoding=coding)
    plain, second = await shop.given(LONG, sku=shop.skus[0], accept_encoding="identity")

    assert (first, second) == (True, True)
    assert packed.headers["content-encoding"] == coding
    assert "content-encoding" not in plain.headers
    assert packed.content == plain.content


async def test_a_purge_is_heard(shop: Shop) -> None:
    for _ in range(3):
        await shop.ask(NAME, sku=shop.skus[0])
    purged = await shop.client.post(
        "/admin/cache/purge",
        json={"tags": [f"product:{shop.skus[0]}"]},
        headers={"x-api-key": shop.keys["developer"]},
    )
    answer = await shop.ask(NAME, sku=shop.skus[0])

    assert purged.status_code == 200
    assert "stored" in answer.headers["cache-status"]


async def test_requests_are_counted_alike(shop: Shop) -> None:
    for _ in range(5):
        await shop.ask(NAME, sku=shop.skus[0])
    figures = await shop.client.get("/metrics", headers={"x-api-key": shop.keys["developer"]})

    assert 'passerelle_http_requests_total{status="200"} 5' in figures.text
    # The first of them, and the figures.
    assert shop.app.asked == 2


async def test_several_sent_at_once_are_answered_in_order(shop: Shop) -> None:
    for sku in shop.skus[:2]:
        for _ in range(2):
            await shop.ask(NAME, sku=sku)
    url = shop.client.base_url
    reader, writer = await asyncio.open_connection(url.host, url.port)
    sent = []
    for sku in (shop.skus[0], shop.skus[2], shop.skus[1]):
        request = shop.client.build_request(
            "POST", "/graphql", json={"query": NAME, "variables": {"sku": sku}}
        )
        lines = b"".join(b"%s: %s\r\n" % one for one in request.headers.raw)
        sent.append(b"POST /graphql HTTP/1.1\r\n%s\r\n%s" % (lines, request.content))
    writer.write(b"".join(sent))
    told = b""
    while told.count(b'"sku":"') < 3:
        told += await reader.read(65536)
    writer.close()

    places = [told.index(b'"sku":"%s"' % sku.encode()) for sku in shop.skus[:3]]
    assert places[0] < places[2] < places[1]


@pytest.mark.parametrize("wish", ["no-cache", "max-age=0", "no-store", "max-age=0, x"])
async def test_who_wants_no_kept_answer_is_given_none(shop: Shop, wish: str) -> None:
    for _ in range(3):
        await shop.ask(NAME, sku=shop.skus[0])

    told = [await shop.ask(NAME, sku=shop.skus[0], cache_control=wish) for _ in range(4)]

    assert not [one for one in told if "passerelle; hit" in one.headers["cache-status"]]
