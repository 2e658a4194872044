"""The orders in memory keep the contract, so that resolver tests may rely on them."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from ports.common import ExternalReference, Money, SystemName
from ports.orders import Order, OrderLine, OrderStatus
from tests.contracts.failures import failure
from tests.contracts.fakes.orders import FakeOrders
from tests.contracts.orders import Broken, OrderFacts, OrdersContract

_START = datetime(2026, 3, 1, 8, tzinfo=UTC)


def _euro(amount: int) -> Money:
    return Money(Decimal(amount), "EUR")


def _order(index: int) -> Order:
    number = f"S{index:05d}"
    line = OrderLine(1, "Bolt M8", Decimal(2), _euro(5), _euro(10), Decimal(0), sku=f"BOLT-{index}")
    return Order(
        number=number,
        status=list(OrderStatus)[index % len(OrderStatus)],
        source_status="sale",
        placed_at=_START + timedelta(hours=index // 2),
        subtotal=_euro(10),
        tax=_euro(2),
        total=_euro(12),
        customer=f"C{index % 3}",
        purchase_order_number=f"PO-{number}",
        references=(ExternalReference(SystemName.ERP, "erp", str(index)),),
        lines=(line,),
    )


ORDERS = [_order(index) for index in range(180)]


class TestFakeOrders(OrdersContract):
    @pytest.fixture
    def port(self) -> FakeOrders:
        return FakeOrders(ORDERS)

    @pytest.fixture
    def broken(self) -> Broken:
        def breaking(name: str) -> FakeOrders:
            fake = FakeOrders(ORDERS)
            fake.fail_with(failure(name))
            return fake

        return breaking

    @pytest.fixture
    def facts(self) -> OrderFacts:
        known = ORDERS[7]
        return OrderFacts(
            known=known.number,
            customer="C1",
            status=known.status,
            purchase_order_number="PO-S00007",
            sku="BOLT-7",
            numbers=tuple(order.number for order in ORDERS),
            own=frozenset(order.number for order in ORDERS if order.customer == "C1"),
        )
