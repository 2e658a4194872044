"""Operations made to hurt: each is refused before any system is called, and others are served."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from tests.security.attacking import Fortress, codes


def exponential(levels: int = 60) -> str:
    """Each fragment spreads the next one twice: 2**60 fields in a few lines."""
    chain = " ".join(
        f"fragment F{n} on Product {{ a{n}: name ...F{n + 1} ...F{n + 1} }}" for n in range(levels)
    )
    return f'{{ product(sku: "x") {{ ...F0 }} }} {chain} fragment F{levels} on Product {{ sku }}'


def exponential_roots(levels: int = 40) -> str:
    chain = " ".join(f"fragment F{n} on Query {{ ...F{n + 1} ...F{n + 1} }}" for n in range(levels))
    return f"{{ ...F0 }} {chain} fragment F{levels} on Query {{ viewer {{ subject }} }}"


def nested(levels: int) -> str:
    opened = "order { customer { orders { nodes { " * levels
    closed = "} " * 4 * levels
    return f'{{ invoice(number: "x") {{ {opened} number {closed} }} }}'


def parents(levels: int) -> str:
    return _within('category(code: "x")', "parent { ", "code", levels)


def inline(levels: int) -> str:
    return _within('product(sku: "x")', "... on Product { ", "sku", levels)


def braces(levels: int) -> str:
    return "{" * levels


def brackets(levels: int) -> str:
    return f"{{ nodes(ids: {'[' * levels}{']' * levels}) {{ id }} }}"


def overlapping() -> str:
    """Fields that must be compared with each other, in pairs, on each level."""
    return f'{{ product(sku: "x") {{ {"model { variants { sku } } " * 240} }} }}'


def overlapping_fragments() -> str:
    spread = " ".join(f"...F{n}" for n in range(60))
    same = "model { variants { sku } } " * 3
    fragments = " ".join(f"fragment F{n} on Product {{ {same} }}" for n in range(60))
    return f'{{ product(sku: "x") {{ {spread} }} }} {fragments}'


def conflicting() -> str:
    """Each pair is an error with a text of its own."""
    fields = " ".join(f"related(first: {n}) {{ sku }}" for n in range(210))
    return f'{{ product(sku: "x") {{ {fields} }} }}'


def lists_in_lists() -> str:
    return (
        "{ customers(first: 100) { nodes { orders(first: 100) { nodes { lines { product { related {"
        " sku } } } } } } } }"
    )


def _within(root: str, opening: str, inner: str, levels: int) -> str:
    return f"{{ {root} {{ {opening * levels} {inner} {'} ' * levels} }} }}"


def introspecting(levels: int) -> str:
    return f"{{ __schema {{ types {{ {'ofType { ' * levels} name {'} ' * levels} }} }} }}"


DQ = '"x" '
LONG = '"' + "x" * 200_000 + '"'
REFUSED: dict[str, Callable[[], str]] = {
    "exponential fragments": exponential,
    "exponential fragments at the root": exponential_roots,
    "fragments in a circle": lambda: (
        "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }"
    ),
    "a fragment of itself": lambda: "{ ...A } fragment A on Query { ...A }",
    "20,000 fields": lambda: f"{{ product {{ {'sku ' * 20_000} }} }}",
    "20,000 root fields": lambda: f"{{ {'__typename ' * 9_000} }}",
    "21 root fields": lambda: f"{{ {'viewer { subject } ' * 21} }}",
    "31 aliases": lambda: f"{{ viewer {{ {' '.join(f'a{n}: subject' for n in range(31))} }} }}",
    "1,000 aliases": lambda: f"{{ {' '.join(f'a{n}: __typename' for n in range(1_000))} }}",
    "depth of 13": lambda: parents(11),
    "depth of 200": lambda: nested(50),
    "depth of 400 without fields": lambda: inline(400),
    "inline fragments in each other, 4,000 deep": lambda: inline(4_000),
    "40,000 braces": lambda: braces(40_000),
    "30,000 brackets": lambda: brackets(30_000),
    "500 brackets": lambda: brackets(500),
    "1,000 operations": lambda: " ".join(f"query Q{n} {{ __typename }}" for n in range(1_000)),
    "5,000 variables": lambda: (
        f"query({' '.join(f'$v{n}: Int' for n in range(5_000))}) {{ __typename }}"
    ),
    "51 directives": lambda: f"{{ viewer {{ subject {'@include(if: true) ' * 51} }} }}",
    "5,000 directives": lambda: f"{{ viewer {{ subject {'@skip(if: false) ' * 5_000} }} }}",
    "5,000 unknown directives": lambda: f"{{ viewer {{ subject {'@x ' * 5_000} }} }}",
    "overlapping fields": overlapping,
    "overlapping fragments": overlapping_fragments,
    "conflicting arguments": conflicting,
    "lists in lists": lists_in_lists,
    "a page of 101": lambda: "{ products(first: 101) { nodes { sku } } }",
    "a page of 2 billion": lambda: "{ products(first: 2147483647) { nodes { sku } } }",
    "a negative page": lambda: "{ products(first: -1) { nodes { sku } } }",
    "a page past 32 bits": lambda: "{ products(first: 99999999999) { nodes { sku } } }",
    "101 ids": lambda: f"{{ nodes(ids: [{DQ * 101}]) {{ id }} }}",
    "deep introspection": lambda: introspecting(20),
    "introspection": lambda: "{ __schema { types { name fields { name } } } }",
    "introspection of a type": lambda: '{ __type(name: "Order") { fields { name } } }',
    "introspection in a fragment": lambda: (
        "{ ...A } fragment A on Query { __schema { types { name } } }"
    ),
    "the subgraph's schema": lambda: "{ _service { sdl } }",
    "a long name": lambda: f"{{ {'x' * 90_000} }}",
    "a long string": lambda: f"{{ product(sku: {LONG}) {{ sku }} }}",
    "a comment of 200 KB": lambda: f"{{ __typename }} #{'x' * 200_000}",
    "90,000 commas": lambda: f"{{ __typename {',' * 90_000} {'__typename ' * 2_000} }}",
    "a subscription": lambda: "subscription { orderChanged { number } }",
    "nothing": lambda: "",
    "no GraphQL": lambda: "SELECT * FROM res_partner",
}
KNOWN = {
    "OPERATION_LIMIT_EXCEEDED",
    "GRAPHQL_PARSE_FAILED",
    "GRAPHQL_VALIDATION_FAILED",
    "OPERATION_NOT_SUPPORTED",
    "OPERATION_RESOLUTION_FAILURE",
    "CONTENT_TOO_LARGE",
    "BAD_REQUEST",
    "BAD_USER_INPUT",
    "FORBIDDEN",
}


@pytest.mark.parametrize("attack", REFUSED)
async def test_an_operation_made_to_hurt_is_refused(fortress: Fortress, attack: str) -> None:
    """For a caller with all rights of a storefront; `/healthz` is asked meanwhile."""
    query = REFUSED[attack]()
    await fortress.calls()

    answer, alive = await asyncio.gather(
        fortress.post(query, headers=fortress.key()), fortress.client.get("/healthz")
    )

    assert alive.status_code == 200
    found = answer.json()
    assert codes(found)
    assert set(codes(found)) <= KNOWN
    assert not any((found.get("data") or {}).values())
    assert len(answer.content) < 20_000
    assert await fortress.calls() == 0


async def test_many_attacks_at_once_leave_room_for_others(fortress: Fortress) -> None:
    attacks = [make() for make in REFUSED.values()]
    busy = [asyncio.create_task(fortress.post(one, headers=fortress.key())) for one in attacks]

    alive = await asyncio.gather(*(fortress.client.get("/healthz") for _ in range(20)))
    served = await fortress.ask("{ viewer { kind } }", headers=fortress.bearer())

    assert {one.status_code for one in alive} == {200}
    assert served["data"] == {"viewer": {"kind": "APPLICATION"}}
    await asyncio.gather(*busy)


@pytest.mark.parametrize(
    ("attack", "code"),
    [
        ("exponential fragments", "OPERATION_LIMIT_EXCEEDED"),
        ("exponential fragments at the root", "OPERATION_LIMIT_EXCEEDED"),
        ("depth of 13", "OPERATION_LIMIT_EXCEEDED"),
        ("31 aliases", "OPERATION_LIMIT_EXCEEDED"),
        ("21 root fields", "OPERATION_LIMIT_EXCEEDED"),
        ("51 directives", "OPERATION_LIMIT_EXCEEDED"),
        ("lists in lists", "OPERATION_LIMIT_EXCEEDED"),
        ("overlapping fields", "OPERATION_LIMIT_EXCEEDED"),
        ("overlapping fragments", "OPERATION_LIMIT_EXCEEDED"),
        ("introspection", "FORBIDDEN"),
        ("the subgraph's schema", "FORBIDDEN"),
        ("40,000 braces", "GRAPHQL_PARSE_FAILED"),
        ("20,000 fields", "GRAPHQL_PARSE_FAILED"),
        ("a long string", "CONTENT_TOO_LARGE"),
    ],
)
async def test_the_refusal_says_which_limit(fortress: Fortress, attack: str, code: str) -> None:
    """Refused for its own reason, not for a typing mistake in the test."""
    answer = await fortress.ask(REFUSED[attack](), headers=fortress.key())

    assert codes(answer)[0] == code


ALLOWED = {
    "20 root fields": " ".join(f"a{n}: viewer {{ subject }}" for n in range(20)),
    "30 aliases": f"viewer {{ {' '.join(f'a{n}: subject' for n in range(30))} }}",
    "depth of 12": parents(10)[1:-1],
    "50 directives": f"viewer {{ subject {'... @include(if: true) { kind } ' * 50} }}",
    "a page of 100": "products(first: 100) { nodes { sku } }",
}


@pytest.mark.parametrize("case", ALLOWED)
async def test_what_is_right_at_the_limit_is_served(fortress: Fortress, case: str) -> None:
    answer = await fortress.ask(f"{{ {ALLOWED[case]} }}", headers=fortress.key())

    assert codes(answer) == []


VARIABLES: dict[str, tuple[str, Any]] = {
    "100,000 ids": ("query($v: [ID!]!) { nodes(ids: $v) { id } }", ["eA"] * 15_000),
    "1,001 lines": (
        "query($v: [BasketLineInput!]!) { basket(lines: $v) { orderable } }",
        [{"sku": "x", "quantity": "1"}] * 1_001,
    ),
    "1,001 representations": (
        "query($v: [_Any!]!) { _entities(representations: $v) { __typename } }",
        [{"__typename": "Product", "sku": "x"}] * 1_001,
    ),
    "an endless number": ("query($v: Int) { products(first: $v) { nodes { sku } } }", 10**400),
    "NaN as a quantity": (
        'query($v: Decimal) { product(sku: "x") { price(quantity: $v) { quantity } } }',
        "NaN",
    ),
    "an exponent": (
        'query($v: Decimal!) { basket(lines: [{sku: "x", quantity: $v}]) { orderable } }',
        "1e999999",
    ),
    "2,000 errors": (
        "query($v: [BasketLineInput!]!) { basket(lines: $v) { orderable } }",
        [{"x": 1}] * 2_000,
    ),
    "an object for a text": ("query($v: String) { product(sku: $v) { sku } }", {"$ne": None}),
    "U+0000": ("query($v: String) { product(sku: $v) { sku } }", "a\0b"),
}


@pytest.mark.parametrize("case", VARIABLES)
async def test_variables_made_to_hurt_are_refused(fortress: Fortress, case: str) -> None:
    query, value = VARIABLES[case]
    body = json.dumps({"query": query, "variables": {"v": value}})
    headers = {"content-type": "application/json", **fortress.key()}
    await fortress.calls()

    answer = await fortress.client.post("/graphql", content=body, headers=headers)

    found = answer.json()
    assert set(codes(found)) <= KNOWN
    assert codes(found)
    assert not any((found.get("data") or {}).values())
    assert len(answer.content) < 20_000
    assert await fortress.calls() == 0


async def test_variables_nested_a_thousand_deep_are_refused(fortress: Fortress) -> None:
    deep = '{"a":' * 20_000 + "1" + "}" * 20_000
    body = '{"query":"query($v: JSON){ __typename }","variables":{"v":' + deep + "}}"

    answer = await _sent(fortress, body)

    assert codes(answer.json())
    assert answer.json()["errors"][0]["extensions"]["code"] != "INTERNAL"


async def test_batches_are_refused(fortress: Fortress) -> None:
    for body in ('[{"query":"{ __typename }"}]', "[]", '[[{"query":"{ __typename }"}]]'):
        answer = await _sent(fortress, body)

        assert codes(answer.json()) == ["BAD_REQUEST"]


async def test_a_body_past_the_limit_is_refused_unread(fortress: Fortress) -> None:
    body = '{"query":"{ __typename }","x":"' + "x" * 200_000 + '"}'

    answer = await _sent(fortress, body)

    assert answer.status_code == 413
    assert codes(answer.json()) == ["CONTENT_TOO_LARGE"]


async def _sent(fortress: Fortress, body: str) -> httpx2.Response:
    headers = {"content-type": "application/json", **fortress.key()}
    return await fortress.client.post("/graphql", content=body, headers=headers)


TYPING_MISTAKES = [
    "{ prodct { sku } }",
    '{ product(sk: "x") { sku } }',
    '{ product(sku: "x") { nam } }',
    "{ orders(filter: {statuses: []}) { totalCount } }",
    "{ orders(filter: {status: SHIPED}) { totalCount } }",
    '{ node(id: "x") { number } }',
    "query($v: OrderFilte) { orders(filter: $v) { totalCount } }",
    "{ ...A } fragment A on Quer { viewer { subject } }",
]


@pytest.mark.parametrize("query", TYPING_MISTAKES)
async def test_strangers_are_told_of_mistakes_not_of_the_schema(
    fortress: Fortress, query: str
) -> None:
    stranger = await fortress.post(query)
    known = await fortress.post(query, headers=fortress.key())

    assert codes(stranger.json())
    assert "Did you mean" not in stranger.text
    assert "Did you mean" in known.text


async def test_variables_suggest_nothing_to_strangers_either(fortress: Fortress) -> None:
    query = "query($f: OrderFilter) { orders(filter: $f) { totalCount } }"
    mistakes: tuple[dict[str, Any], ...] = ({"status": ["SHIPED"]}, {"statu": []})
    for variables in ({"f": mistake} for mistake in mistakes):
        stranger = await fortress.post(query, variables)
        known = await fortress.post(query, variables, headers=fortress.key())

        assert codes(stranger.json())
        assert "Did you mean" not in stranger.text
        assert "Did you mean" in known.text


async def test_introspection_is_the_developers(fortress: Fortress) -> None:
    for query in ("{ __schema { queryType { name } } }", "{ _service { sdl } }"):
        stranger = await fortress.ask(query)
        developer = await fortress.ask(query, headers=fortress.key("developer"))

        assert codes(stranger) == ["FORBIDDEN"]
        assert codes(developer) == []


async def test_a_mutation_by_get_is_refused(fortress: Fortress) -> None:
    answer = await fortress.client.get(
        "/graphql",
        params={"query": "mutation { __typename }"},
        headers={"apollo-require-preflight": "1", **fortress.key()},
    )

    assert answer.status_code in {400, 405}
    assert "data" not in answer.json()
