"""What can be told of a connection to UPS."""

import httpx2
import pytest

from connectors import registry
from connectors.ups.config import UpsConfig
from connectors.ups.connector import Ups
from upstream.connector import Upstream
from upstream.diagnosis import Finding
from upstream.exchanges import Exchanges
from upstream.reference import own_call


async def found_at(address: str) -> dict[str, Finding]:
    def answer(_request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, json={"access_token": "t", "expires_in": "14399"})

    config = UpsConfig.model_validate({**UpsConfig.example(), "base_url": address})
    manifest = registry.find("ups").manifest
    carrier = Ups(Upstream("ups", manifest, Exchanges(), httpx2.MockTransport(answer)), config)
    try:
        return {one.step: one for one in await carrier.diagnose(call=own_call())}
    finally:
        await carrier.aclose()


@pytest.mark.parametrize(
    ("address", "outcome"),
    [("https://onlinetools.ups.com", "passed"), ("https://wwwcie.ups.com", "warning")],
)
async def test_the_trial_system_is_no_production(address: str, outcome: str) -> None:
    assert (await found_at(address))["rights tracking"].outcome == outcome


async def test_how_long_tokens_live() -> None:
    steps = await found_at("https://onlinetools.ups.com")

    assert steps["key life"].detail == "tokens of 239 minutes, renewed by themselves"
