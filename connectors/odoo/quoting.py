"""From a rule's quote, or a dry-run line, to the record of a price; pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from connectors.odoo.dry_run import Line
from connectors.odoo.mapping import Currency, plain, rounded
from connectors.odoo.pricelists import Catalogue, PriceList
from connectors.odoo.products import Product, sales_price
from connectors.odoo.rules import Goods, Quote, Rule, RuleError, Rules, Terms, converted
from connectors.odoo.taxes import net_share
from ports.common import Freshness, Money, TaxedMoney
from ports.pricing import Price, PriceOrigin, PriceQuestion, PriceTier

_ONE = Decimal(1)
_HUNDRED = Decimal(100)
# Unit prices keep what a conversion of currencies leaves, but not to 28 digits.
_UNIT_STEP = Decimal("0.000001")
_PERCENT_STEP = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Asked:
    """One question with what was found for it; without a list prices are the sales prices."""

    question: PriceQuestion
    product: Product
    partner_id: int | None
    price_list: PriceList | None
    freshness: Freshness


@dataclass(frozen=True, slots=True)
class Origins:
    """Tells whose terms a price comes from. `agreements` are ids or names of lists."""

    general: int | None
    agreements: frozenset[int | str]

    def of(self, rule: Rule | None, price_list: PriceList | None) -> PriceOrigin:
        if rule is None or price_list is None:
            return PriceOrigin.LIST
        origin = self.of_list(price_list)
        if rule.dated and origin is not PriceOrigin.CUSTOMER_AGREEMENT:
            return PriceOrigin.PROMOTION
        return origin

    def of_list(self, price_list: PriceList | None) -> PriceOrigin:
        """All that can be told where the rule is not known."""
        if price_list is None or price_list.id == self.general:
            return PriceOrigin.LIST
        if self.agreements & {price_list.id, price_list.name}:
            return PriceOrigin.CUSTOMER_AGREEMENT
        return PriceOrigin.CUSTOMER_GROUP


def origins(
    catalogue: Catalogue, public: int | str | None, agreements: tuple[int | str, ...]
) -> Origins:
    """The general list is the configured public one, else the one that Odoo gives to all others."""
    general = catalogue.general if public is None else catalogue.find(public)
    return Origins(general, frozenset(agreements))


@dataclass(frozen=True, slots=True)
class Quoting:
    """What all prices of one page are computed with."""

    rules: Rules
    terms: Terms
    currencies: Mapping[int, Currency]
    origins: Origins
    taxes: Mapping[int, Decimal]
    "Percentages that prices include, by tax."

    def price(self, asked: Asked) -> Price:
        """Raises RuleError where the rules give no price."""
        goods = _goods(asked.product, self.currencies)
        price_list = asked.price_list
        key = price_list.id if price_list else None
        # An order line without a quantity is priced as one of one.
        quote = self.rules.quote(key, goods, asked.question.quantity or _ONE, self.terms)
        currency = price_list.currency if price_list else goods.currency
        listed = _list_price(quote, goods, currency)
        share = net_share(asked.product.taxes_id, self.taxes)
        net = quote.net * share
        return Price(
            unit=TaxedMoney(unit_money(net, currency)),
            total=TaxedMoney(_total(net * asked.question.quantity, currency)),
            quantity=asked.question.quantity,
            origin=self.origins.of(quote.rule, price_list),
            freshness=asked.freshness,
            list=unit_money(listed * share, currency),
            discount_percent=_percent(listed, quote),
            agreement=price_list.name if price_list and quote.rule else None,
            tiers=self._tiers(key, goods, currency, share),
            valid_until=quote.ends.date() if quote.ends else None,
        )

    def _tiers(
        self, key: int | None, goods: Goods, currency: Currency, share: Decimal
    ) -> tuple[PriceTier, ...]:
        """The price from each quantity on at which it changes; empty where it never does."""
        points = sorted({_ONE, *self.rules.thresholds(key, goods)})
        tiers: list[PriceTier] = []
        for point in points:
            quote = self.rules.quote(key, goods, point, self.terms)
            unit = unit_money(quote.net * share, currency)
            if not tiers or tiers[-1].unit != unit:
                tiers.append(PriceTier(plain(point), unit))
        return tuple(tiers) if len(tiers) > 1 else ()


def from_line(
    line: Line, asked: Asked, currency: Currency, origin: PriceOrigin, share: Decimal
) -> Price:
    """A dry run tells taxes, which rules do not; it tells no tiers and no end."""
    net = line.price_unit * (1 - line.discount / _HUNDRED) * share
    whole = asked.question.quantity > 0
    return Price(
        unit=TaxedMoney(unit_money(net, currency)),
        total=_taxed(line, currency) if whole else TaxedMoney(_total(Decimal(0), currency)),
        quantity=asked.question.quantity,
        origin=origin,
        freshness=asked.freshness,
        list=unit_money(line.price_unit * share, currency),
        discount_percent=plain(line.discount) if line.discount > 0 else None,
        agreement=asked.price_list.name if asked.price_list else None,
    )


def unit_money(amount: Decimal, currency: Currency) -> Money:
    """At the currency's precision where that is exact, else with up to six decimals."""
    fine = rounded(amount, _UNIT_STEP)
    coarse = rounded(amount, currency.rounding)
    return Money(coarse if coarse == fine else plain(fine), currency.code)


def _goods(product: Product, currencies: Mapping[int, Currency]) -> Goods:
    currency = currencies.get(product.currency_id)
    if currency is None:
        raise RuleError(f"unknown currency {product.currency_id}")
    return Goods(
        id=product.id,
        template=product.product_tmpl_id,
        categories=product.category_path,
        price=sales_price(product),
        currency=currency,
        cost=product.standard_price or Decimal(0) if product.standard_price is not None else None,
        cost_currency=currencies.get(product.cost_currency_id),
    )


def _list_price(quote: Quote, goods: Goods, currency: Currency) -> Decimal:
    """Before the discount that the line shows; else the sales price."""
    if quote.discount:
        return quote.before
    return converted(goods.price, goods.currency, currency)


def _percent(listed: Decimal, quote: Quote) -> Decimal | None:
    if quote.discount:
        return plain(quote.discount) if quote.discount > 0 else None
    if listed <= 0 or quote.net >= listed:
        return None
    percent = rounded((listed - quote.net) / listed * _HUNDRED, _PERCENT_STEP)
    return plain(percent) if percent else None


def _total(amount: Decimal, currency: Currency) -> Money:
    return Money(rounded(amount, currency.rounding), currency.code)


def _taxed(line: Line, currency: Currency) -> TaxedMoney:
    tax = line.total - line.subtotal
    rate = rounded(tax / line.subtotal * _HUNDRED, _PERCENT_STEP) if line.subtotal else None
    return TaxedMoney(
        net=_total(line.subtotal, currency),
        tax=_total(tax, currency),
        gross=_total(line.total, currency),
        tax_rate=None if rate is None else plain(rate),
    )
