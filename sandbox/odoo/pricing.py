"""What Odoo would charge: price list rules applied rule by rule, on floats as the real server does.

Independent of any connector on purpose: it is the oracle that evaluators are compared with.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from sandbox.odoo.ordering import arranged
from sandbox.odoo.schema import Row
from sandbox.odoo.store import Env

COMPANY_CURRENCY = "EUR"


@dataclass(frozen=True, slots=True)
class Ask:
    """One product, priced for a quantity of a unit at a moment."""

    product: Row
    quantity: float
    unit: Row
    date: str
    "As rows keep moments: naive UTC text."


@dataclass(frozen=True, slots=True)
class Quote:
    """As an order line shows it: a percentage rule is told as a discount on the price before it."""

    price_unit: float
    discount: float
    rule: Row | None

    def subtotal(self, quantity: float, decimals: int) -> float:
        return rounded(self.price_unit * (1 - self.discount / 100) * quantity, 10.0**-decimals)


def rounded(value: float, precision: float) -> float:
    """Half away from zero to a multiple of `precision`, forgiving a float's last bits."""
    if not precision or not value:
        return value
    scaled = value / precision
    slack = 2.0 ** (math.log2(abs(scaled)) - 50)
    nudged = Decimal(scaled + math.copysign(slack, scaled))
    whole = int(nudged.to_integral_value(ROUND_HALF_UP))
    inverse = 1 / precision
    # Dividing by the inverse keeps 0.1 at 0.1 where multiplying would give 0.30000000000000004.
    return whole / round(inverse) if math.isclose(inverse, round(inverse)) else whole * precision


class Prices:
    """Prices of one environment: its rules, currencies and units."""

    def __init__(self, env: Env, *, discounts_shown: bool = True) -> None:
        self._env = env
        self._store = env.store
        self._discounts_shown = discounts_shown

    def quote(self, ask: Ask, pricelist_id: int | None, currency: Row) -> Quote:
        """The line's `price_unit` and `discount`, in the order's currency."""
        rule = self.rule(pricelist_id, ask) if pricelist_id else None
        net = self.price(rule, ask, currency)
        if rule is None or not self._discounts_shown or rule["compute_price"] != "percentage":
            return Quote(net, 0.0, rule)
        before = self._before_discount(rule, ask, currency)
        discount = (before - net) / before * 100 if before else 0.0
        # A surcharge is never shown as a negative discount: it stays inside the unit price.
        shown = discount if (discount > 0) == (before > 0) and discount else 0.0
        return Quote(max(before, net), rounded(shown, 0.01), rule)

    def rule(self, pricelist_id: int, ask: Ask) -> Row | None:
        """The first applicable rule in the model's order; unit conversion for its minimum."""
        own = self._row("uom.uom", ask.product["uom_id"])
        quantity = ask.quantity
        if own["id"] != ask.unit["id"]:
            quantity = rounded_up(quantity * ask.unit["factor"] / own["factor"], own["rounding"])
        table = self._store["product.pricelist.item"]
        rules = [table.rows[key] for key in table.index("pricelist_id").get(pricelist_id, ())]
        fitting = [rule for rule in rules if self._applies(rule, ask, quantity)]
        return next(iter(arranged(self._env, table, fitting, None)), None)

    def _applies(self, rule: Row, ask: Ask, quantity: float) -> bool:
        if rule["min_quantity"] and quantity < rule["min_quantity"]:
            return False
        start, end = rule["date_start"], rule["date_end"]
        if (start and start > ask.date) or (end and end < ask.date):
            return False
        product = ask.product
        match rule["applied_on"]:
            case "0_product_variant":
                return bool(rule["product_id"] == product["id"])
            case "1_product":
                return bool(rule["product_tmpl_id"] == product["product_tmpl_id"])
            case "2_product_category":
                return self._inside(product["categ_id"], rule["categ_id"])
            case _:
                return True

    def _inside(self, category_id: int, ancestor_id: int) -> bool:
        if not category_id:
            return False
        path: str = self._row("product.category", category_id)["parent_path"]
        return path.startswith(self._row("product.category", ancestor_id)["parent_path"])

    def price(self, rule: Row | None, ask: Ask, currency: Row) -> float:
        """`_compute_price`: without a rule, the sales price in the currency."""
        if rule is None:
            return self._base_price(None, ask, currency)
        if rule["compute_price"] == "fixed":
            return self._per_unit(ask)(rule["fixed_price"])
        base = self._base_price(rule, ask, currency)
        if rule["compute_price"] == "percentage":
            return (base - base * (rule["percent_price"] / 100)) or 0.0
        return self._formula(rule, base, self._per_unit(ask))

    @staticmethod
    def _formula(rule: Row, base: float, convert: Callable[[float], float]) -> float:
        price: float = base - base * (rule["price_discount"] / 100)
        if rule["price_round"]:
            price = rounded(price, rule["price_round"])
        if rule["price_surcharge"]:
            price += convert(rule["price_surcharge"])
        if rule["price_min_margin"]:
            price = max(price, base + convert(rule["price_min_margin"]))
        if rule["price_max_margin"]:
            price = min(price, base + convert(rule["price_max_margin"]))
        return price

    def _base_price(self, rule: Row | None, ask: Ask, currency: Row) -> float:
        kind = rule["base"] if rule else "list_price"
        if rule and kind == "pricelist" and rule["base_pricelist_id"]:
            below = rule["base_pricelist_id"]
            source = self._currency_of(below)
            amount = self.price(self.rule(below, ask), ask, source)
        else:
            field = "standard_price" if kind == "standard_price" else "list_price"
            source = self._company_currency()
            amount = self._per_unit(ask)(ask.product[field])
        return self._converted(amount, source, currency)

    def _before_discount(self, rule: Row, ask: Ask, currency: Row) -> float:
        """The base price of the lowest percentage rule of the chain."""
        lowest = rule
        while lowest["base"] == "pricelist" and lowest["base_pricelist_id"]:
            below = self.rule(lowest["base_pricelist_id"], ask)
            if below is None or below["compute_price"] != "percentage":
                break
            lowest = below
        return self._base_price(lowest, ask, currency)

    def _per_unit(self, ask: Ask) -> Callable[[float], float]:
        """Amounts of rules and products are per the product's own unit; the ask's may differ."""
        own = self._row("uom.uom", ask.product["uom_id"])
        if own["id"] == ask.unit["id"]:
            return lambda amount: amount
        ratio: float = ask.unit["factor"] / own["factor"]
        return lambda amount: amount * ratio

    def _converted(self, amount: float, source: Row, target: Row) -> float:
        if source["id"] == target["id"]:
            return amount
        rate: float = target["rate"] / source["rate"]
        return amount * rate

    def _currency_of(self, pricelist_id: int) -> Row:
        return self._row(
            "res.currency", self._row("product.pricelist", pricelist_id)["currency_id"]
        )

    def _company_currency(self) -> Row:
        table = self._store["res.currency"]
        return table.rows[table.index("name")[COMPANY_CURRENCY][0]]

    def _row(self, model: str, key: Any) -> Row:
        return self._store[model].rows[key]


def rounded_up(value: float, precision: float) -> float:
    """The next multiple of `precision`, as quantities are converted between units."""
    scaled = value / precision
    return math.ceil(scaled - abs(scaled) * 2.0**-50) * precision
