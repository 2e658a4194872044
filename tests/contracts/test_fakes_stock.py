"""The stock in memory keeps the contract, so that resolver tests may rely on it."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from ports.common import Freshness, SystemName
from ports.stock import Availability, AvailabilityStatus, IncomingStock, StockLevel, Warehouse
from tests.contracts.failures import failure
from tests.contracts.fakes.stock import FakeStock
from tests.contracts.stock import Broken, StockContract, StockFacts

LYON = StockLevel(
    Warehouse("LYO", "Lyon", "FR"),
    on_hand=Decimal(12),
    reserved=Decimal(2),
    available=Decimal(10),
    incoming=(IncomingStock(Decimal(40), date(2026, 12, 15)),),
)
HELD = {
    f"BOLT-{index}": Availability(
        AvailabilityStatus.IN_STOCK,
        Decimal(10),
        Freshness(SystemName.ERP, "erp", datetime(2026, 11, 1, tzinfo=UTC)),
        "Units",
        (LYON,),
    )
    for index in range(130)
}


class TestFakeStock(StockContract):
    @pytest.fixture
    def port(self) -> FakeStock:
        return FakeStock(HELD)

    @pytest.fixture
    def broken(self) -> Broken:
        def breaking(name: str) -> FakeStock:
            fake = FakeStock(HELD)
            fake.fail_with(failure(name))
            return fake

        return breaking

    @pytest.fixture
    def facts(self) -> StockFacts:
        return StockFacts("BOLT-7", Decimal(10), "Units", ("LYO",), tuple(HELD))
