"""Domains select the rows that a plain reading of Odoo's rules selects, in any combination."""

import fnmatch
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.odoo.domains import matching
from sandbox.odoo.loading import loaded
from sandbox.odoo.store import Env, Store
from sandbox.world import World

_FIELDS: Mapping[str, st.SearchStrategy[Any]] = {
    "id": st.integers(995, 1060),
    "ref": st.sampled_from([False, "", "C10001", "C10002", "c10001", "C100"]),
    "type": st.sampled_from([False, "contact", "invoice", "delivery", "nowhere"]),
    "is_company": st.booleans(),
    "parent_id": st.sampled_from([False, 1000, 1020, 1040, 7]),
    "credit_limit": st.sampled_from([False, 0, 0.0, 5000, 10_000.0, 50_000]),
    "city": st.sampled_from([False, "Lyon", "lyon", "Li", "e", "%n", "L_on", ""]),
    "create_date": st.sampled_from([False, "2026-11-23", "2026-11-22", "2026-11-23 07:00:00"]),
    "child_ids": st.sampled_from([False, 1001, 1010, 1021, 7]),
}
_EQUALITIES = ("=", "!=", "in", "not in")
_ORDERS = ("<", "<=", ">", ">=")
_PATTERNS = ("like", "ilike", "not like", "not ilike", "=like", "=ilike")


def _operators(name: str) -> tuple[str, ...]:
    if name in {"ref", "city", "type"}:
        return _EQUALITIES + _PATTERNS
    if name in {"id", "credit_limit", "create_date"}:
        return _EQUALITIES + _ORDERS
    return _EQUALITIES


@st.composite
def _leaves(draw: st.DrawFn) -> list[Any]:
    name = draw(st.sampled_from(sorted(_FIELDS)))
    operator = draw(st.sampled_from(_operators(name)))
    if operator in {"in", "not in"}:
        return [name, operator, draw(st.lists(_FIELDS[name], max_size=3))]
    return [name, operator, draw(_FIELDS[name])]


_domains: st.SearchStrategy[list[Any]] = st.recursive(
    _leaves().map(lambda leaf: [leaf]),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(lambda two: ["&", *_one(two[0]), *_one(two[1])]),
        st.tuples(inner, inner).map(lambda two: ["|", *_one(two[0]), *_one(two[1])]),
        inner.map(lambda one: ["!", *_one(one)]),
        st.lists(inner, min_size=2, max_size=3).map(lambda many: [x for one in many for x in one]),
        inner.map(lambda one: [["parent_id", "any", one]]),
        inner.map(lambda one: [["child_ids", "any", one]]),
        inner.map(lambda one: [["child_ids", "not any", one]]),
        _leaves().map(lambda leaf: [[f"parent_id.{leaf[0]}", *leaf[1:]]]),
        _leaves().map(lambda leaf: [[f"child_ids.{leaf[0]}", *leaf[1:]]]),
    ),
    max_leaves=6,
)


def _one(domain: list[Any]) -> list[Any]:
    """The domain as one term: implicit ands made explicit."""
    terms, rest = 0, list(domain)
    while rest:
        rest = _skip(rest)
        terms += 1
    return ["&"] * (terms - 1) + domain


def _skip(rest: list[Any]) -> list[Any]:
    head, *tail = rest
    if head == "!":
        return _skip(tail)
    if head in ("&", "|"):
        return _skip(_skip(tail))
    return tail


class _Naive:
    """Row by row, straight from the documentation; no index, no compilation."""

    def __init__(self, rows: Mapping[int, dict[str, Any]]) -> None:
        self.rows = rows

    def passes(self, row: dict[str, Any], domain: list[Any]) -> bool:
        rest, passed = list(domain), True
        while rest:
            value, rest = self._term(row, rest)
            passed = passed and value
        return passed

    def _term(self, row: dict[str, Any], rest: list[Any]) -> tuple[bool, list[Any]]:
        head, *tail = rest
        if head == "!":
            value, tail = self._term(row, tail)
            return not value, tail
        if head in ("&", "|"):
            left, tail = self._term(row, tail)
            right, tail = self._term(row, tail)
            return (left and right) if head == "&" else (left or right), tail
        return self._leaf(row, *head), tail

    def _leaf(self, row: dict[str, Any], name: str, operator: str, value: Any) -> bool:
        first, _, path = name.partition(".")
        if path:
            return self._leaf(row, first, "any", [[path, operator, value]])
        held = row.get(name, 0.0 if name == "credit_limit" else False)
        if operator in {"any", "not any"}:
            ids = held if isinstance(held, tuple) else [held] if held else []
            found = any(self.passes(self.rows[key], value) for key in ids)
            return found == (operator == "any")
        if operator in {"in", "not in"}:
            return any(_equal(name, held, each) for each in value) == (operator == "in")
        if operator in {"=", "!="}:
            return _equal(name, held, value) == (operator == "=")
        if "like" in operator:
            return _like(held, operator, value)
        return _ordered(name, held, operator, value)


