"""Fields that merge: told in linear time, and never against the library."""

import pytest
from graphql import (
    NoUnusedFragmentsRule,
    OverlappingFieldsCanBeMergedRule,
    build_schema,
    parse,
    validate,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.operations.merging import MOST_PAIRS, merging
from gateway.operations.rules import problems_of

SCHEMA = build_schema("""
    interface Node { id: ID! self(x: Int, y: In): Node }
    input In { a: Int b: [Int] }
    type A implements Node { id: ID! self(x: Int, y: In): A n: Int s: String list: [Int] b: B node: Node }
    type B implements Node { id: ID! self(x: Int, y: In): B n: Int! s: String list: [Int!] a: A }
    union Any = A | B
    type Query { node: Node a: A b: B any: Any n: Int }
""")

NAMES = ["id", "n", "s", "list", "a", "b", "node", "self", "__typename"]
ALIASES = ["", "", "x: ", "n: ", "id: "]
ARGUMENTS = ["", "", "(x: 1)", "(x: 2)", "(x: $v)", "(y: {a: 1})", "(y: {b: [1, 2]})"]


@st.composite
def selections(draw: st.DrawFn, depth: int = 3) -> str:
    parts = []
    for _ in range(draw(st.integers(1, 4))):
        kind = draw(st.integers(0, 5))
        if kind == 0:
            parts.append(f"...F{draw(st.integers(0, 2))}")
        elif kind == 1 and depth:
            on = draw(st.sampled_from(["", "on A ", "on B ", "on Node "]))
            parts.append(f"... {on}{draw(selections(depth=depth - 1))}")
        else:
            name = draw(st.sampled_from(NAMES))
            arguments = draw(st.sampled_from(ARGUMENTS)) if name == "self" else ""
            inner = (
                draw(selections(depth=depth - 1))
                if depth and name in {"a", "b", "node", "self"}
                else ""
            )
            parts.append(f"{draw(st.sampled_from(ALIASES))}{name}{arguments}{inner}")
    return "{" + " ".join(parts) + "}"


@st.composite
def documents(draw: st.DrawFn) -> str:
    fragments = " ".join(
        f"fragment F{n} on {draw(st.sampled_from(['A', 'B', 'Node', 'Query']))} {draw(selections())}"
        for n in range(3)
    )
    return f"query($v: Int) {draw(selections())} query Q {draw(selections())} {fragments}"


@given(documents())
@settings(max_examples=300)
def test_what_is_sure_has_no_conflict_for_the_library(text: str) -> None:
    node = parse(text)
    if merging(SCHEMA, node) == "sure":
        found = validate(SCHEMA, node, [OverlappingFieldsCanBeMergedRule])
        # A fragment that no operation reaches is not looked at: another rule refuses it.
        assert not found or validate(SCHEMA, node, [NoUnusedFragmentsRule])


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("{ a { n n n } }", "sure"),
        ("{ a { self(x: 1, y: {a: 1}) { n } self(y: {a: 1}, x: 1) { s } } }", "sure"),
        ("{ a { self(x: 1) { n } self(x: 2) { n } } }", "unsure"),
        ("{ a { n: id n } }", "unsure"),
        ("{ any { ... on A { v: n } ... on B { v: n } } }", "unsure"),
        ("{ any { ... on A { v: s } ... on B { v: s } } }", "sure"),
        ("{ any { ... on A { v: id } ... on B { v: id } } }", "sure"),
        ("{ node { ... on A { v: s } s: id } }", "sure"),
        ("{ ...F a { n } } fragment F on Query { a { n: s } }", "unsure"),
        ("{ ...F } fragment F on Query { ...F n }", "sure"),
        ("{ nothing { like this } }", "sure"),
        (f"{{ {'n ' * 170} }}", "sure"),
        (f"{{ {'n ' * 180} }}", "too many"),
    ],
)
def test_verdicts(text: str, verdict: str) -> None:
    assert merging(SCHEMA, parse(text)) == verdict


def test_pairs_count_on_all_levels() -> None:
    levels = int((MOST_PAIRS * 2 / 3) ** 0.5) + 5
    assert merging(SCHEMA, parse(f"{{ {'a { b { n } } ' * levels} }}")) == "too many"


def test_many_steps_are_left_to_the_library() -> None:
    assert merging(SCHEMA, parse("{ a { n } b { n } }"), most=3) == "unsure"


@pytest.mark.parametrize(
    "text",
    [
        "{ a { n: id n } }",
        "{ a { self(x: 1) { n } self(x: 2) { n } } }",
        "{ ...F a { n } } fragment F on Query { a { n: s } }",
    ],
)
def test_conflicts_are_still_told(text: str) -> None:
    found = problems_of(SCHEMA, parse(text), most=20, until=float("inf"))

    assert any("conflict" in error.message for error in found)
