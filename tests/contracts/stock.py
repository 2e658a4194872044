"""What every implementation of `ports.stock.Stock` promises."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

import pytest

from ports.errors import PortError
from ports.stock import Availability, AvailabilityStatus, Stock
from tests.contracts.failures import FAILURES
from upstream.reference import own_call


@dataclass(frozen=True, slots=True)
class StockFacts:
    """`sku` is in stock in more than one warehouse; `skus` are more than 100 known ones."""

    sku: str
    available: Decimal
    unit: str
    warehouses: tuple[str, ...]
    skus: tuple[str, ...]


Broken = Callable[[str], Stock]
"A port whose peer fails in one of the ways of `FAILURES`."

STRANGE = ("nobody-has-this", "", " ", "%", "\0", "\ud800", "x" * 5000, "' OR 1=1 --")


class StockContract:
    async def test_a_known_product_has_its_stock(self, port: Stock, facts: StockFacts) -> None:
        found = (await port.availability([facts.sku], call=own_call()))[facts.sku]

        assert isinstance(found, Availability)
        assert found.status is AvailabilityStatus.IN_STOCK
        assert found.available == facts.available
        assert found.unit == facts.unit
        assert tuple(level.warehouse.code for level in found.locations) == facts.warehouses
        assert found.freshness.as_of.tzinfo is not None

    async def test_available_is_the_sum_over_the_warehouses(
        self, port: Stock, facts: StockFacts
    ) -> None:
        for found in (await port.availability(facts.skus, call=own_call())).values():
            assert isinstance(found, Availability)
            assert found.available == sum(level.available for level in found.locations)
            assert all(level.available >= 0 for level in found.locations)

    async def test_what_comes_in_is_told_by_day(self, port: Stock, facts: StockFacts) -> None:
        for found in (await port.availability(facts.skus, call=own_call())).values():
            assert isinstance(found, Availability)
            for level in found.locations:
                days = [each.expected_on for each in level.incoming]
                assert days == sorted(set(days))
                assert all(each.quantity > 0 for each in level.incoming)

    async def test_what_is_unknown_is_absent(self, port: Stock, facts: StockFacts) -> None:
        found = await port.availability([facts.sku, *STRANGE], call=own_call())

        assert set(found) == {facts.sku}

    async def test_only_unknown_is_nothing(self, port: Stock) -> None:
        assert await port.availability(["?"], call=own_call()) == {}

    async def test_nothing_asked_is_nothing_answered(self, port: Stock) -> None:
        assert await port.availability([], call=own_call()) == {}

    async def test_a_product_asked_twice_is_answered_once(
        self, port: Stock, facts: StockFacts
    ) -> None:
        assert set(await port.availability([facts.sku] * 3, call=own_call())) == {facts.sku}

    async def test_more_than_a_hundred_products(self, port: Stock, facts: StockFacts) -> None:
        assert len(facts.skus) > 100

        found = await port.availability(facts.skus, call=own_call())

        assert set(found) == set(facts.skus)
        assert not [each for each in found.values() if isinstance(each, PortError)]

    @pytest.mark.parametrize("name", sorted(FAILURES))
    async def test_a_failure_is_raised_as_what_it_is(
        self, broken: Broken, facts: StockFacts, name: str
    ) -> None:
        with pytest.raises(FAILURES[name]):
            await broken(name).availability([facts.sku], call=own_call())
