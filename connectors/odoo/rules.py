"""Evaluates price list rules (`product.pricelist.item`) as Odoo does; pure, no I/O.

Quantities are in the product's own unit, so that no conversion between units comes in.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

from connectors.odoo.mapping import Currency, rounded

_HUNDRED = Decimal(100)
# Odoo only refuses a list that is directly its own base; longer circles must end somewhere.
_DEEPEST = 30


class RuleError(ValueError):
    """The rules cannot give a price: a circle of base lists, or a fact that is hidden from us."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One row; `target` is the variant, template or category that `applied_on` speaks of."""

    id: int
    list_id: int
    applied_on: str
    target: int | None
    compute: str
    minimum: Decimal = Decimal(0)
    starts: datetime | None = None
    ends: datetime | None = None
    fixed: Decimal = Decimal(0)
    percent: Decimal = Decimal(0)
    base: str = "list_price"
    base_list_id: int | None = None
    discount: Decimal = Decimal(0)
    rounding: Decimal = Decimal(0)
    surcharge: Decimal = Decimal(0)
    min_margin: Decimal = Decimal(0)
    max_margin: Decimal = Decimal(0)

    @property
    def on_list(self) -> int | None:
        """The list whose prices it starts from, if it does."""
        return self.base_list_id if self.base == "pricelist" and self.compute != "fixed" else None

    @property
    def dated(self) -> bool:
        return self.starts is not None or self.ends is not None


@dataclass(frozen=True, slots=True)
class Goods:
    """What rules ask of a product. `cost` None: hidden from the key that reads."""

    id: int
    template: int
    categories: tuple[int, ...]
    price: Decimal
    currency: Currency
    cost: Decimal | None = None
    cost_currency: Currency | None = None


@dataclass(frozen=True, slots=True)
class Terms:
    """How the line of an order shows a price.

    `price_digits` None: not rounded. `discount_digits` None: percentages are not shown as
    discounts, but taken off the price.
    """

    price_digits: int | None = None
    discount_digits: int | None = 2


@dataclass(frozen=True, slots=True)
class Quote:
    """`before` and `discount` (percent) as an order line shows them; `net` is what is paid.

    `rule` is the winner, `ends` the first end of a rule that the price stands on.
    """

    before: Decimal
    discount: Decimal
    rule: Rule | None
    ends: datetime | None = None
    net: Decimal = field(init=False)

    def __post_init__(self) -> None:
        net = self.before * (1 - self.discount / _HUNDRED)
        object.__setattr__(self, "net", net)


