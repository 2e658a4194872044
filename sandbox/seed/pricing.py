"""Four price lists, each built on another: public, distributors, key accounts, Switzerland."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count

from sandbox.world import Category, Item, PriceList, PriceRule

PUBLIC, DISTRIBUTORS, KEY_ACCOUNTS, SWITZERLAND = 1, 2, 3, 4
CURRENCY_RATES = {"EUR": Decimal(1), "CHF": Decimal("0.9478"), "GBP": Decimal("0.8412")}

_Rule = Callable[[int], PriceRule]
"A rule still without its id."


def price_lists() -> tuple[PriceList, ...]:
    return (
        PriceList(PUBLIC, "Public", "EUR"),
        PriceList(DISTRIBUTORS, "Distributors", "EUR"),
        PriceList(KEY_ACCOUNTS, "Key accounts", "EUR"),
        PriceList(SWITZERLAND, "Switzerland", "CHF"),
    )


def price_rules(
    items: list[Item], categories: tuple[Category, ...], example: str, now: datetime
) -> tuple[PriceRule, ...]:
    ids = {category.code: category.erp_id for category in categories}
    shown = next(item for item in items if item.sku == example)
    rules = (
        *_public(ids, now),
        *_distributors(ids, items),
        *_key_accounts(ids, items, now),
        *_agreement(shown, now),
        *_switzerland(ids, items),
    )
    numbers = count(1)
    return tuple(rule(next(numbers)) for rule in rules)


@dataclass(frozen=True, slots=True)
class _When:
    """What a rule is limited to: a category, a quantity, a time."""

    category: int | None = None
    least: int = 0
    start: datetime | None = None
    end: datetime | None = None


_ALWAYS = _When()


def _off(pricelist: int, percent: str, base: int | None, when: _When = _ALWAYS) -> _Rule:
    """A percentage off a base list, or off the sales price where there is none."""
    return lambda number: PriceRule(
        number,
        pricelist,
        "3_global" if when.category is None else "2_product_category",
        "percentage",
        categ_id=when.category,
        percent_price=Decimal(percent),
        base="list_price" if base is None else "pricelist",
        base_pricelist_id=base,
        min_quantity=Decimal(when.least),
        date_start=when.start,
        date_end=when.end,
    )


def _fixed(
    pricelist: int, item: Item, price: str, least: int = 0, *, template: bool = False
) -> _Rule:
    return lambda number: PriceRule(
        number,
        pricelist,
        "1_product" if template else "0_product_variant",
        "fixed",
        product_tmpl_id=item.template_id,
        product_id=None if template else item.erp_id,
        fixed_price=Decimal(price),
        min_quantity=Decimal(least),
    )


def _public(ids: dict[str, int], now: datetime) -> list[_Rule]:
    """List prices, cheaper by the hundred; one promotion running, one past, one to come."""
    day = timedelta(days=1)
    return [
        _off(PUBLIC, "0", None),
        *(_off(PUBLIC, off, None, _When(ids["fastening"], least))
          for off, least in (("5", 100), ("10", 500), ("15", 1000))),
        _off(PUBLIC, "12", None, _When(ids["hand_foot"], 0, now - 10 * day, now + 20 * day)),
        _off(PUBLIC, "30", None, _When(ids["oils"], 0, now - 90 * day, now - 60 * day)),
        _off(PUBLIC, "25", None, _When(ids["sensors"], 0, now + 30 * day, now + 60 * day)),
    ]  # fmt: skip


def _distributors(ids: dict[str, int], items: list[Item]) -> list[_Rule]:
    return [
        _off(DISTRIBUTORS, "15", PUBLIC),
        _off(DISTRIBUTORS, "22", PUBLIC, _When(ids["fastening"])),
        _off(DISTRIBUTORS, "28", PUBLIC, _When(ids["fastening"], 1000)),
        _off(DISTRIBUTORS, "18.5", PUBLIC, _When(ids["transmission"])),
        *(_fixed(DISTRIBUTORS, item, f"{item.list_price * 7 / 10:.2f}", template=True)
          for item in items[400:520:12]),
    ]  # fmt: skip


def _key_accounts(ids: dict[str, int], items: list[Item], now: datetime) -> list[_Rule]:
    """Formulas on the distributors' list, and agreed prices for a framework of products."""
    day = timedelta(days=1)
    framework = [item for item in items[70:1950:47] if item.list_price > 1]
    return [
        lambda number: PriceRule(
            number, KEY_ACCOUNTS, "3_global", "formula", base="pricelist",
            base_pricelist_id=DISTRIBUTORS, price_discount=Decimal(5)),
        lambda number: PriceRule(
            number, KEY_ACCOUNTS, "2_product_category", "formula", categ_id=ids["drives"],
            base="pricelist", base_pricelist_id=DISTRIBUTORS, price_discount=Decimal(8),
            price_round=Decimal(1), price_surcharge=Decimal("-0.05"),
            price_min_margin=Decimal(5), price_max_margin=Decimal(400)),
        lambda number: PriceRule(
            number, KEY_ACCOUNTS, "2_product_category", "formula", categ_id=ids["pumps"],
            base="standard_price", price_discount=Decimal(-35), price_round=Decimal("0.5")),
        _off(KEY_ACCOUNTS, "10", DISTRIBUTORS, _When(ids["ppe"], 50, now - 30 * day, now + 45 * day)),
        *(_fixed(KEY_ACCOUNTS, item, f"{item.list_price * 3 / 4:.2f}") for item in framework),
        *(_fixed(KEY_ACCOUNTS, item, f"{item.list_price * 2 / 3:.2f}", 25) for item in framework),
    ]  # fmt: skip


def _agreement(shown: Item, now: datetime) -> list[_Rule]:
    """The example product's agreed tiers, and a promotion that outbids the last one for a while."""
    day = timedelta(days=1)
    tiers = (("0.45", 0), ("0.41", 100), ("0.36", 500))
    return [
        *(_fixed(KEY_ACCOUNTS, shown, price, least) for price, least in tiers),
        lambda number: PriceRule(
            number, KEY_ACCOUNTS, "0_product_variant", "fixed",
            product_tmpl_id=shown.template_id, product_id=shown.erp_id,
            fixed_price=Decimal("0.31"), min_quantity=Decimal(1000),
            date_start=now - 5 * day, date_end=now + 25 * day),
    ]  # fmt: skip


def _switzerland(ids: dict[str, int], items: list[Item]) -> list[_Rule]:
    """In francs, on the public list in euros, rounded to five centimes plus freight."""
    return [
        lambda number: PriceRule(
            number, SWITZERLAND, "3_global", "formula", base="pricelist",
            base_pricelist_id=PUBLIC, price_discount=Decimal(4), price_round=Decimal("0.05"),
            price_surcharge=Decimal("0.10")),
        _off(SWITZERLAND, "9", PUBLIC, _When(ids["electrical"])),
        *(_fixed(SWITZERLAND, item, f"{item.list_price * 9 / 10:.2f}") for item in items[5:105:20]),
    ]  # fmt: skip
