"""The shipments in memory keep the contract, so that resolver tests may rely on them."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from ports.shipments import Carrier, Shipment, ShipmentLine
from tests.contracts.failures import failure
from tests.contracts.fakes.shipments import FakeShipments
from tests.contracts.shipments import Broken, ShipmentFacts, ShipmentsContract


def _shipment(index: int) -> Shipment:
    left = index % 5 != 0
    return Shipment(
        key=f"WH/OUT/{index:05d}",
        number=f"WH/OUT/{index:05d}",
        customer="C1",
        order=f"S{index // 2 if index < 170 else index:05d}",
        tracking_number=f"7{index:011d}" if left else None,
        carrier=Carrier("dhl", "DHL"),
        shipped_at=datetime(2026, 5, 1, tzinfo=UTC) - timedelta(hours=index) if left else None,
        lines=(ShipmentLine("BOLT-1", Decimal(2)),),
    )


SHIPMENTS = [_shipment(index) for index in range(180)]


class TestFakeShipments(ShipmentsContract):
    @pytest.fixture
    def port(self) -> FakeShipments:
        return FakeShipments(SHIPMENTS)

    @pytest.fixture
    def broken(self) -> Broken:
        def breaking(name: str) -> FakeShipments:
            fake = FakeShipments(SHIPMENTS)
            fake.fail_with(failure(name))
            return fake

        return breaking

    @pytest.fixture
    def facts(self) -> ShipmentFacts:
        return ShipmentFacts(
            known="WH/OUT/00007",
            tracking_number="700000000007",
            carrier="dhl",
            order="S00003",
            customer="C1",
            split="S00003",
            waiting="S00175",
            unshipped="S99999",
            keys=tuple(shipment.key for shipment in SHIPMENTS),
        )
