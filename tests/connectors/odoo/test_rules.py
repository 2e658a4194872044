"""The rule evaluator: cases computed by hand, and the ERP's own dry run as oracle."""

import asyncio
import functools
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.odoo.mapping import Currency
from connectors.odoo.rules import Goods, Quote, Rule, RuleError, Rules, Terms
from ports.pricing import Price, PriceQuestion
from sandbox.world import PriceRule, World
from tests.connectors.odoo.pages_peer import Peer, page, server, world
from upstream.reference import own_call

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
EUR = Currency(1, "EUR", Decimal("0.01"), Decimal(1))
USD = Currency(2, "USD", Decimal("0.01"), Decimal("1.25"))
LAPTOP = Goods(
    id=7,
    template=5,
    categories=(1, 4),
    price=Decimal(100),
    currency=EUR,
    cost=Decimal(60),
    cost_currency=EUR,
)


def d(text: str | int) -> Decimal:
    return Decimal(text)


def ds(*texts: str | int) -> tuple[Decimal, ...]:
    return tuple(map(Decimal, texts))


def on_all(number: int, **facts: Any) -> Rule:
    return Rule(number, facts.pop("list_id", 1), "3_global", None, facts.pop("compute"), **facts)


def quote(*rules: Rule, quantity: int | str = 1, goods: Goods = LAPTOP, **terms: Any) -> Quote:
    lists = {1: EUR, 2: EUR, 3: USD}
    return Rules(rules, lists, NOW).quote(1, goods, d(quantity), Terms(**terms))


def test_a_fixed_price_is_what_it_says() -> None:
    assert quote(on_all(1, compute="fixed", fixed=d("79.9"))).net == d("79.9")


def test_a_percentage_is_told_as_a_discount() -> None:
    found = quote(on_all(1, compute="percentage", percent=d(18)))

    assert (found.before, found.discount, found.net) == ds(100, 18, 82)


def test_a_percentage_above_is_a_dearer_price_without_a_discount() -> None:
    found = quote(on_all(1, compute="percentage", percent=d(-10)))

    assert (found.before, found.discount, found.net) == ds(110, 0, 110)


def test_a_discount_is_rounded_as_the_line_shows_it() -> None:
    found = quote(on_all(1, compute="percentage", percent=d("33.3333")))

    assert found.discount == d("33.33")
    assert found.net == d("66.67")


def test_where_discounts_are_not_shown_they_come_off_the_price() -> None:
    found = quote(on_all(1, compute="percentage", percent=d("33.3333")), discount_digits=None)

    assert (found.before, found.discount) == ds("66.6667", 0)


def test_a_unit_price_is_rounded_where_the_database_does_so() -> None:
    assert quote(on_all(1, compute="fixed", fixed=d("1.005")), price_digits=2).net == d("1.01")


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"discount": d(10)}, "90"),
        ({"discount": d(-10)}, "110"),
        ({"discount": d("12.3"), "rounding": d(5)}, "90"),
        ({"discount": d("7.5"), "rounding": d(5)}, "95"),
        # Prices that end in 9.99: rounded to tens, less a cent.
        ({"discount": d(23), "rounding": d(10), "surcharge": d("-0.01")}, "79.99"),
        ({"surcharge": d(3)}, "103"),
        # The least margin lifts, the most margin caps, and the cap comes last.
        ({"discount": d(20), "min_margin": d(5)}, "105"),
        ({"discount": d(-50), "max_margin": d(30)}, "130"),
        ({"discount": d(-50), "min_margin": d(60), "max_margin": d(30)}, "130"),
        ({"base": "standard_price", "discount": d(-50)}, "90"),
        ({"base": "standard_price", "min_margin": d(25), "max_margin": d(40)}, "85"),
    ],
)
def test_formulas(facts: dict[str, Any], expected: str) -> None:
    assert quote(on_all(1, compute="formula", **facts)).net == d(expected)


def test_a_base_list_is_priced_first_and_converted() -> None:
    below = on_all(2, list_id=3, compute="fixed", fixed=d(50))
    above = on_all(1, compute="formula", base="pricelist", base_list_id=3, discount=d(10))

    assert quote(above, below).net == d(36)  # 50 USD are 40 EUR


def test_percentages_on_percentages_show_one_discount() -> None:
    below = on_all(2, list_id=2, compute="percentage", percent=d(10))
    above = on_all(1, compute="percentage", percent=d(20), base="pricelist", base_list_id=2)

    found = quote(above, below)

    assert (found.before, found.discount, found.net) == ds(100, 28, 72)


def test_a_percentage_on_a_fixed_price_starts_from_it() -> None:
    below = on_all(2, list_id=2, compute="fixed", fixed=d(80))
    above = on_all(1, compute="percentage", percent=d(25), base="pricelist", base_list_id=2)

    found = quote(above, below)

    assert (found.before, found.discount, found.net) == ds(80, 25, 60)


