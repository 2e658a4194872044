import pytest
from graphql import get_introspection_query, parse
from hypothesis import given
from hypothesis import strategies as st

from gateway.operations.limits import LIMIT_EXCEEDED, OperationLimits, check


def texts(document: str, **limits: int) -> list[str]:
    return [error.message for error in check(parse(document), OperationLimits(**limits))]


@pytest.mark.parametrize(
    ("document", "limits"),
    [
        ("{ a { b { c } } }", {"depth": 3}),
        ("{ a { ...F } } fragment F on A { b { c } }", {"depth": 3}),
        ("{ a { ... on A { ... { b } } } }", {"depth": 2}),
        ("{ x: a y: b }", {"aliases": 2}),
        ("{ ...F ...F } fragment F on Q { x: a }", {"aliases": 2}),
        ("{ a b ... { c ...F } } fragment F on Q { d }", {"root_fields": 4}),
        ("query @a { x @a @b ...F @c ... @d { y } } fragment F on Q { z }", {"directives": 5}),
        ("{ __schema { types { fields { name } } } }", {"introspection_depth": 4, "depth": 1}),
    ],
)
def test_a_document_at_its_limit_passes_and_one_below_does_not(
    document: str, limits: dict[str, int]
) -> None:
    name = next(iter(limits))

    assert texts(document, **limits) == []
    assert len(texts(document, **{**limits, name: limits[name] - 1})) == 1


def test_every_operation_of_a_document_is_judged() -> None:
    assert len(texts("query A { a { b } } query B { a { b } } query C { a }", depth=1)) == 2


def test_the_errors_have_a_code_and_a_place() -> None:
    (error,) = check(parse("{ a { b } }"), OperationLimits(depth=1))

    assert error.extensions == {"code": LIMIT_EXCEEDED}
    assert error.locations
    assert error.message == "The operation is nested 2 levels deep; at most 1 are allowed."


def test_fragments_that_double_are_counted_without_being_written_out() -> None:
    chain = " ".join(
        f"fragment F{n} on Q {{ a {{ ...F{n + 1} }} b: a {{ ...F{n + 1} }} }}" for n in range(40)
    )

    found = texts(f"{{ ...F0 }} {chain} fragment F40 on Q {{ x: a }}")

    assert any("over 1,000,000,000 aliases" in text for text in found)


def test_root_fragments_that_double_are_counted_too() -> None:
    chain = " ".join(f"fragment F{n} on Q {{ ...F{n + 1} ...F{n + 1} }}" for n in range(60))

    assert any(
        "root fields" in one for one in texts(f"{{ ...F0 }} {chain} fragment F60 on Q {{ a }}")
    )


def test_fragments_in_a_circle_are_left_to_validation() -> None:
    assert texts("{ ...A } fragment A on Q { ...B } fragment B on Q { ...A }") == []
    assert texts("{ ...Nowhere }") == []


def test_the_tools_own_introspection_passes() -> None:
    full = get_introspection_query(
        specified_by_url=True,
        directive_is_repeatable=True,
        schema_description=True,
        input_value_deprecation=True,
    )

    assert texts(full) == []


@given(st.integers(1, 40), st.integers(1, 40))
def test_depth_is_the_longest_way_down(long: int, short: int) -> None:
    document = (
        "{"
        + "a{" * (long - 1)
        + "x"
        + "}" * (long - 1)
        + " "
        + "b{" * (short - 1)
        + "x"
        + "}" * short
    )

    deepest = max(long, short)

    assert texts(document, depth=deepest) == []
    assert len(texts(document, depth=deepest - 1)) == 1
