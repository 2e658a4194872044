"""Documents that differ in literals alone: one plan, and each its own answer."""

import time
from typing import Any

import pytest
from graphql import OperationDefinitionNode, parse

from gateway.execution.engine import StockEngine
from gateway.execution.gate import Gate, GateRules
from gateway.execution.literals import _KEPT_VALUES, Literals, form_of, telling_fields
from gateway.execution.plans import Plans
from gateway.operations.request import GraphQLRequest
from ports.caller import Call
from resolvers.context import Context
from tests.resolvers import shop as shops
from tests.resolvers.shop import CORE, OURS, Shop

TELLING = telling_fields(CORE)


def key(text: str) -> str:
    document = parse(text)
    (operation,) = [one for one in document.definitions if isinstance(one, OperationDefinitionNode)]
    return form_of(document, operation, TELLING).key


@pytest.fixture
def plans(monkeypatch: pytest.MonkeyPatch) -> Plans:
    made = Plans(CORE)
    monkeypatch.setattr(shops, "PLANS", made)
    return made


async def both(query: str, **variables: object) -> Any:
    """The data of the plan, which must be the stock engine's; so must the errors."""
    planned, stock = [
        await Shop(planned=planned).ask(query, variables) for planned in (True, False)
    ]
    assert planned.errors == stock.errors
    data = planned.data and dict(planned.data)
    assert data == stock.data
    return data


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('{ product(sku: "A") { sku } }', '{ product(sku: "B") { sku } }'),
        ('{ product(sku: "A") { sku } }', '{ product(sku: """B""") { sku } }'),
        ('{ product(sku: "A") { sku } }', "{ product(sku: null) { sku } }"),
        ('{ product(sku: "A") { sku } }', 'query Named { product(sku: "A") { sku } }'),
        (
            "{ orders(first: 3, filter: {statuses: [SHIPPED]}) { totalCount } }",
            '{ orders(first: 4, filter: {numbers: ["A1", "A2"]}) { totalCount } }',
        ),
        (
            'query($q: Decimal!) { basket(lines: [{sku: "A", quantity: $q}]) { lines { sku } } }',
            'query($q: Decimal!) { basket(lines: {sku: "B", quantity: $q}) { lines { sku } } }',
        ),
        (
            'query($s: String = "A") { product(sku: $s) { sku } }',
            'query($s: String = "B") { product(sku: $s) { sku } }',
        ),
        (
            '{ product(sku: "A") { availability @fresh(maxAge: 1) { available } } }',
            '{ product(sku: "A") { availability @fresh(maxAge: 2) { available } } }',
        ),
        (
            '{ product(sku: "A") { ...F } } fragment F on Product { price(quantity: "1") { quantity } }',
            '{ product(sku: "B") { ...F } } fragment F on Product { price(quantity: 2) { quantity } }',
        ),
    ],
)
def test_they_have_one_form(one: str, other: str) -> None:
    assert key(one) == key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('{ product(sku: "A") { sku } }', '{ product(id: "A") { sku } }'),
        ('{ product(sku: "A") { sku } }', '{ product(sku: "A") { name } }'),
        ('{ product(sku: "A") { sku } }', '{ a: product(sku: "A") { sku } }'),
        ('{ product(sku: "A") { sku } }', "query($s: String) { product(sku: $s) { sku } }"),
        (
            "query($s: String, $t: String) { product(sku: $s) { sku } node(id: $t) { id } }",
            "query($s: String, $t: String) { product(sku: $t) { sku } node(id: $s) { id } }",
        ),
        (
            '{ product(sku: "A") { sku @include(if: true) } }',
            '{ product(sku: "A") { sku @include(if: false) } }',
        ),
        (
            "query($y: Boolean!) { viewer { name @skip(if: $y) } }",
            "query($y: Boolean!) { viewer { name @include(if: $y) } }",
        ),
        (
            '{ product(sku: "A") { attribute(code: "d") { code } } }',
            '{ product(sku: "A") { attribute(code: "l") { code } } }',
        ),
        (
            '{ node(id: "A") { ... on Product { id } } }',
            '{ node(id: "A") { ... on Order { id } } }',
        ),
        (
            '{ node(id: "A") { ...F } } fragment F on Product { id }',
            '{ node(id: "A") { ...F } } fragment F on Order { id }',
        ),
    ],
)
def test_others_have_forms_of_their_own(one: str, other: str) -> None:
    assert key(one) != key(other)


