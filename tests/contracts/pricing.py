"""What every implementation of `ports.pricing.Pricing` promises."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

import pytest

from ports.errors import PortError
from ports.pricing import Price, PriceQuestion, Pricing
from tests.contracts.failures import FAILURES
from upstream.reference import own_call


@dataclass(frozen=True, slots=True)
class PricingFacts:
    """`skus` are more than 100 known ones; `unit` is the net price of one `sku` for `customer`."""

    sku: str
    customer: str
    unit: Decimal
    currency: str
    skus: tuple[str, ...]

    def question(self, quantity: int | str = 1) -> PriceQuestion:
        return PriceQuestion(self.sku, Decimal(quantity), self.customer)


Broken = Callable[[str], Pricing]
"A port whose peer fails in one of the ways of `FAILURES`."

STRANGE = ("nobody-has-this", "", " ", "%", "\0", "\ud800", "x" * 5000, "' OR 1=1 --")


class PricingContract:
    async def test_a_known_product_has_its_price(self, port: Pricing, facts: PricingFacts) -> None:
        question = facts.question()

        price = (await port.prices([question], call=own_call()))[question]

        assert isinstance(price, Price)
        assert price.unit.net.amount == facts.unit
        assert price.unit.net.currency == facts.currency
        assert price.quantity == 1
        assert price.total.net.amount == pytest.approx(facts.unit, abs=Decimal("0.005"))
        assert price.freshness.as_of.tzinfo is not None

    async def test_the_total_is_for_the_quantity(self, port: Pricing, facts: PricingFacts) -> None:
        question = facts.question("7.5")

        price = (await port.prices([question], call=own_call()))[question]

        assert isinstance(price, Price)
        assert price.quantity == Decimal("7.5")
        total = price.unit.net.amount * price.quantity
        assert price.total.net.amount == pytest.approx(total, abs=Decimal("0.01"))
        assert price.total.net.currency == price.unit.net.currency

    async def test_what_is_unknown_is_absent(self, port: Pricing, facts: PricingFacts) -> None:
        known = facts.question()
        odd = [PriceQuestion(text, Decimal(1), facts.customer) for text in STRANGE]
        odd += [PriceQuestion(facts.sku, Decimal(1), text) for text in STRANGE]

        found = await port.prices([known, *odd], call=own_call())

        assert set(found) == {known}

    async def test_only_unknown_is_nothing(self, port: Pricing) -> None:
        assert await port.prices([PriceQuestion("?", Decimal(1), None)], call=own_call()) == {}

    async def test_nothing_asked_is_nothing_answered(self, port: Pricing) -> None:
        assert await port.prices([], call=own_call()) == {}

    async def test_a_question_asked_twice_is_answered_once(
        self, port: Pricing, facts: PricingFacts
    ) -> None:
        question = facts.question()

        assert set(await port.prices([question] * 3, call=own_call())) == {question}

    async def test_each_quantity_and_customer_is_its_own_question(
        self, port: Pricing, facts: PricingFacts
    ) -> None:
        questions = [
            facts.question(1),
            facts.question(1000),
            PriceQuestion(facts.sku, Decimal(1), None),
        ]

        found = await port.prices(questions, call=own_call())

        assert set(found) == set(questions)

    async def test_more_than_a_hundred_products(self, port: Pricing, facts: PricingFacts) -> None:
        assert len(facts.skus) > 100
        questions = [PriceQuestion(sku, Decimal(2), facts.customer) for sku in facts.skus]

        found = await port.prices(questions, call=own_call())

        assert set(found) == set(questions)
        assert not [price for price in found.values() if isinstance(price, PortError)]

    async def test_tiers_rise_in_quantity_and_hold_the_price(
        self, port: Pricing, facts: PricingFacts
    ) -> None:
        question = facts.question()
        price = (await port.prices([question], call=own_call()))[question]
        assert isinstance(price, Price)
        points = [tier.minimum_quantity for tier in price.tiers]
        assert points == sorted(set(points))

        at_tiers = [PriceQuestion(facts.sku, point, facts.customer) for point in points]
        found = await port.prices(at_tiers, call=own_call())

        for tier, asked in zip(price.tiers, at_tiers, strict=True):
            there = found[asked]
            assert isinstance(there, Price)
            assert there.unit.net == tier.unit

    @pytest.mark.parametrize("name", sorted(FAILURES))
    async def test_a_failure_is_raised_as_what_it_is(
        self, broken: Broken, facts: PricingFacts, name: str
    ) -> None:
        with pytest.raises(FAILURES[name]):
            await broken(name).prices([facts.question()], call=own_call())
