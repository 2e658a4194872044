"""UPS as the sandbox plays it, and the connector before it."""

from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from connectors import registry
from connectors.ups.config import UpsConfig
from connectors.ups.connector import Ups
from sandbox import ups
from sandbox.credentials import UPS_CLIENT_ID, UPS_CLIENT_SECRET
from sandbox.seed import build
from sandbox.world import World
from tests.contracts.peers import Faulty
from upstream.connector import Upstream
from upstream.exchanges import Exchanges

TOKEN_PATH = "/security/v1/oauth/token"


@pytest.fixture(scope="session")
def world() -> World:
    return build()


@pytest.fixture
def faults(world: World) -> Faulty:
    return Faulty(ups.app(world, "http://ups.test"), spared=(TOKEN_PATH,))


def connector(peer: Any, **settings: object) -> Ups:
    """The connector before a peer, configured as little as it can be."""
    own = {"client_id": UPS_CLIENT_ID, "client_secret": UPS_CLIENT_SECRET, "tries": 1}
    transport = httpx2.ASGITransport(peer)
    manifest = registry.manifests()["ups"]
    config = UpsConfig.model_validate({**UpsConfig.example(), **own, **settings})
    return Ups(Upstream("ups-fr", manifest, Exchanges(), transport), config)


@pytest.fixture
async def ups_connector(faults: Faulty) -> AsyncIterator[Ups]:
    made = connector(faults)
    yield made
    await made.aclose()