def test_fragments_that_are_not_spread_are_no_part_of_a_form() -> None:
    with_two = """query A { viewer { ...F } } query B { viewer { ...G } }
    fragment F on Viewer { name ...H } fragment G on Viewer { email } fragment H on Viewer { name }"""
    document = parse(with_two)
    first, second = [
        one for one in document.definitions if isinstance(one, OperationDefinitionNode)
    ]

    assert "email" not in form_of(document, first).key
    assert "H" not in form_of(document, second).key


async def test_a_thousand_documents_cost_one_plan(plans: Plans) -> None:
    for number in range(1_000):
        sku = "BOLT" if number % 2 else f"N{number}"
        data = await Shop().data(
            f'{{ product(sku: "{sku}") {{ sku price(quantity: {number + 1}) {{ quantity }} }} }}'
        )
        found = {"sku": "BOLT", "price": {"quantity": str(number + 1)}} if number % 2 else None
        assert data == {"product": found}

    assert (plans.compiled, plans.served) == (1, 1_000)


LITERALS = {
    "texts": [
        '{ product(sku: "BOLT") { sku } }',
        '{ product(sku: "NUT") { sku } }',
        '{ product(sku: """\n  BOLT\n""") { sku } }',
        '{ product(sku: "B\\u004FLT") { sku } }',
        "{ product(sku: null) { sku } }",
        '{ product(sku: "") { sku } }',
    ],
    "numbers": [
        f'{{ product(sku: "BOLT") {{ price(quantity: {one}) {{ quantity total {{ net {{ amount }} }} }} }} }}'
        for one in ('"1"', "120", "1.5", '"120.00"', "null", '"0"', "-3", '"1e2"')
    ],
    "enums and objects": [
        f"{{ orders({one}) {{ totalCount nodes {{ number }} }} }}"
        for one in (
            "first: 1, filter: {statuses: [SHIPPED]}",
            "first: 2, filter: {statuses: SHIPPED}",
            "first: 3, filter: {statuses: [SHIPPED, CONFIRMED]}",
            "first: 3, filter: {statuses: []}",
            "first: 3, filter: {}",
            "first: null, filter: null",
            "first: 0, filter: {statuses: null}",
            "first: 101, filter: {}",
        )
    ],
    "lists of objects": [
        f"{{ basket(lines: {one}) {{ lines {{ sku quantity }} }} }}"
        for one in (
            '[{sku: "BOLT", quantity: 3}]',
            '{sku: "NUT", quantity: "2"}',
            '[{sku: "BOLT", quantity: 3}, {sku: "NUT", quantity: 1}]',
            "[]",
            '[{sku: "no", quantity: "0"}]',
        )
    ],
    "lists of ids": [
        f"{{ nodes(ids: {one}) {{ id }} }}" for one in ('["x"]', "[]", '"x"', '["x", "y"]')
    ],
}


@pytest.mark.parametrize("name", LITERALS)
async def test_each_is_answered_by_its_own_literals(name: str, plans: Plans) -> None:
    """Twice, so that what is kept for one is there when another comes."""
    for query in LITERALS[name] * 2:
        await both(query)

    assert plans.compiled == 1


async def test_literals_around_variables_are_each_documents_own(plans: Plans) -> None:
    query = 'query($q: Decimal!) {{ basket(lines: [{{sku: "{}", quantity: $q}}]) {{ lines {{ sku quantity }} }} }}'
    found = [
        await both(query.format(sku), q=quantity)
        for sku in ("BOLT", "NUT", "BOLT")
        for quantity in ("1", "2", "1")
    ]

    lines = [one["basket"]["lines"][0] for one in found]
    assert [(one["sku"], one["quantity"]) for one in lines] == [
        (sku, quantity) for sku in ("BOLT", "NUT", "BOLT") for quantity in ("1", "2", "1")
    ]
    assert plans.compiled == 1


