"""Prices kept in memory: what the port promises, with no system behind it."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from ports.caller import Call
from ports.common import Answers, Freshness, Money, SystemName, TaxedMoney
from ports.errors import UpstreamError
from ports.pricing import Price, PriceOrigin, PriceQuestion, PriceTier, Pricing

Tiers = Mapping[int, str]
"Least quantity -> unit price; the least of them 1."


class FakePricing:
    """`tiers` by SKU, for every customer of `customers` and for nobody (None).

    `failures` befall single SKUs; `fail_with` makes every question fail until it gets None.
    """

    def __init__(
        self,
        tiers: Mapping[str, Tiers],
        customers: Sequence[str] = (),
        failures: Mapping[str, UpstreamError] | None = None,
        currency: str = "EUR",
    ) -> None:
        self._tiers = tiers
        self._customers = {None, *customers}
        self._failures = failures or {}
        self._currency = currency
        self._failure: UpstreamError | None = None
        self.calls: list[tuple[PriceQuestion, ...]] = []

    def fail_with(self, error: UpstreamError | None) -> None:
        self._failure = error

    async def prices(
        self, questions: Sequence[PriceQuestion], /, *, call: Call
    ) -> Answers[PriceQuestion, Price]:
        self.calls.append(tuple(questions))
        if self._failure is not None:
            raise self._failure
        return {
            question: self._failures.get(question.sku) or self._price(question)
            for question in questions
            if question.sku in self._tiers and question.customer in self._customers
        }

    def _price(self, question: PriceQuestion) -> Price:
        tiers = sorted(self._tiers[question.sku].items())
        unit = next(
            (text for least, text in reversed(tiers) if question.quantity >= least), tiers[0][1]
        )
        total = (Decimal(unit) * question.quantity).quantize(Decimal("0.01"))
        return Price(
            unit=TaxedMoney(self._money(Decimal(unit))),
            total=TaxedMoney(self._money(total)),
            quantity=question.quantity,
            origin=PriceOrigin.LIST if question.customer is None else PriceOrigin.CUSTOMER_GROUP,
            freshness=Freshness(SystemName.ERP, "erp", datetime.now(UTC)),
            list=self._money(Decimal(tiers[0][1])),
            tiers=tuple(PriceTier(Decimal(q), self._money(Decimal(text))) for q, text in tiers),
        )

    def _money(self, amount: Decimal) -> Money:
        return Money(amount, self._currency)


if TYPE_CHECKING:
    _: type[Pricing] = FakePricing
