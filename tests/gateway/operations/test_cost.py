from typing import Any

import pytest
from graphql import FragmentDefinitionNode, OperationDefinitionNode, parse
from hypothesis import given
from hypothesis import strategies as st

from gateway.operations.cost import Costs
from schema.build import schema

COSTS = Costs(schema()._schema)


def cost(text: str, variables: dict[str, Any] | None = None) -> int:
    definitions = parse(text).definitions
    (operation,) = [one for one in definitions if isinstance(one, OperationDefinitionNode)]
    fragments = {
        one.name.value: one for one in definitions if isinstance(one, FragmentDefinitionNode)
    }
    return COSTS.of(operation, fragments, variables or {})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{ viewer { subject } }", 1),
        ("{ __typename __schema { types { name } } }", 1),
        ('{ product(sku: "x") { sku name } }', 1),
        ('{ product(sku: "x") { price { unit { net { amount } } } } }', 4),
        ("{ products(first: 10) { nodes { sku } } }", 5 + 10),
        ("{ products { nodes { sku } } }", 5 + 24),
        ("{ products(first: null) { nodes { sku } } }", 5 + 24),
        ("{ products(first: 0) { nodes { sku } } }", 5),
        (
            "{ products(first: 10) { edges { cursor node { sku } } pageInfo { endCursor } } }",
            5 + 20 + 1,
        ),
        ("{ products(first: 10) { nodes { price { quantity } } } }", 5 + 20),
        ("{ products(first: 2) { nodes { related(first: 3) { sku } } } }", 5 + 2 + 6),
        ('{ product(sku: "x") { attributes { value } } }', 31),
        ('{ nodes(ids: ["a", "b", "c"]) { id } }', 3),
        ("{ nodes(ids: []) { id } }", 1),
        (
            '{ basket(lines: [{sku: "a", quantity: 1}, {sku: "b", quantity: 1}]) { lines { sku } } }',
            1 + 2 + 2 * 3,
        ),
        ('{ node(id: "x") { ... on Order { lines { sku } } ... on Product { sku } } }', 1 + 10),
        (
            "{ products(first: 3) { ...F } } fragment F on ProductConnection { nodes { sku } }",
            5 + 3,
        ),
        ("{ products(first: 3) { ... { nodes { sku } } } }", 5 + 3),
        (
            (
                "{ a: products(first: 3) { ...F } b: products(first: 5) { ...F } }"
                " fragment F on ProductConnection { nodes { sku } }"
            ),
            10 + 8,
        ),
    ],
)
def test_what_an_operation_costs(text: str, expected: int) -> None:
    assert cost(text) == expected


def test_sizes_come_from_variables_too() -> None:
    text = "query($n: Int, $ids: [ID!]!) { products(first: $n) { nodes { sku } } nodes(ids: $ids) { id } }"

    assert cost(text, {"n": 7, "ids": ["a"] * 9}) == 5 + 7 + 9
    assert cost(text, {"ids": []}) == 5 + 24


def test_representations_are_counted() -> None:
    text = "query($r: [_Any!]!) { _entities(representations: $r) { ... on Product { sku } } }"

    assert cost(text, {"r": [{}] * 40}) == 40


def test_fragments_that_double_end_at_a_ceiling_quickly() -> None:
    chain = " ".join(
        f"fragment F{n} on Product {{ a: related(first: 100) {{ ...F{n + 1} }} b: related(first: 100)"
        f" {{ ...F{n + 1} }} }}"
        for n in range(30)
    )

    text = f'{{ product(sku: "x") {{ ...F0 }} }} {chain} fragment F30 on Product {{ model {{ code }} }}'

    assert cost(text) == 10**9


@given(st.integers(0, 100), st.integers(0, 100))
def test_a_larger_page_never_costs_less(one: int, other: int) -> None:
    text = "query($n: Int) { products(first: $n) { nodes { price { quantity } } } }"
    small, large = sorted((one, other))

    assert cost(text, {"n": small}) <= cost(text, {"n": large})
