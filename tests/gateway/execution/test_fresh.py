"""`@fresh` on single fields, by both engines."""

import time
from collections.abc import Sequence
from typing import Any

import pytest

from gateway.execution.answer import Answer
from gateway.execution.engine import StockEngine
from gateway.execution.gate import Gate, GateRules
from gateway.execution.plans import Plans
from gateway.operations.request import GraphQLRequest
from ports.caller import Call
from resolvers.context import Context
from tests.contracts.fakes.catalog import FakeCatalog
from tests.contracts.fakes.pricing import FakePricing
from tests.contracts.fakes.stock import FakeStock
from tests.resolvers.shop import CORE, OURS, Shop


class Stock(FakeStock):
    asked: list[tuple[int | None, int | None]]

    async def availability(self, skus: Sequence[str], /, *, call: Call) -> Any:
        self.asked.append((call.max_age, call.stale_if_error))
        return await super().availability(skus, call=call)


class Prices(FakePricing):
    asked: list[int | None]

    async def prices(self, questions: Sequence[Any], /, *, call: Call) -> Any:
        self.asked.append(call.max_age)
        return await super().prices(questions, call=call)


class Catalog(FakeCatalog):
    asked: list[int | None]

    async def products(self, skus: Sequence[str], /, *, call: Call) -> Any:
        self.asked.append(call.max_age)
        return await super().products(skus, call=call)


@pytest.fixture(params=[True, False], ids=["planned", "stock"])
def planned(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


class Asked:
    """What one query asked of stock and prices, with the terms that they were asked on."""

    def __init__(self, *, planned: bool) -> None:
        shop = Shop()
        self.stock = Stock(shop.stock._held)
        self.prices = Prices({"BOLT": {1: "0.50"}}, customers=["A"])
        self.stock.asked, self.prices.asked = [], []
        self.catalog = Catalog(shop.catalog._products.values())
        self.catalog.asked = []
        shop.stock, shop.pricing, shop.catalog = self.stock, self.prices, self.catalog
        self._ports = shop.ports()
        self._plans = Plans(CORE) if planned else None

    async def ask(self, query: str, **variables: object) -> Answer:
        call = Call(OURS, "en", time.monotonic() + 5)
        context = Context(call, self._ports, lambda code: code, list)
        engine = StockEngine(CORE, prepare=Gate(CORE, GateRules()), plans=self._plans)
        request = GraphQLRequest(query, variables, None, None)
        try:
            return await engine.execute(request, context=context, method="POST")
        finally:
            await context.aclose()


async def test_a_field_is_asked_on_its_own_terms(*, planned: bool) -> None:
    asked = Asked(planned=planned)

    answer = await asked.ask(
        """query($age: Int!) { product(sku: "BOLT") {
        availability @fresh(maxAge: $age, staleIfError: 9) { available }
        price { quantity } } }""",
        age=3,
    )

    assert answer.errors == []
    assert asked.stock.asked == [(3, 9)]
    assert asked.prices.asked == [None]


async def test_all_beneath_a_field_is_asked_on_its_terms_unless_it_has_its_own(
    *, planned: bool
) -> None:
    asked = Asked(planned=planned)

    answer = await asked.ask("""query @fresh(maxAge: 60) {
        a: product(sku: "BOLT") @fresh { price { quantity } ...Stock }
        b: product(sku: "BOLT") { price { quantity } }
    } fragment Stock on Product { availability @fresh(maxAge: 7) { available } }""")

    assert answer.errors == []
    assert asked.stock.asked == [(7, None)]
    assert sorted(map(str, asked.prices.asked)) == ["0", "60"]


async def test_entities_are_asked_on_the_terms_of_their_field(*, planned: bool) -> None:
    asked = Asked(planned=planned)

    answer = await asked.ask(
        """{ _entities(representations: [{__typename: "Product", sku: "BOLT"}]) @fresh(maxAge: 8) {
        ... on Product { sku } } }"""
    )

    assert answer.errors == []
    assert asked.catalog.asked == [8]


async def test_of_a_field_asked_twice_the_strictest_terms_hold(*, planned: bool) -> None:
    asked = Asked(planned=planned)

    await asked.ask("""{ product(sku: "BOLT") { availability @fresh(maxAge: 5) { available }
        ... on Product { availability @fresh(maxAge: 2, staleIfError: 1) { status } } } }""")

    assert asked.stock.asked == [(2, 1)]


async def test_negative_seconds_are_refused_before_anything_is_asked(*, planned: bool) -> None:
    asked = Asked(planned=planned)

    answer = await asked.ask(
        '{ product(sku: "BOLT") { availability @fresh(maxAge: -1) { available } } }'
    )

    assert answer.request_error
    assert answer.errors[0]["extensions"]["code"] == "BAD_USER_INPUT"  # type: ignore[index]
    assert asked.stock.asked == []