def _equal(name: str, held: Any, value: Any) -> bool:
    if isinstance(held, tuple):
        return value in held if value else not held
    if name == "create_date" and value:
        value = value if len(value) > 10 else f"{value} 00:00:00"
    return bool(held == (value or (0.0 if name == "credit_limit" else False)))


def _like(held: Any, operator: str, value: Any) -> bool:
    positive = operator.removeprefix("not ")
    if not value:
        found = not held if "=" in positive else True
    else:
        pattern = value if "=" in positive else f"%{value}%"
        glob = pattern.replace("%", "*").replace("_", "?")
        text = held or None
        if "ilike" in positive and text:
            text, glob = text.lower(), glob.lower()
        found = text is not None and fnmatch.fnmatchcase(text, glob)
    return found != operator.startswith("not ")


def _ordered(name: str, held: Any, operator: str, value: Any) -> bool:
    left, right = held or 0, value or 0
    if name == "create_date":
        if not value or not held:
            return False
        day = len(value) == 10
        moment = value if not day else f"{value} 00:00:00"
        end = f"{value} 23:59:59"
        left, right = held, end if day and operator in {">", "<="} else moment
    return bool(
        {"<": left < right, "<=": left <= right, ">": left > right, ">=": left >= right}[operator]
    )


@pytest.fixture(scope="session")
def store(world: World) -> Store:
    """Partners written at many moments of a few days, so that moments and days differ."""
    made = loaded(world, "http://erp.test")
    for key, row in made["res.partner"].rows.items():
        row["create_date"] = f"2026-11-{20 + key % 5} {key % 3 * 7:02d}:00:00"
    made["res.partner"].forget()
    return made


def _agree(store: Store, domain: list[Any]) -> None:
    table = store["res.partner"]
    env = Env(store, {}, datetime(2026, 1, 1, tzinfo=UTC))
    naive = _Naive(table.rows)

    expected = {key for key, row in table.rows.items() if naive.passes(row, domain)}

    assert matching(env, table, domain) == expected


@settings(max_examples=400, deadline=None)
@given(leaf=_leaves())
def test_a_condition_selects_what_a_naive_reading_selects(store: Store, leaf: list[Any]) -> None:
    _agree(store, [leaf])


@settings(max_examples=250, deadline=None)
@given(domain=_domains)
def test_any_domain_selects_what_a_naive_reading_selects(store: Store, domain: list[Any]) -> None:
    _agree(store, domain)


async def _names(erp: Any, model: str, *domain: Any, field: str = "name") -> list[Any]:
    rows = await erp.call(f"{model}/search_read", domain=list(domain), fields=[field], order="id")
    return [row[field] for row in rows]


async def test_the_empty_domain_and_the_constant_leaves(erp: Any) -> None:
    every = await erp.call("res.lang/search_count", domain=[])

    assert await erp.call("res.lang/search_count", domain=[[1, "=", 1]]) == every == 3
    assert await erp.call("res.lang/search_count", domain=[[0, "=", 1]]) == 0
    assert await erp.call("res.lang/search_count", domain=[["id", "in", []]]) == 0
    assert await erp.call("res.lang/search_count", domain=[["id", "not in", []]]) == 3
    assert await erp.call("res.lang/search_count", domain=[["code", "=?", False]]) == 3
    assert await erp.call("res.lang/search_count", domain=[["code", "=?", "fr_FR"]]) == 1
    assert await erp.call("res.lang/search_count", domain=[["code", "==", "fr_FR"]]) == 1
    assert await erp.call("res.lang/search_count", domain=[["code", "<>", "fr_FR"]]) == 2
    assert (
        await erp.call("res.lang/search_count", domain=[["id", "any", [["code", "=", "fr_FR"]]]])
        == 1
    )


async def test_a_relation_is_compared_with_a_text_by_display_name(erp: Any) -> None:
    world: World = erp.world
    company = world.companies[0]
    count = sum(order.company == company.number for order in world.orders)

    for operator in ("=", "ilike"):
        domain = [["partner_id", operator, company.name]]
        assert await erp.call("sale.order/search_count", domain=domain) == count
    by_list = [["partner_id", "in", [company.name, 0]]]
    assert await erp.call("sale.order/search_count", domain=by_list) == count
    others = [["partner_id", "not ilike", company.name]]
    assert await erp.call("sale.order/search_count", domain=others) == len(world.orders) - count


