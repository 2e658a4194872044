"""What can be told of a connection to DHL."""

import httpx2
import pytest

from connectors import registry
from connectors.dhl.config import DhlConfig
from connectors.dhl.connector import Dhl
from upstream.connector import Upstream
from upstream.diagnosis import Finding
from upstream.exchanges import Exchanges
from upstream.reference import own_call


async def found_at(address: str) -> dict[str, Finding]:
    def answer(_request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, json={"access_token": "t", "expires_in": "14399"})

    config = DhlConfig.model_validate({**DhlConfig.example(), "base_url": address})
    manifest = registry.find("dhl").manifest
    carrier = Dhl(Upstream("dhl", manifest, Exchanges(), httpx2.MockTransport(answer)), config)
    try:
        return {one.step: one for one in await carrier.diagnose(call=own_call())}
    finally:
        await carrier.aclose()


@pytest.mark.parametrize(
    ("address", "outcome"),
    [("https://api-eu.dhl.com", "passed"), ("https://api-test.dhl.com", "warning")],
)
async def test_the_test_address_is_no_production(address: str, outcome: str) -> None:
    assert (await found_at(address))["rights tracking"].outcome == outcome