async def test_defaults_of_variables_are_each_documents_own(plans: Plans) -> None:
    for sku in ("BOLT", "NUT"):
        query = f'query($s: String = "{sku}") {{ product(sku: $s) {{ sku }} }}'
        assert await both(query) == {"product": {"sku": sku}}
        assert await both(query, s="WASHER") == {"product": {"sku": "WASHER"}}

    assert plans.compiled == 1


@pytest.mark.parametrize("bad", ['"x"', "true", "1.5", "99999999999", "SHIPPED"])
async def test_bad_literals_are_told_of_where_they_stand(bad: str, plans: Plans) -> None:
    """Though a document of the same form went well before."""
    query = '{{ product(sku: "BOLT") {{ sku }}\n orders(first: {}) {{ totalCount }} }}'
    await both(query.format("1"))

    planned, stock = [
        await Shop(planned=planned).ask(query.format(bad)) for planned in (True, False)
    ]

    assert planned.errors == stock.errors
    assert planned.errors[0]["locations"] == [{"line": 2, "column": 16}]
    assert "path" not in planned.errors[0]


async def test_errors_of_fields_keep_the_place_in_their_own_document(plans: Plans) -> None:
    first = '{ product(sku: "BOLT") { price(quantity: 1) { quantity } } }'
    second = '{\n\n  product(sku: "BOLT") {\n    price(quantity: 0) { quantity } } }'
    await both(first)

    answer = await Shop().ask(second)

    assert plans.compiled == 1
    assert answer.errors[0]["locations"] == [{"line": 4, "column": 5}]
    assert answer.errors[0]["path"] == ["product", "price"]


async def test_operations_are_cut_at_what_they_skip(plans: Plans) -> None:
    query = 'query($y: Boolean!) {{ product(sku: "{}") {{ sku name @include(if: $y) }} }}'
    for sku in ("BOLT", "NUT"):
        for yes in (True, False):
            data = await both(query.format(sku), y=yes)
            assert ("name" in data["product"]) is yes

    assert plans.compiled == 2


async def test_each_costs_what_its_own_literals_ask_for(plans: Plans) -> None:
    engine = StockEngine(CORE, prepare=Gate(CORE, GateRules(cost=50)), plans=plans)

    async def cost(first: int) -> object:
        call = Call(OURS, "en", time.monotonic() + 5)
        context = Context(call, Shop().ports(), lambda code: code, list)
        query = f"{{ orders(first: {first}) {{ nodes {{ number }} }} }}"
        request = GraphQLRequest(query, None, None, {"cost": True})
        answer = await engine.execute(request, context=context, method="POST")
        return answer.errors or (answer.extensions and answer.extensions["cost"]["requested"])  # type: ignore[index]

    assert (await cost(3), await cost(30)) == (8, 35)
    (refused,) = await cost(99)  # type: ignore[misc]
    assert refused["extensions"]["code"] == "OPERATION_LIMIT_EXCEEDED"
    assert plans.compiled == 1


async def test_what_is_asked_of_the_catalogue_follows_from_its_own_literals(plans: Plans) -> None:
    """The ports of the shop answer no more than is wanted."""
    for code, value in (("d", "8 mm"), ("l", "40 mm"), ("gone", None), ("d", "8 mm")):
        query = f'{{ product(sku: "BOLT") {{ attribute(code: "{code}") {{ value }} }} }}'
        found = (await both(query))["product"]["attribute"]
        assert found == (value and {"value": value})

    assert plans.compiled == 3


def test_what_is_kept_of_a_document_is_bounded() -> None:
    literals = Literals(())
    for number in range(3 * _KEPT_VALUES):
        literals.keep(number, {})

    assert 0 < len(literals.kept) <= _KEPT_VALUES
