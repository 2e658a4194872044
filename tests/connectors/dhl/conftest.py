"""DHL as the sandbox plays it, and the connector before it."""

from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from connectors import registry
from connectors.dhl.config import DhlConfig
from connectors.dhl.connector import Dhl
from sandbox import dhl
from sandbox.credentials import DHL_API_KEY
from sandbox.seed import build
from sandbox.world import World
from tests.contracts.peers import Faulty
from upstream.connector import Upstream
from upstream.exchanges import Exchanges


@pytest.fixture(scope="session")
def world() -> World:
    return build()


@pytest.fixture
def faults(world: World) -> Faulty:
    return Faulty(dhl.app(world, "http://dhl.test"))


def connector(peer: Any, **settings: object) -> Dhl:
    """The connector before a peer, configured as little as it can be."""
    told = {**DhlConfig.example(), "api_key": DHL_API_KEY, "tries": 1, **settings}
    transport = httpx2.ASGITransport(peer)
    manifest = registry.manifests()["dhl"]
    return Dhl(Upstream("dhl-eu", manifest, Exchanges(), transport), DhlConfig.model_validate(told))


@pytest.fixture
async def dhl_connector(faults: Faulty) -> AsyncIterator[Dhl]:
    made = connector(faults)
    yield made
    await made.aclose()
