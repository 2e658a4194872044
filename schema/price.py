"""Prices from the ERP."""

import builtins
from datetime import date
from decimal import Decimal

from ports import pricing
from ports.pricing import PriceOrigin
from schema.common import Freshness, Money, TaxedMoney
from schema.fields import plain, view


@view(pricing.PriceTier, "From this quantity on, one unit costs this.")
class PriceTier:
    minimum_quantity: Decimal = plain("The smallest quantity that gets this price.")
    unit: Money = plain("Net price of one unit.")


@view(pricing.QuantityRule, "In which quantities a product is sold.")
class QuantityRule:
    minimum: Decimal = plain("The smallest quantity that can be ordered.")
    increment: Decimal = plain("Quantities are multiples of this.")
    maximum: Decimal | None = plain("The largest quantity in one order.")


@view(pricing.Price, "A price for one company at one quantity.")
class Price:
    unit: TaxedMoney = plain("Price of one unit.")
    total: TaxedMoney = plain("Price of the whole quantity.")
    quantity: Decimal = plain("The quantity that was asked.")
    list: Money | None = plain("Unit price before the customer's terms.")
    discount_percent: Decimal | None = plain("How far `unit` lies below `list`: 18 means 18 %.")
    origin: PriceOrigin = plain("What gave this price.")
    agreement: str | None = plain("The ERP's price list or agreement that gave this price.")
    tiers: builtins.list[PriceTier] = plain("Quantity breaks, smallest first.")
    quantity_rule: QuantityRule | None = plain("In which quantities it is sold; null: any.")
    valid_until: date | None = plain("The last day of this price; null: open.")
    freshness: Freshness = plain("When the ERP was read.")
