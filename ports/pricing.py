"""Prices for a customer, asked from the system that owns them."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Protocol

import msgspec

from ports.caller import Call
from ports.common import Answers, Freshness, Money, TaxedMoney
from ports.operation import batch


class PriceOrigin(Enum):
    LIST = "LIST"
    CUSTOMER_GROUP = "CUSTOMER_GROUP"
    CUSTOMER_AGREEMENT = "CUSTOMER_AGREEMENT"
    PROMOTION = "PROMOTION"


class PriceTier(msgspec.Struct, frozen=True, gc=False):
    minimum_quantity: Decimal
    unit: Money


class QuantityRule(msgspec.Struct, frozen=True, gc=False):
    minimum: Decimal
    increment: Decimal
    maximum: Decimal | None = None


class Price(msgspec.Struct, frozen=True, gc=False):
    """`discount_percent`: 18 means 18 % below `list`. `agreement`: the ERP's price list, by name."""

    unit: TaxedMoney
    total: TaxedMoney
    quantity: Decimal
    origin: PriceOrigin
    freshness: Freshness
    list: Money | None = None
    discount_percent: Decimal | None = None
    agreement: str | None = None
    tiers: tuple[PriceTier, ...] = ()
    quantity_rule: QuantityRule | None = None
    valid_until: date | None = None


class PriceQuestion(msgspec.Struct, frozen=True, gc=False, cache_hash=True):
    """One price asked: for this customer number (None: the public list price), at this quantity."""

    sku: str
    quantity: Decimal
    customer: str | None


class Pricing(Protocol):
    """A SKU or customer that the system does not know is absent from the answer."""

    @batch(varies_on=(), max_age=30, stale_if_error=600)
    async def prices(
        self, questions: Sequence[PriceQuestion], /, *, call: Call
    ) -> Answers[PriceQuestion, Price]: ...
