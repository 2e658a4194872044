"""The dry run prices as Odoo's rules say; expected figures are worked out by hand."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.odoo.pricing import rounded
from sandbox.world import PriceRule

_NUMBERS = {"min_quantity", "fixed_price", "percent_price", "price_discount", "price_round",
            "price_surcharge", "price_min_margin", "price_max_margin"}  # fmt: skip


def rule(key: int, pricelist: int = 1, **facts: Any) -> PriceRule:
    """A rule on everything unless it says otherwise; amounts may be written as plain numbers."""
    facts = {k: Decimal(str(v)) if k in _NUMBERS else v for k, v in facts.items()}
    targets = {"product_id": "0_product_variant", "product_tmpl_id": "1_product",
               "categ_id": "2_product_category"}  # fmt: skip
    applied = next((where for name, where in targets.items() if name in facts), "3_global")
    return PriceRule(**{"id": key, "pricelist_id": pricelist, "applied_on": applied, **facts})


def fixed(key: int, price: float, **facts: Any) -> PriceRule:
    return rule(key, compute_price="fixed", fixed_price=price, **facts)


def percent(key: int, off: float, **facts: Any) -> PriceRule:
    return rule(key, compute_price="percentage", percent_price=off, **facts)


def formula(key: int, **facts: Any) -> PriceRule:
    return rule(key, compute_price="formula", **facts)


async def _unit(erp: Any, quantity: float = 1, product: int = 101, pricelist: int = 1) -> Any:
    told = await erp.price(product, quantity, pricelist)
    return told["price_unit"], told["discount"], told["price_subtotal"]


async def test_without_a_rule_the_sales_price(erp_with: Callable[..., Any]) -> None:
    told = await erp_with().price(101, 3, 1)

    assert told == {
        "price_unit": 100.0,
        "discount": 0.0,
        "price_subtotal": 300.0,
        "price_total": 360.0,
        "pricelist_item_id": False,
    }


@pytest.mark.parametrize(
    ("facts", "price"),
    [
        ({"price_discount": 15}, 85.0),
        ({"price_discount": -10}, 110.0),
        ({"price_discount": 33.33, "price_round": 0.05}, 66.65),
        ({"price_discount": 12, "price_round": 10, "price_surcharge": -0.01}, 89.99),
        ({"price_discount": 50, "price_min_margin": -20}, 80.0),
        ({"price_discount": 5, "price_max_margin": -10}, 90.0),
        ({"price_surcharge": 30, "price_min_margin": 10, "price_max_margin": 20}, 120.0),
        ({"base": "standard_price", "price_discount": -40}, 84.0),
        ({"base": "standard_price", "price_min_margin": 15}, 75.0),
        ({"base": "pricelist"}, 100.0),
    ],
)
async def test_formulas(erp_with: Callable[..., Any], facts: dict[str, Any], price: float) -> None:
    assert await _unit(erp_with(formula(1, **facts))) == (price, 0.0, price)


async def test_a_percentage_is_shown_as_a_discount(erp_with: Callable[..., Any]) -> None:
    erp = erp_with(percent(1, 18))

    assert await _unit(erp, 3, 102) == (10.01, 18.0, 24.62)


async def test_a_surcharge_stays_in_the_unit_price(erp_with: Callable[..., Any]) -> None:
    assert await _unit(erp_with(percent(1, -5))) == (105.0, 0.0, 105.0)


async def test_everything_off_is_free(erp_with: Callable[..., Any]) -> None:
    assert await _unit(erp_with(percent(1, 100))) == (100.0, 100.0, 0.0)


async def test_the_narrower_rule_wins_whatever_it_costs(erp_with: Callable[..., Any]) -> None:
    erp = erp_with(
        fixed(1, 1), fixed(2, 99, product_tmpl_id=11), fixed(3, 98, product_id=102),
    )  # fmt: skip

    assert (await _unit(erp, product=101))[0] == 99.0
    assert (await _unit(erp, product=102))[0] == 98.0
    assert (await _unit(erp, product=103))[0] == 1.0


async def test_the_deepest_category_wins_and_ancestors_count(
    erp_with: Callable[..., Any],
) -> None:
    empty = erp_with()
    (product,) = await empty.call("product.product/read", ids=[101], fields=["categ_id"])
    chain = await empty.call(
        "product.category/search_read",
        domain=[["id", "parent_of", product["categ_id"][0]]],
        fields=["id"], order="complete_name",
    )  # fmt: skip
    top, *_, leaf = [row["id"] for row in chain]

    both = erp_with(fixed(9, 50, categ_id=top), fixed(1, 40, categ_id=leaf), fixed(2, 3))
    only = erp_with(fixed(9, 50, categ_id=top), fixed(2, 3))

    assert (await _unit(both))[0] == 40.0
    assert (await _unit(only))[0] == 50.0
    assert (await _unit(only, product=103))[0] == 3.0, "a product without category"


async def test_the_highest_step_reached_then_the_newest_rule(erp_with: Callable[..., Any]) -> None:
    erp = erp_with(
        fixed(1, 10), fixed(2, 9, min_quantity=10), fixed(3, 8, min_quantity=100), fixed(4, 11),
    )  # fmt: skip

    assert [(await _unit(erp, q))[0] for q in (1, 9.99, 10, 99, 100)] == [11, 11, 9, 9, 8]


async def test_a_narrow_rule_with_an_unreached_step_gives_way(
    erp_with: Callable[..., Any],
) -> None:
    erp = erp_with(fixed(1, 10), fixed(2, 5, product_id=101, min_quantity=50))

    assert (await _unit(erp, 49))[0] == 10.0
    assert (await _unit(erp, 50))[0] == 5.0


@pytest.mark.parametrize(
    ("start", "end", "price"),
    [
        (None, None, 5.0),
        (datetime(2026, 6, 15, 12, 0, tzinfo=UTC), None, 5.0),
        (datetime(2026, 6, 15, 12, 0, 1, tzinfo=UTC), None, 100.0),
        (None, datetime(2026, 6, 15, 12, 0, tzinfo=UTC), 5.0),
        (None, datetime(2026, 6, 15, 11, 59, 59, tzinfo=UTC), 100.0),
    ],
)
async def test_dates_are_inclusive_to_the_second(
    erp_with: Callable[..., Any], start: Any, end: Any, price: float
) -> None:
    assert (await _unit(erp_with(fixed(1, 5, date_start=start, date_end=end))))[0] == price


async def test_the_orders_own_date_counts(erp_with: Callable[..., Any]) -> None:
    erp = erp_with(fixed(1, 5, date_start=datetime(2027, 1, 1, tzinfo=UTC)))

    told = await erp.price(101, 1, 1, date_order="2027-03-01 00:00:00")

    assert told["price_unit"] == 5.0


async def test_a_chain_of_lists_takes_the_price_below(erp_with: Callable[..., Any]) -> None:
    below = {"base": "pricelist", "base_pricelist_id": 1}
    erp = erp_with(
        fixed(1, 80), formula(2, pricelist=2, price_discount=10, **below),
        percent(3, 5, pricelist=3, base="pricelist", base_pricelist_id=2),
    )  # fmt: skip

    assert await _unit(erp, pricelist=2) == (72.0, 0.0, 72.0)
    assert await _unit(erp, pricelist=3) == (72.0, 5.0, 68.4)


async def test_percentages_of_a_chain_are_shown_from_its_lowest(
    erp_with: Callable[..., Any],
) -> None:
    erp = erp_with(
        percent(1, 20), percent(2, 10, pricelist=2, base="pricelist", base_pricelist_id=1)
    )

    assert await _unit(erp, pricelist=2) == (100.0, 28.0, 72.0)


async def test_steps_below_in_the_chain_see_the_quantity(erp_with: Callable[..., Any]) -> None:
    below = {"base": "pricelist", "base_pricelist_id": 1}
    erp = erp_with(fixed(1, 10), fixed(2, 6, min_quantity=10), formula(3, pricelist=2, **below))

    assert [(await _unit(erp, q, pricelist=2))[0] for q in (9, 10)] == [10.0, 6.0]


async def test_a_list_in_another_currency(erp_with: Callable[..., Any]) -> None:
    erp = erp_with(
        formula(1, pricelist=4, price_discount=10, price_surcharge=1),
        fixed(2, 7, pricelist=4, product_id=102),
        formula(3, pricelist=1, base="pricelist", base_pricelist_id=4, product_id=102),
    )  # fmt: skip
    rate = float(erp.world.currency_rates["CHF"])

    assert (await _unit(erp, pricelist=4))[0] == pytest.approx(100 * rate * 0.9 + 1)
    assert (await _unit(erp, product=102, pricelist=4))[0] == 7.0
    assert (await _unit(erp, product=102, pricelist=1))[0] == pytest.approx(7 / rate)
    plain = await _unit(erp_with(), product=103, pricelist=4)
    assert plain[0] == pytest.approx(7.5 * rate)


async def test_another_unit_scales_prices_and_reaches_steps(erp_with: Callable[..., Any]) -> None:
    erp = erp_with(fixed(1, 10), formula(2, min_quantity=24, price_discount=50, price_surcharge=1))
    (dozen,) = await erp.call("uom.uom/search", domain=[["name", "=", "Dozens"]])

    async def priced(quantity: float) -> float:
        answer = await erp.call(
            "sale.order.line/onchange",
            values={"product_id": 101, "product_uom_qty": quantity, "product_uom_id": dozen,
                    "order_id": {"pricelist_id": 1}},
            field_names=["product_id"],
            fields_spec={"price_unit": {}},
        )  # fmt: skip
        price: float = answer["value"]["price_unit"]
        return price

    assert await priced(1) == 120.0
    assert await priced(2) == 50 * 12 + 12


async def test_the_partners_list_is_used_when_the_order_names_none(erp: Any) -> None:
    company = next(c for c in erp.world.companies if c.currency == "CHF")
    product = erp.world.items[5].erp_id
    spec = {"price_unit": {}, "currency_id": {"fields": {"name": {}}}, "discount": {}}

    by_partner = await erp.call(
        "sale.order.line/onchange",
        values={"product_id": product, "order_id": {"partner_id": company.erp_id}},
        field_names=[],
        fields_spec=spec,
    )
    by_list = await erp.price(product, 1, company.pricelist_id)

    assert by_partner["value"]["currency_id"]["name"] == "CHF"
    assert by_partner["value"]["price_unit"] == by_list["price_unit"]


async def test_the_line_of_an_existing_order_uses_its_list(erp: Any) -> None:
    order = next(o for o in erp.world.orders if o.currency == "CHF")
    answer = await erp.call(
        "sale.order.line/onchange",
        values={
            "product_id": erp.world.items[5].erp_id,
            "product_uom_qty": 1,
            "order_id": order.id,
        },
        field_names=["product_id"],
        fields_spec={"currency_id": {"fields": {"name": {}}}, "order_id": {}},
    )

    assert answer["value"]["currency_id"]["name"] == "CHF"


async def test_what_does_not_change_is_not_told(erp_with: Callable[..., Any]) -> None:
    answer = await erp_with(fixed(1, 12.5)).call(
        "sale.order.line/onchange",
        values={"product_id": 101, "product_uom_qty": 2.0, "order_id": {"pricelist_id": 1}},
        field_names=["product_id", "product_uom_qty"],
        fields_spec={"price_unit": {}, "discount": {}, "price_subtotal": {}, "product_uom_qty": {}},
    )

    assert answer == {"value": {"price_unit": 12.5, "price_subtotal": 25.0}}


async def test_a_line_without_product_or_of_text_costs_nothing(
    erp_with: Callable[..., Any],
) -> None:
    for values in ({}, {"product_id": 101, "display_type": "line_note"}, {"product_id": False}):
        answer = await erp_with().call(
            "sale.order.line/onchange",
            values=values,
            field_names=[],
            fields_spec={"price_unit": {}, "product_id": {}},
        )
        assert answer == {"value": {"price_unit": 0.0, "product_id": False}}


async def test_relations_may_be_given_in_every_form(erp_with: Callable[..., Any]) -> None:
    erp = erp_with(fixed(1, 4))
    for product in (101, {"id": 101}, [101, "A"]):
        answer = await erp.call(
            "sale.order.line/onchange",
            values={"product_id": product, "order_id": {"pricelist_id": [1, "x"]}},
            field_names=[],
            fields_spec={"price_unit": {}},
        )
        assert answer == {"value": {"price_unit": 4.0}}


async def test_a_price_that_was_typed_in_is_kept(erp_with: Callable[..., Any]) -> None:
    answer = await erp_with(percent(1, 10)).call(
        "sale.order.line/onchange",
        values={"product_id": 101, "price_unit": 42, "order_id": {"pricelist_id": 1}},
        field_names=[],
        fields_spec={"price_unit": {}, "price_subtotal": {}},
    )

    assert answer["value"] == {"price_unit": 42.0, "price_subtotal": 37.8}


@given(
    st.decimals("0.001", "100000", places=3),
    st.sampled_from(["0.01", "0.05", "0.1", "0.25", "0.3", "1", "5", "10"]),
)
def test_rounding_is_half_away_from_zero(value: Decimal, step: str) -> None:
    precision = Decimal(step)
    whole = (value / precision).quantize(Decimal(1), "ROUND_HALF_UP")

    assert rounded(float(value), float(precision)) == pytest.approx(float(whole * precision))
    assert rounded(-float(value), float(precision)) == pytest.approx(-float(whole * precision))


async def test_every_seeded_rule_is_readable(erp: Any) -> None:
    rules = await erp.call("product.pricelist.item/search_read", domain=[], fields=[])

    assert len(rules) == len(erp.world.price_rules)
    order = [(r["applied_on"], -r["min_quantity"]) for r in rules]
    assert order == sorted(order)
    by_id = {r.id: r for r in erp.world.price_rules}
    for told in rules:
        fact = by_id[told["id"]]
        assert told["percent_price"] == float(fact.percent_price)
        assert told["price_markup"] == -told["price_discount"]
        assert (told["categ_id"] or [None])[0] == fact.categ_id
        assert bool(told["product_tmpl_id"]) == bool(fact.product_tmpl_id or fact.product_id)
