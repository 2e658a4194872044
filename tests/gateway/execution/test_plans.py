"""The compiled plan against the stock engine: the same answers, with fewer words about it."""

import json
import re
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from graphql import (
    GraphQLInterfaceType,
    GraphQLObjectType,
    get_named_type,
    is_leaf_type,
    is_required_argument,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.execution.answer import Answer
from gateway.execution.plans import Plans
from gateway.http.ide import storefront_query
from ports.caller import Call
from resolvers.context import _GRACE_SECONDS as GRACE
from resolvers.ids import encode
from tests.contracts.fakes.catalog import FakeCatalog
from tests.resolvers import shop as shops
from tests.resolvers.shop import BOLT, CORE, Shop, down

# Arguments under which something is found.
ARGUMENTS = {
    "Query.product": '(sku: "BOLT")',
    "Query.order": '(number: "A1")',
    "Query.shipment": '(trackingNumber: "T1")',
    "Query.invoice": '(number: "IA")',
    "Query.return": '(number: "R")',
    "Query.category": '(code: "bolts")',
    "Query.node": f'(id: "{encode("Order", "A1")}")',
    "Query.nodes": f'(ids: ["{encode("Product", "BOLT")}", "{encode("Order", "A3")}", "{encode("Order", "no")}"])',
    "Query.basket": '(lines: [{sku: "BOLT", quantity: 3}, {sku: "no", quantity: "1"}])',
    "Product.attribute": '(code: "d")',
    "Product.price": '(quantity: "120")',
}
DEEPEST = 6
_MOMENT = re.compile(rf"{datetime.now(UTC):%Y}-[^\"]*Z")


def field_text(draw: Any, parent: Any, name: str, depth: int) -> str | None:
    field = parent.fields[name]
    kind = get_named_type(field.type)
    arguments = ARGUMENTS.get(f"{parent.name}.{name}", "")
    if not arguments and any(is_required_argument(one) for one in field.args.values()):
        return None
    alias = draw(st.sampled_from(["", "", "a: ", "b: "]))
    condition = draw(st.sampled_from(["", "", "", " @include(if: $yes)", " @skip(if: $yes)"]))
    if is_leaf_type(kind):
        return f"{alias}{name}{arguments}{condition}" if name != "age" else None
    if depth >= DEEPEST:
        return None
    return f"{alias}{name}{arguments}{condition} {{ {selection(draw, kind, depth + 1)} }}"


def selection(draw: Any, kind: Any, depth: int) -> str:
    if isinstance(kind, GraphQLInterfaceType):
        parts = [
            f"... on {one.name} {{ {selection(draw, one, depth)} }}"
            for one in CORE.get_possible_types(kind)
        ]
        return " ".join(["__typename", *parts])
    names = draw(st.lists(st.sampled_from(sorted(kind.fields)), min_size=1, max_size=6))
    texts = [field_text(draw, kind, name, depth) for name in names if not name.startswith("_")]
    return " ".join(["__typename", *dict.fromkeys(text for text in texts if text)])


@st.composite
def documents(draw: Any) -> str:
    root = CORE.query_type
    assert isinstance(root, GraphQLObjectType)
    return f"query($yes: Boolean!) {{ {selection(draw, root, 0)} }}"


def told(answer: Answer) -> Any:
    """An answer for comparing: its errors in any order, and keys in the order of the answer.

    The fakes read prices now, so two runs differ in the moment.
    """
    entries = sorted(json.dumps(one, sort_keys=True, default=str) for one in answer.errors)
    data = _MOMENT.sub("now", json.dumps(answer.data and dict(answer.data)))
    return data, entries, answer.request_error


async def both(query: str, variables: dict[str, object], **fails: str) -> tuple[Any, Any]:
    answers = []
    for planned in (True, False):
        shop = Shop(planned=planned)
        for port, system in fails.items():
            getattr(shop, port).fail_with(down(system))
        answers.append(told(await shop.ask(query, variables)))
    return answers[0], answers[1]


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(query=documents(), yes=st.booleans())
async def test_generated_documents_are_answered_equally(query: str, *, yes: bool) -> None:
    planned, stock = await both(query, {"yes": yes})

    assert planned == stock


@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    query=documents(),
    port=st.sampled_from(
        ["catalog", "pricing", "stock", "orders", "shipments", "customers", "tracking"]
    ),
)
async def test_with_a_system_down_too(query: str, port: str) -> None:
    planned, stock = await both(query, {"yes": True}, **{port: "ERP"})

    assert planned[0] == stock[0]
    assert planned[2] == stock[2]
    assert places(planned) == places(stock)


def places(answer: Any) -> set[tuple[Any, ...]]:
    """Where errors left nulls.

    Of several errors that reach one nullable field the engine tells those that came before it gave
    that field up: one at least, and which is a matter of moments (GraphQL 2025-09 §6.4.4).
    """
    data = json.loads(answer[0])
    return {_nulled(data, json.loads(entry).get("path", [])) for entry in answer[1]}


