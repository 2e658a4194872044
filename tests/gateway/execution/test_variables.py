"""Variables of plain types against the library's own coercion."""

from typing import Any

import pytest
from graphql import OperationDefinitionNode, build_schema, parse
from graphql.execution.values import VariableValues, get_variable_values
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.execution.variables import MAX_COERCION_ERRORS, Coercion

SCHEMA = build_schema(
    "scalar _Any type Query { x(a: String, b: ID!, c: Int, d: Boolean, e: [Int]): Int"
    " of(r: [_Any!]!): Int }"
)
PLAIN = "query($a: String, $b: ID!, $c: Int, $d: Boolean) { x(a: $a, b: $b, c: $c, d: $d) }"
DEFAULT = 'query($a: String = "z", $b: ID!, $e: [Int]) { x(a: $a, b: $b, e: $e) }'

# A slow machine is no finding.
patient = settings(deadline=None, suppress_health_check=list(HealthCheck))

values = st.one_of(
    st.none(),
    st.text(max_size=3),
    st.integers(-(2**33), 2**33),
    st.booleans(),
    st.floats(allow_nan=False),
    st.lists(st.integers(), max_size=2),
)


def node(text: str) -> OperationDefinitionNode:
    (operation,) = parse(text).definitions
    assert isinstance(operation, OperationDefinitionNode)
    return operation


@patient
@pytest.mark.parametrize("text", [PLAIN, DEFAULT], ids=["plain", "default"])
@given(given=st.dictionaries(st.sampled_from("abcdef"), values))
def test_values_and_complaints_are_the_librarys(text: str, given: dict[str, Any]) -> None:
    operation = node(text)

    ours = Coercion(SCHEMA, operation).values(given)
    theirs = get_variable_values(
        SCHEMA, operation.variable_definitions or (), given, max_errors=MAX_COERCION_ERRORS
    )

    assert told(ours) == told(theirs)


flat = st.dictionaries(st.sampled_from("ab"), st.one_of(values, st.just({})), max_size=2)


@patient
@given(given=st.one_of(values, st.lists(st.one_of(values, flat), max_size=3)))
def test_representations_are_what_the_library_makes_of_them(given: Any) -> None:
    operation = node("query($r: [_Any!]!) { of(r: $r) }")

    ours = Coercion(SCHEMA, operation).values({"r": given})
    theirs = get_variable_values(
        SCHEMA, operation.variable_definitions or (), {"r": given}, max_errors=MAX_COERCION_ERRORS
    )

    assert told(ours) == told(theirs)


def told(found: Any) -> Any:
    if isinstance(found, VariableValues):
        return found.coerced, {name: source.value for name, source in found.sources.items()}
    return [error.message for error in found]


def test_plain_values_need_no_closer_look() -> None:
    coercion = Coercion(SCHEMA, node(PLAIN))

    found = coercion._at_once({"a": "x", "b": "1", "c": 3, "d": False})

    assert found is not None
    assert found.coerced == {"a": "x", "b": "1", "c": 3, "d": False}
    assert coercion._at_once({"a": "x", "b": 1, "c": 3, "d": False}) is None
    several = Coercion(SCHEMA, node("query($r: [_Any!]!) { of(r: $r) }"))
    assert several._at_once({"r": [{"__typename": "Product", "sku": "x", "id": None}]})
    assert several._at_once({"r": [{"sku": ["x"]}]}) is None
