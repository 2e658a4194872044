"""The whole gateway over the whole sandbox, in one process and without a socket."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.types import ASGIApp

from gateway.app import ISSUERS, build
from gateway.cli.demo import Demo
from gateway.cli.demo_access import api_keys
from gateway.http.ide import storefront_query
from gateway.settings import read
from sandbox.app import app as sandbox_app
from sandbox.seed import build as build_world
from sandbox.world import World


@pytest.fixture(scope="session")
def world() -> World:
    return build_world()


@pytest.fixture(scope="session")
def sandbox(world: World) -> ASGIApp:
    return sandbox_app(world, base_url=Demo().sandbox)


@dataclass(frozen=True)
class Shop:
    """The gateway as a client sees it, and the sandbox's control plane."""

    gateway: httpx2.AsyncClient
    control: httpx2.AsyncClient
    world: World
    keys: Mapping[str, str]

    async def ask(
        self, query: str, variables: Mapping[str, Any] | None = None, **headers: str
    ) -> dict[str, Any]:
        answer = await self.gateway.post(
            "/graphql",
            json={"query": query, "variables": variables},
            headers={name.replace("_", "-"): value for name, value in headers.items()},
        )
        found: dict[str, Any] = answer.json()
        return found

    async def page(self, name: str, **variables: str) -> dict[str, Any]:
        """The data of one of the ready queries, which must have no error."""
        answer = await self.ask(storefront_query(name), variables)
        assert "errors" not in answer, answer["errors"]
        data: dict[str, Any] = answer["data"]
        return data

    async def calls(self) -> dict[str, int]:
        """How often each system was called since the last time this was asked."""
        counted = (await self.control.get("/_control/calls")).json()
        await self.control.delete("/_control/calls")
        return {system: one["total"] for system, one in counted.items() if one["total"]}

    async def fault(self, system: str, **fault: Any) -> None:
        answer = await self.control.put(f"/_control/faults/{system}", json=fault)
        assert answer.is_success, answer.text


def tables_of(folder: Path, **sections: Any) -> dict[str, Any]:
    """The demo's, with its keys in `folder` and the sections given."""
    tables = Demo().tables("pepper" * 6)
    tables["access"]["keys"]["store"] = f"sqlite:{folder / 'keys.db'}"
    tables["journal"] = {"file": str(folder / "journal.db")}
    return {**tables, **sections}


@asynccontextmanager
async def living(app: ASGIApp) -> AsyncIterator[None]:
    """Starts what lives as long as the application, and ends it: what a server does."""
    told: asyncio.Queue[Any] = asyncio.Queue()
    heard: asyncio.Queue[Any] = asyncio.Queue()
    running = asyncio.create_task(app({"type": "lifespan", "state": {}}, told.get, heard.put))
    await told.put({"type": "lifespan.startup"})
    assert (await heard.get())["type"] == "lifespan.startup.complete"
    try:
        yield
    finally:
        await told.put({"type": "lifespan.shutdown"})
        assert (await heard.get())["type"] == "lifespan.shutdown.complete"
        await running


@asynccontextmanager
async def gateway_of(
    tables: Mapping[str, Any], wire: httpx2.AsyncBaseTransport, *real: str
) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of a whole gateway that lives; its `real` upstreams are asked over sockets."""
    settings = read(tables)
    wired = [name for name in (*settings.upstreams, ISSUERS) if name not in real]
    gateway = build(settings, transports=dict.fromkeys(wired, wire))
    async with (
        living(gateway),
        httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app=gateway), base_url=Demo().root, timeout=60
        ) as client,
    ):
        yield client


Open = Callable[..., Awaitable[Shop]]


@pytest.fixture
async def opened(world: World, sandbox: ASGIApp, tmp_path: Path) -> AsyncIterator[Open]:
    """Opens gateways over the sandbox: `await opened(cache={...})`, all with the same keys.

    `wire` is what they ask it over, `real` the upstreams that are asked over sockets.
    """
    keys: dict[str, str] = {}
    plain = httpx2.ASGITransport(app=sandbox)
    async with (
        AsyncExitStack() as stack,
        httpx2.AsyncClient(transport=plain, base_url=Demo().sandbox) as control,
    ):

        async def open_one(
            wire: httpx2.AsyncBaseTransport = plain, real: Sequence[str] = (), **sections: Any
        ) -> Shop:
            tables = tables_of(tmp_path, **sections)
            if not keys:
                settings = read(tables).access.keys
                keys.update(await api_keys(settings, world.examples.customer))
            client = await stack.enter_async_context(gateway_of(tables, wire, *real))
            client.headers["x-api-key"] = keys["developer"]
            return Shop(client, control, world, keys)

        await control.delete("/_control/calls")
        yield open_one
        # First of all: who hangs must not keep a gateway from ending.
        await control.delete("/_control/faults")


@pytest.fixture
async def shop(opened: Open) -> Shop:
    """Every question asks the systems."""
    return await opened(cache={"enabled": False})