def _nulled(data: Any, path: list[Any]) -> tuple[Any, ...]:
    for depth, step in enumerate(path):
        if data is None:
            return tuple(path[:depth])
        data = data[step]
    return tuple(path)


EXAMPLES: dict[str, dict[str, object]] = {
    "product": {"sku": "BOLT"},
    "listing": {"category": "bolts"},
    "order-history": {"customer": "A"},
    "tracking": {"trackingNumber": "T1"},
    "storefront": {"sku": "BOLT", "customer": "A"},
}


@pytest.mark.parametrize("name", EXAMPLES)
async def test_the_storefront_is_served_by_plan(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plans = Plans(CORE)
    monkeypatch.setattr(shops, "PLANS", plans)

    planned, stock = await both(storefront_query(name), EXAMPLES[name])

    assert planned == stock
    assert (plans.served, plans.left) == (1, 0)


@pytest.mark.parametrize(
    "query",
    [
        "{ __schema { queryType { name } } viewer { subject } }",
        'mutation { cancelOrder(number: "A1", idempotencyKey: "k") { userErrors { code } } }',
        '{ product(sku: "BOLT") { price(quantity: "0") { quantity } } }',
        '{ order(number: "A1") { payments { id } } }',
        "{ _service { sdl } }",
    ],
)
async def test_the_rest_is_left_to_the_stock_engine(
    query: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plans = Plans(CORE)
    monkeypatch.setattr(shops, "PLANS", plans)

    planned, stock = await both(query, {})

    assert planned == stock
    assert (plans.served, plans.left) == (0, 1)


async def test_what_has_no_plan_is_told_apart_from_what_went_wrong(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plans = Plans(CORE)
    monkeypatch.setattr(shops, "PLANS", plans)
    shop = Shop()

    await shop.ask("{ __schema { queryType { name } } }")
    shop.catalog.fail_with(down("PIM"))
    await shop.ask('{ product(sku: "BOLT") { sku } }')

    assert (plans.left, plans.unsupported) == (2, 1)


async def test_entities_are_served_by_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    plans = Plans(CORE)
    monkeypatch.setattr(shops, "PLANS", plans)
    query = """query($r: [_Any!]!) { _entities(representations: $r) { __typename ... on Node { id }
    ... on Product { name price(quantity: 3) { quantity } } ... on Order { customer { name } } } }"""
    told: list[object] = [
        {"__typename": kind, name: key}
        for kind, name, key in (
            ("Product", "sku", "BOLT"),
            ("Order", "number", "A1"),
            ("Product", "sku", "no"),
            ("Product", "id", encode("Product", "NUT")),
            ("Shipment", "trackingNumber", "T1"),
        )
    ]

    planned, stock = await both(query, {"r": told})

    assert planned == stock
    assert planned[1] == []
    assert (plans.served, plans.left) == (1, 0)


async def test_a_failure_asks_no_system_twice() -> None:
    shop = Shop()
    shop.pricing.fail_with(down("ERP"))

    await shop.ask('{ product(sku: "BOLT") { price { quantity } } orders { nodes { number } } }')

    assert (shop.catalog.calls, len(shop.pricing.calls), shop.orders.calls) == (
        ["products"],
        1,
        ["search"],
    )


async def test_fragments_and_repeated_fields_are_merged() -> None:
    query = """query { product(sku: "BOLT") { ...A ... on Node { id } sku }
    again: product(sku: "NUT") { ...A } product(sku: "BOLT") { price { total { net { amount } } } } }
    fragment A on Product { name price { quantity } ...B } fragment B on Node { __typename id }"""

    planned, stock = await both(query, {})

    assert planned == stock
    assert planned[1] == []


async def test_plans_are_kept_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    plans = Plans(CORE, kept=2)
    monkeypatch.setattr(shops, "PLANS", plans)
    for name in "abcd":
        await Shop().data(f"{{ {name}: viewer {{ subject }} }}")

    assert len(plans._known) == 2
    assert plans.served == 4


class BusyCatalog(FakeCatalog):
    """Takes the interpreter until the operation's deadline is past, and lets nobody else run."""

    async def products(self, skus: Sequence[str], /, *, call: Call) -> Any:
        while time.monotonic() <= call.deadline + GRACE:
            pass
        return await super().products(skus, call=call)


async def test_work_that_awaits_nothing_ends_at_the_deadline_too() -> None:
    """The next system is not asked, though nothing could cancel what was under way."""
    for planned in (True, False):
        shop = Shop(planned=planned)
        shop.catalog = BusyCatalog(products=[BOLT])

        answer = await shop.ask('{ product(sku: "BOLT") { price { quantity } } }', seconds=0.05)

        assert answer.data is None
        assert [one["extensions"]["code"] for one in answer.errors] == ["DEADLINE_EXCEEDED"]  # type: ignore[index]
        assert shop.pricing.calls == []
