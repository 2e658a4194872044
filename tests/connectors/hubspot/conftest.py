"""HubSpot as the sandbox plays it, and the connector before it."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx2
import pytest

from connectors import registry
from connectors.hubspot.config import HubSpotConfig
from connectors.hubspot.connector import HubSpot
from sandbox import hubspot
from sandbox.credentials import HUBSPOT_TOKEN
from sandbox.seed import build
from sandbox.world import World
from tests.contracts.peers import Faulty
from upstream.connector import Upstream
from upstream.exchanges import Exchanges

LONELY = "C10002"


@pytest.fixture(scope="session")
def world() -> World:
    """The sandbox's own, with one company whose people nobody entered."""
    made = build()
    companies = tuple(
        replace(one, contacts=()) if one.number == LONELY else one for one in made.companies
    )
    return replace(made, companies=companies)


@pytest.fixture
def faults(world: World) -> Faulty:
    reference = ("/crm/v3/properties/companies", "/crm/v3/owners")
    return Faulty(hubspot.app(world, "http://hubspot.test"), spared=reference)


def connector(peer: Any, **settings: object) -> HubSpot:
    """The connector before a peer, configured as little as it can be."""
    own = {"token": HUBSPOT_TOKEN, "tries": 1, "searches_per_second": 10_000}
    told = {**HubSpotConfig.example(), **own, **settings}
    upstream = Upstream(
        "crm", registry.manifests()["hubspot"], Exchanges(), httpx2.ASGITransport(peer)
    )
    return HubSpot(upstream, HubSpotConfig.model_validate(told))


@pytest.fixture
async def hubspot_connector(faults: Faulty) -> AsyncIterator[HubSpot]:
    made = connector(faults)
    yield made
    await made.aclose()