async def test_a_display_name_is_searched_like_a_name(erp: Any) -> None:
    sku = erp.world.examples.sku

    assert await _names(
        erp, "product.product", ["display_name", "ilike", sku], field="default_code"
    ) == [sku]
    assert await _names(
        erp, "product.product", ["display_name", "in", [sku]], field="default_code"
    ) == [sku]
    assert sku not in await _names(
        erp, "product.product", ["display_name", "not ilike", sku], field="default_code"
    )


async def test_children_and_parents_of_a_category(erp: Any) -> None:
    world: World = erp.world
    by_code = {category.code: category for category in world.categories}
    leaf = by_code[world.examples.category]
    chain = [leaf]
    while chain[-1].parent and chain[-1].parent in by_code:
        chain.append(by_code[chain[-1].parent])
    ids = {category.erp_id for category in chain}
    root = chain[-1]

    above = await erp.call("product.category/search", domain=[["id", "parent_of", leaf.erp_id]])
    assert set(above) == ids
    below = await erp.call("product.category/search", domain=[["id", "child_of", [root.erp_id]]])
    assert ids <= set(below)
    named = root.labels["en_US"]
    by_name = await erp.call("product.category/search", domain=[["id", "child_of", named]])
    assert set(by_name) == set(below)
    inside = await erp.call(
        "product.product/search_count", domain=[["categ_id", "child_of", root.erp_id]]
    )
    direct = await erp.call("product.product/search_count", domain=[["categ_id", "=", root.erp_id]])
    assert inside > direct
    assert await erp.call("product.category/search", domain=[["id", "child_of", False]]) == []


async def test_a_customer_with_all_below_it(erp: Any) -> None:
    company = erp.world.companies[0]

    found = await erp.call("res.partner/search", domain=[["id", "child_of", company.erp_id]])
    by_commercial = await erp.call(
        "res.partner/search", domain=[["commercial_partner_id", "=", company.erp_id]]
    )

    assert set(found) == set(by_commercial)
    assert {contact.id for contact in company.contacts} <= set(found)


async def test_a_day_means_the_whole_day(erp: Any) -> None:
    orders = erp.world.orders
    day = orders[len(orders) // 2].placed.date()
    until = sum(order.placed.date() <= day for order in orders)

    for operator, count in (("<=", until), (">", len(orders) - until)):
        domain = [["date_order", operator, day.isoformat()]]
        assert await erp.call("sale.order/search_count", domain=domain) == count


async def test_moments_with_an_offset_are_brought_to_utc(erp: Any) -> None:
    placed = erp.world.orders[0].placed.strftime("%Y-%m-%dT%H:%M:%S+00:00")

    assert await erp.call("sale.order/search_count", domain=[["date_order", "=", placed]]) >= 1


async def test_lines_are_reached_through_orders_and_orders_through_lines(erp: Any) -> None:
    sku = erp.world.examples.sku
    item = next(item for item in erp.world.items if item.sku == sku)
    orders = {
        order.id
        for order in erp.world.orders
        if any(line.item == item.erp_id for line in order.lines)
    }

    dotted = await erp.call(
        "sale.order/search", domain=[["order_line.product_id.default_code", "=", sku]]
    )
    nested = await erp.call(
        "sale.order/search",
        domain=[["order_line", "any", [["product_id", "any", [["default_code", "=", sku]]]]]],
    )

    assert set(dotted) == set(nested) == orders


async def test_inactive_rows_hide_unless_asked_for(erp: Any) -> None:
    domain = [["active", "in", [True, False]]]

    assert await erp.call("res.currency/search_count", domain=domain) == await erp.call(
        "res.currency/search_count", domain=[], context={"active_test": False}
    )


async def test_rarer_forms_of_conditions(erp: Any) -> None:
    async def codes(*domain: Any) -> set[str]:
        rows = await erp.call("res.country/search_read", domain=list(domain), fields=["code"])
        return {row["code"] for row in rows}

    every = await codes()
    assert await codes(["code", "<", "B"]) == {"AT"}
    assert await codes(["code", "=like", "\\_%"]) == set()
    assert await codes(["code", "=ilike", "f_"]) == {"FR"}
    assert await codes(["currency_id", "=", None]) == every
    assert await codes(["currency_id", "=", []]) == every
    assert await codes(["currency_id", "!=", []]) == set()
    assert await codes(["create_date", ">", False]) == set()
    assert await codes(["display_name", "=", "Germany"]) == {"DE"}
    assert await erp.call("res.country/search_count", domain=False) == 0
    assert await erp.call("res.country/search_count", domain=True) == len(every)
    dated = [["invoice_date", "<=", "2200-01-01"]]
    moves = await erp.call("account.move/search_count", domain=[])
    assert await erp.call("account.move/search_count", domain=dated) == moves
    exact = [["invoice_date", "=", erp.world.invoices[0].issued.isoformat()]]
    assert await erp.call("account.move/search_count", domain=exact) >= 1