class Rules:
    """The rules of some lists at one moment.

    `rules` come in Odoo's order (`applied_on, min_quantity desc, categ_id desc, id desc`): the
    first that applies wins. `currencies` is by list.
    """

    def __init__(
        self, rules: Iterable[Rule], currencies: Mapping[int, Currency], now: datetime
    ) -> None:
        self._lists: dict[int, list[Rule]] = {}
        for rule in rules:
            if (rule.starts is None or rule.starts <= now) and (
                rule.ends is None or rule.ends >= now
            ):
                self._lists.setdefault(rule.list_id, []).append(rule)
        self._currencies = currencies

    def quote(
        self, list_id: int | None, goods: Goods, quantity: Decimal, terms: Terms | None = None
    ) -> Quote:
        """In the list's currency; without a list the sales price. Raises RuleError."""
        terms = terms or Terms()
        if list_id is None:
            return Quote(_digits(goods.price, terms.price_digits), Decimal(0), None)
        currency = self.currency(list_id)
        chain = self._chain(list_id, goods, quantity)
        rule = chain[0] if chain else None
        ends = min((each.ends for each in chain if each.ends), default=None)
        price = self._price(list_id, goods, quantity, currency)
        if rule is None or rule.compute != "percentage" or terms.discount_digits is None:
            return Quote(_digits(price, terms.price_digits), Decimal(0), rule, ends)
        before = self._before_discount(chain, goods, quantity, currency)
        discount = (before - price) / before * _HUNDRED if before else Decimal(0)
        # A surcharge is never told as a negative discount; it stays in the price.
        shown = discount if discount and (discount > 0) == (before > 0) else Decimal(0)
        return Quote(
            _digits(max(before, price), terms.price_digits),
            _digits(shown, terms.discount_digits),
            rule,
            ends,
        )

    def thresholds(self, list_id: int | None, goods: Goods) -> tuple[Decimal, ...]:
        """The quantities at which another rule of the list or its bases may win, ascending."""
        found: set[Decimal] = set()
        waiting, seen = [list_id], set[int]()
        while waiting:
            current = waiting.pop()
            if current is None or current in seen:
                continue
            seen.add(current)
            for rule in self._lists.get(current, ()):
                if _concerns(rule, goods):
                    found.add(rule.minimum)
                    waiting.append(rule.on_list)
        return tuple(sorted(minimum for minimum in found if minimum > 0))

    def currency(self, list_id: int) -> Currency:
        if list_id not in self._currencies:
            raise RuleError(f"price list {list_id} has no known currency")
        return self._currencies[list_id]

    def _winner(self, list_id: int, goods: Goods, quantity: Decimal) -> Rule | None:
        for rule in self._lists.get(list_id, ()):
            if rule.minimum and quantity < rule.minimum:
                continue
            if _concerns(rule, goods):
                return rule
        return None

    def _chain(self, list_id: int, goods: Goods, quantity: Decimal) -> list[Rule]:
        """The winner of the list, then that of its base list, and so on."""
        chain: list[Rule] = []
        current: int | None = list_id
        while current is not None:
            if len(chain) > _DEEPEST:
                raise RuleError(f"the base lists of price list {list_id} form a circle")
            rule = self._winner(current, goods, quantity)
            if rule is None:
                break
            chain.append(rule)
            current = rule.on_list
        return chain

    def _price(self, list_id: int, goods: Goods, quantity: Decimal, currency: Currency) -> Decimal:
        rule = self._winner(list_id, goods, quantity)
        if rule is None:
            return converted(goods.price, goods.currency, currency)
        if rule.compute == "fixed":
            return rule.fixed
        base = self._base(rule, goods, quantity, currency)
        if rule.compute == "percentage":
            return base - base * rule.percent / _HUNDRED
        return _formula(rule, base) if rule.compute == "formula" else base

    def _base(self, rule: Rule, goods: Goods, quantity: Decimal, currency: Currency) -> Decimal:
        """What the rule starts from, in `currency`."""
        if (below := rule.on_list) is not None:
            source = self.currency(below)
            return converted(self._price(below, goods, quantity, source), source, currency)
        if rule.base != "standard_price":
            return converted(goods.price, goods.currency, currency)
        if goods.cost is None:
            raise RuleError("a rule starts from the cost, which this key may not read")
        return converted(goods.cost, goods.cost_currency or goods.currency, currency)

    def _before_discount(
        self, chain: Sequence[Rule], goods: Goods, quantity: Decimal, currency: Currency
    ) -> Decimal:
        """The base of the lowest rule down to which all are percentages."""
        lowest = chain[0]
        for rule in chain[1:]:
            if rule.compute != "percentage":
                break
            lowest = rule
        return self._base(lowest, goods, quantity, currency)


def converted(amount: Decimal, source: Currency, target: Currency) -> Decimal:
    """At today's rates, unrounded, as Odoo keeps prices within a computation."""
    if source.id == target.id or not amount:
        return amount
    return amount * target.rate / source.rate


def _concerns(rule: Rule, goods: Goods) -> bool:
    match rule.applied_on:
        case "0_product_variant":
            return rule.target == goods.id
        case "1_product":
            return rule.target == goods.template
        case "2_product_category":
            return rule.target in goods.categories
        case _:
            return True


def _formula(rule: Rule, base: Decimal) -> Decimal:
    """Discount, rounding, extra fee, least margin, most margin: in this order."""
    price = rounded(base - base * rule.discount / _HUNDRED, rule.rounding) + rule.surcharge
    if rule.min_margin:
        price = max(price, base + rule.min_margin)
    if rule.max_margin:
        price = min(price, base + rule.max_margin)
    return price


def _digits(amount: Decimal, digits: int | None) -> Decimal:
    if digits is None:
        return amount
    return amount.quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_UP)