def test_a_rule_that_no_list_below_answers_starts_from_the_sales_price() -> None:
    above = on_all(1, compute="formula", base="pricelist", base_list_id=3)

    assert quote(above).net == 100


def test_without_a_rule_the_sales_price_in_the_list_s_currency() -> None:
    found = Rules((), {1: USD}, NOW).quote(1, LAPTOP, d(1))

    assert found.net == 125
    assert found.rule is None


def test_the_first_rule_in_order_that_applies_wins() -> None:
    rules = (
        Rule(9, 1, "0_product_variant", 7, "fixed", fixed=d(70), minimum=d(10)),
        Rule(8, 1, "0_product_variant", 8, "fixed", fixed=d(1)),
        Rule(7, 1, "1_product", 5, "fixed", fixed=d(80), minimum=d(5)),
        Rule(6, 1, "2_product_category", 4, "fixed", fixed=d(85)),
        Rule(5, 1, "2_product_category", 1, "fixed", fixed=d(90)),
        on_all(4, compute="fixed", fixed=d(95)),
    )

    assert [quote(*rules, quantity=q).net for q in (1, 5, 9, 10)] == [85, 80, 80, 70]
    elsewhere = replace(LAPTOP, id=1, template=1, categories=(1,))
    assert quote(*rules, goods=elsewhere).net == 90
    assert quote(*rules, goods=replace(elsewhere, categories=())).net == 95


@pytest.mark.parametrize(
    ("starts", "ends", "runs"),
    [
        (0, 0, True),
        (-1, 1, True),
        (1, 2, False),
        (-2, -1, False),
        (None, -1, False),
        (1, None, False),
    ],
)
def test_a_rule_runs_from_its_first_second_to_its_last(
    starts: int | None, ends: int | None, runs: bool
) -> None:
    at = [None if each is None else NOW + timedelta(seconds=each) for each in (starts, ends)]
    rule = on_all(1, compute="fixed", fixed=d(1), starts=at[0], ends=at[1])

    assert (quote(rule).rule is rule) is runs


def test_a_price_ends_with_the_first_rule_it_stands_on() -> None:
    soon, later = NOW + timedelta(days=1), NOW + timedelta(days=9)
    below = on_all(2, list_id=2, compute="percentage", percent=d(10), ends=soon)
    above = on_all(
        1, compute="percentage", percent=d(5), base="pricelist", base_list_id=2, ends=later
    )

    assert quote(above, below).ends == soon


def test_a_circle_of_lists_is_an_error_and_no_endless_loop() -> None:
    one = on_all(1, compute="formula", base="pricelist", base_list_id=2)
    two = on_all(2, list_id=2, compute="formula", base="pricelist", base_list_id=1)

    with pytest.raises(RuleError):
        quote(one, two)
    assert Rules((one, two), {1: EUR, 2: EUR}, NOW).thresholds(1, LAPTOP) == ()


def test_a_hidden_cost_is_an_error() -> None:
    with pytest.raises(RuleError):
        quote(on_all(1, compute="formula", base="standard_price"), goods=replace(LAPTOP, cost=None))


def test_a_list_without_a_known_currency_is_an_error() -> None:
    with pytest.raises(RuleError):
        Rules((), {}, NOW).quote(1, LAPTOP, d(1))


def test_thresholds_are_those_of_all_lists_that_the_price_stands_on() -> None:
    rules = (
        on_all(1, compute="fixed", fixed=d(1), minimum=d(50)),
        on_all(2, compute="formula", base="pricelist", base_list_id=2),
        on_all(3, list_id=2, compute="fixed", minimum=d(20)),
        Rule(4, 2, "1_product", 99, "fixed", minimum=d(30)),
    )

    assert Rules(rules, {}, NOW).thresholds(1, LAPTOP) == ds(20, 50)


# ------------------------------------------------------------------ against the ERP's dry run

LISTS = (1, 2, 3, 4)


@functools.cache
def small() -> World:
    """A world of twelve products in several categories, with no trade."""
    whole = world()
    chosen = whole.items[0:1800:150]
    return replace(
        whole, items=chosen, orders=(), deliveries=(), invoices=(), parcels=(), incoming=(),
        quants=(), models=(), price_rules=(),
    )  # fmt: skip


def cents(least: int, most: int) -> st.SearchStrategy[Decimal]:
    return st.integers(least, most).map(lambda n: Decimal(n) / 100)


@st.composite
def price_rules(draw: st.DrawFn) -> tuple[PriceRule, ...]:
    return tuple(draw(_rule(number)) for number in range(1, draw(st.integers(1, 14)) + 1))


