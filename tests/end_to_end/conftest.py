"""The whole gateway over the whole sandbox, in one process and without a socket."""

from collections.abc import AsyncIterator, Mapping
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
from gateway.settings import Settings, read
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


def tables_of(folder: Path) -> dict[str, Any]:
    """The demo's, with its keys in `folder`."""
    tables = Demo().tables("pepper" * 6)
    tables["access"]["keys"]["store"] = f"sqlite:{folder / 'keys.db'}"
    return tables


def settings_of(folder: Path) -> Settings:
    return read(tables_of(folder))


@pytest.fixture
async def shop(world: World, sandbox: ASGIApp, tmp_path: Path) -> AsyncIterator[Shop]:
    settings = settings_of(tmp_path)
    keys = await api_keys(settings.access.keys, world.examples.customer)
    wire = httpx2.ASGITransport(app=sandbox)
    gateway = build(settings, transports=dict.fromkeys([*settings.upstreams, ISSUERS], wire))
    async with (
        httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app=gateway),
            base_url=Demo().root,
            timeout=30,
            headers={"x-api-key": keys["developer"]},
        ) as client,
        httpx2.AsyncClient(transport=wire, base_url=Demo().sandbox) as control,
    ):
        yield Shop(client, control, world, keys)
        await control.delete("/_control/faults")
        await control.delete("/_control/calls")
