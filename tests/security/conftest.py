"""A gateway for each test, over one sandbox."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest
from starlette.types import ASGIApp

from gateway.app import ISSUERS, build
from gateway.cli.demo import Demo
from gateway.cli.demo_access import api_keys
from sandbox.app import app as sandbox_app
from sandbox.seed import build as build_world
from sandbox.world import World
from tests.security.attacking import Fortress, settings_of, tokens_of


@pytest.fixture(scope="session")
def world() -> World:
    return build_world()


@pytest.fixture(scope="session")
def sandbox(world: World) -> ASGIApp:
    return sandbox_app(world, base_url=Demo().sandbox)


@pytest.fixture
async def fortress(world: World, sandbox: ASGIApp, tmp_path: Path) -> AsyncIterator[Fortress]:
    settings = settings_of(tmp_path)
    keys = await api_keys(settings.access.keys, world.examples.customer)
    wire = httpx2.ASGITransport(app=sandbox)
    app = build(settings, transports=dict.fromkeys([*settings.upstreams, ISSUERS], wire))
    async with (
        httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app=app), base_url=Demo().root, timeout=60
        ) as client,
        httpx2.AsyncClient(transport=wire, base_url=Demo().sandbox) as control,
    ):
        tokens = await tokens_of(control)
        yield Fortress(client, control, app, settings, world, keys, tokens)
        await control.delete("/_control/faults")
        await control.delete("/_control/calls")