@st.composite
def _rule(draw: st.DrawFn, number: int) -> PriceRule:
    items = small().items
    list_id = draw(st.sampled_from(LISTS))
    applied_on = draw(
        st.sampled_from(["3_global", "2_product_category", "1_product", "0_product_variant"])
    )
    item = draw(st.sampled_from(items))
    compute = draw(st.sampled_from(["fixed", "percentage", "formula"]))
    # A list stands on lists of higher ids only, so that no circle comes about.
    below = [each for each in LISTS if each > list_id]
    bases = ["list_price", "standard_price", *(["pricelist"] * 3 if below else [])]
    base = draw(st.sampled_from(bases)) if compute != "fixed" else "list_price"
    margins = sorted(draw(st.tuples(cents(0, 5000), cents(0, 5000))))
    day = timedelta(days=1)
    now = datetime.now(UTC)
    dates = draw(st.sampled_from([(None, None), (-9, 9), (None, 3), (-3, None), (5, 9), (-9, -5)]))
    return PriceRule(
        id=number,
        pricelist_id=list_id,
        applied_on=applied_on,  # type: ignore[arg-type]
        compute_price=compute,  # type: ignore[arg-type]
        categ_id=draw(st.sampled_from(_family(item.categories)))
        if applied_on == "2_product_category"
        else None,
        product_tmpl_id=item.template_id if applied_on == "1_product" else None,
        product_id=item.erp_id if applied_on == "0_product_variant" else None,
        min_quantity=draw(st.sampled_from([d(0), d(0), d(1), d("2.5"), d(10), d(100)])),
        date_start=None if dates[0] is None else now + dates[0] * day,
        date_end=None if dates[1] is None else now + dates[1] * day,
        fixed_price=draw(cents(0, 99_999)),
        percent_price=draw(cents(-5000, 9000)),
        base=base,  # type: ignore[arg-type]
        base_pricelist_id=draw(st.sampled_from(below)) if base == "pricelist" else None,
        price_discount=draw(cents(-5000, 9000)),
        price_round=draw(st.sampled_from([d(0), d("0.05"), d("0.5"), d(1), d(10)])),
        price_surcharge=draw(st.sampled_from([d(0), d("-0.01"), d("2.5")])),
        price_min_margin=margins[0] if draw(st.booleans()) else d(0),
        price_max_margin=margins[1] if draw(st.booleans()) else d(0),
    )


def _family(codes: Sequence[str]) -> list[int]:
    """The categories of an item and all above them, by their ids in the ERP."""
    known = {category.code: category for category in world().categories}
    found, waiting = [], list(codes)
    while waiting:
        category = known[waiting.pop()]
        found.append(category.erp_id)
        waiting += [category.parent] if category.parent else []
    return found


@given(rules=price_rules(), quantities=st.lists(cents(1, 20_000), min_size=1, max_size=2))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_the_rules_give_what_the_erp_would_charge(
    rules: tuple[PriceRule, ...], quantities: list[Decimal]
) -> None:
    asyncio.run(_compare(replace(small(), price_rules=rules), quantities))


async def _compare(of: World, quantities: Sequence[Decimal]) -> None:
    buyers = {company.pricelist_id: company.number for company in of.companies}
    questions = [
        PriceQuestion(item.sku, quantity, buyer)
        for item in of.items
        for quantity in quantities
        for buyer in buyers.values()
    ]
    app = server(of)
    evaluated, _ = page(Peer(server=app))
    asked, _ = page(Peer(server=app), pricing="dry-run")
    ours = await evaluated.prices(questions, call=own_call())
    theirs = await asked.prices(questions, call=own_call())

    assert set(ours) == set(theirs) == set(questions)
    for question in questions:
        _same(question, ours[question], theirs[question])


def _same(question: PriceQuestion, ours: object, theirs: object) -> None:
    assert isinstance(ours, Price)
    assert isinstance(theirs, Price)
    # The ERP counts in binary floats; a price in francs has endless digits either way.
    assert float(ours.unit.net.amount) == pytest.approx(
        float(theirs.unit.net.amount), rel=1e-6, abs=2e-6
    ), question
    assert ours.unit.net.currency == theirs.unit.net.currency
    assert _near(ours.total.net.amount, theirs.total.net.amount, ours, question), question
    if theirs.discount_percent:
        assert ours.discount_percent == theirs.discount_percent
        assert ours.list
        assert theirs.list
        assert float(ours.list.amount) == pytest.approx(float(theirs.list.amount), rel=1e-6)


def _near(ours: Decimal, theirs: Decimal, price: Price, question: PriceQuestion) -> bool:
    """Equal to the cent, save where six decimals of the unit price leave room for a tie."""
    if ours == theirs:
        return True
    exact = price.unit.net.amount * question.quantity
    tie = abs(exact * 100 % 1 - Decimal("0.5")) < question.quantity * Decimal("0.0001")
    return tie and abs(ours - theirs) <= Decimal("0.01")
