"""Time linear in the document: counted in calls of functions, so that no machine is too slow for it."""

import sys
from collections.abc import Callable
from contextlib import suppress

import pytest
from graphql import FragmentDefinitionNode, OperationDefinitionNode, parse

from gateway.operations.cost import Costs
from gateway.operations.documents import DocumentError, DocumentLimits, Documents
from gateway.operations.limits import OperationLimits, check
from schema.build import schema

CORE = schema()._schema
WIDE = DocumentLimits(max_tokens=100_000, operation=OperationLimits(60, 60, 9_999, 9_999, 9_999))


def calls(work: Callable[[], object]) -> int:
    counted = 0

    def count(_frame: object, event: str, _argument: object) -> None:
        nonlocal counted
        counted += event in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(before)
    return counted


def examined(text: str, limits: DocumentLimits) -> int:
    documents = Documents(CORE, limits)

    def work() -> None:
        with suppress(DocumentError):
            documents.document(text)

    return calls(work)


def chain(size: int) -> str:
    links = " ".join(f"fragment F{n} on Query {{ ...F{n + 1} ...F{n + 1} }}" for n in range(size))
    return f"{{ ...F0 }} {links} fragment F{size} on Query {{ viewer {{ subject }} }}"


def all_of_all(size: int) -> str:
    """Each fragment spreads all that come after it."""
    each = int((2 * size) ** 0.5)
    links = " ".join(
        f"fragment F{n} on Query {{ {' '.join(f'...F{m}' for m in range(n + 1, each))} __typename }}"
        for n in range(each)
    )
    return f"{{ ...F0 }} {links}"


DOCUMENTS: dict[str, Callable[[int], str]] = {
    "fragments that double": chain,
    "fragments that spread all others": all_of_all,
    "the same field": lambda size: f'{{ product(sku: "x") {{ {"sku " * size} }} }}',
    "the same two levels": lambda size: (
        f'{{ product(sku: "x") {{ {"model { variants { sku } } " * size} }} }}'
    ),
    "unknown fields": lambda size: f"{{ {' '.join(f'x{n}' for n in range(size))} }}",
    "unknown types": lambda size: " ".join(f"fragment F{n} on X{n} {{ sku }}" for n in range(size)),
    "conflicting arguments": lambda size: (
        '{ product(sku: "x") { '
        + " ".join(f"related(first: {n}) {{ sku }}" for n in range(size))
        + " } }"
    ),
    "operations": lambda size: " ".join(f"query Q{n} {{ __typename }}" for n in range(size)),
    "variables": lambda size: (
        f"query({' '.join(f'$v{n}: Int' for n in range(size))}) {{ __typename }}"
    ),
    "values": lambda size: f"{{ nodes(ids: [{'1 ' * size}]) {{ id }} }}",
    "wrong values": lambda size: f"{{ nodes(ids: [{'true ' * size}]) {{ id }} }}",
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_twice_the_document_takes_twice_the_steps(name: str) -> None:
    """Refused or not, with limits that end none of them early."""
    small, large = (examined(DOCUMENTS[name](size), WIDE) for size in (150, 300))

    assert large < 2.6 * small


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_worst_document_is_refused_in_bounded_steps(name: str) -> None:
    """A hundred steps a token, and more text costs nothing more."""
    limits = DocumentLimits()

    most = max(examined(DOCUMENTS[name](size), limits) for size in (200, 500, 1_000, 3_000))

    assert most < 250 * limits.max_tokens
    assert examined(DOCUMENTS[name](20_000), limits) <= most


def test_the_limits_count_a_fragment_once() -> None:
    small, large = (parse(chain(size)) for size in (40, 80))

    assert calls(lambda: check(large, OperationLimits())) < 2.2 * calls(
        lambda: check(small, OperationLimits())
    )


def test_the_cost_counts_a_fragment_once() -> None:
    costs = Costs(CORE)

    def reckoned(size: int) -> int:
        definitions = parse(chain(size)).definitions
        (operation,) = [one for one in definitions if isinstance(one, OperationDefinitionNode)]
        fragments = {
            one.name.value: one for one in definitions if isinstance(one, FragmentDefinitionNode)
        }
        return calls(lambda: costs.of(operation, fragments, {}))

    reckoned(1)
    assert reckoned(80) < 2.2 * reckoned(40)
