"""The prices in memory keep the contract, so that resolver tests may rely on them."""

from decimal import Decimal

import pytest

from tests.contracts.failures import failure
from tests.contracts.fakes.pricing import FakePricing
from tests.contracts.pricing import Broken, PricingContract, PricingFacts

TIERS = {f"BOLT-{index}": {1: "0.45", 100: "0.41", 500: "0.36"} for index in range(130)}


class TestFakePricing(PricingContract):
    @pytest.fixture
    def port(self) -> FakePricing:
        return FakePricing(TIERS, ["C1"])

    @pytest.fixture
    def broken(self) -> Broken:
        def breaking(name: str) -> FakePricing:
            fake = FakePricing(TIERS, ["C1"])
            fake.fail_with(failure(name))
            return fake

        return breaking

    @pytest.fixture
    def facts(self) -> PricingFacts:
        return PricingFacts("BOLT-7", "C1", Decimal("0.45"), "EUR", tuple(TIERS))
