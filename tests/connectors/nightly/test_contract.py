"""The contracts of stock and pricing, kept by files."""

from collections.abc import Callable
from decimal import Decimal
from typing import TypeVar, cast

import pytest

from connectors import registry
from connectors.nightly.connector import Nightly
from ports.pricing import Pricing
from ports.stock import Stock
from tests.connectors.nightly.conftest import Denied, Drop, Make
from tests.contracts.failures import FAILURES
from tests.contracts.pricing import PricingContract, PricingFacts
from tests.contracts.stock import StockContract, StockFacts
from upstream.connector import Upstream
from upstream.exchanges import Exchanges
from upstream.guard import Guarded
from upstream.reference import own_call

SKUS = tuple(f"sku-{number}" for number in range(130))
P = TypeVar("P")
# What a file cannot do, it need not be told as: nobody throttles, and the guard ends what is late.
POSSIBLE = ("unavailable", "refused", "malformed")


def broken(make: Make, drop: Drop, name: str, file: str, **keys: str | None) -> Nightly:
    """A connector whose only file fails so."""
    if name == "malformed":
        drop(file, b"\xff\xfe\x00 no text\n")
    return make(place=Denied() if name == "refused" else None, **keys)


class TestStock(StockContract):
    @pytest.fixture
    def facts(self) -> StockFacts:
        return StockFacts(SKUS[0], Decimal("14.5"), "pcs", ("PAR", "LYS"), SKUS)

    @pytest.fixture
    def port(self, make: Make, drop: Drop) -> Stock:
        lines = ["sku,warehouse,on_hand,reserved,unit,incoming,incoming_on"]
        lines += [f"{sku},PAR,{12 + i},{1 + i},pcs,," for i, sku in enumerate(SKUS)]
        lines += [f"{sku},LYS,3.5,{i},pcs,7,2026-12-0{1 + i % 9}" for i, sku in enumerate(SKUS)]
        drop("stock.csv", "\n".join([*lines, ""]))
        return guarded("stock", Stock, make())

    @pytest.fixture
    def broken(self, make: Make, drop: Drop) -> Callable[[str], Stock]:
        return lambda name: broken(make, drop, name, "stock.csv")

    @pytest.mark.parametrize("name", POSSIBLE)
    async def test_a_failure_is_raised_as_what_it_is(
        self, broken: Callable[[str], Stock], facts: StockFacts, name: str
    ) -> None:
        with pytest.raises(FAILURES[name]):
            await broken(name).availability([facts.sku], call=own_call())


class TestPricing(PricingContract):
    @pytest.fixture
    def facts(self) -> PricingFacts:
        return PricingFacts(SKUS[0], "C1", Decimal("9.90"), "CHF", SKUS)

    @pytest.fixture
    def port(self, make: Make, drop: Drop) -> Pricing:
        lines = ["sku,customer,minimum_quantity,price,currency"]
        for sku in SKUS:
            lines += [f"{sku},,,11.5,CHF", f"{sku},C1,1,9.90,CHF", f"{sku},C1,10,8.955,CHF"]
        drop("prices.csv", "\n".join([*lines, ""]))
        return guarded("pricing", Pricing, make(stock_file=None, price_file="prices.csv"))

    @pytest.fixture
    def broken(self, make: Make, drop: Drop) -> Callable[[str], Pricing]:
        return lambda name: broken(
            make, drop, name, "prices.csv", stock_file=None, price_file="prices.csv"
        )

    @pytest.mark.parametrize("name", POSSIBLE)
    async def test_a_failure_is_raised_as_what_it_is(
        self, broken: Callable[[str], Pricing], facts: PricingFacts, name: str
    ) -> None:
        with pytest.raises(FAILURES[name]):
            await broken(name).prices([facts.question()], call=own_call())


def guarded(role: str, protocol: type[P], port: object) -> P:
    upstream = Upstream("nightly", registry.manifests()["nightly"], Exchanges())
    return cast("P", Guarded(role, protocol, port, upstream))
