"""What is taken for right because another document was, against validation of each by itself."""

import re
from random import Random

import pytest

from gateway.operations.alike import _KEPT_CHARACTERS, Alike, words_of
from gateway.operations.documents import DocumentError, DocumentLimits, Documents
from gateway.operations.limits import OperationLimits
from tests.gateway.execution.writing import Writer
from tests.resolvers.shop import CORE

ANY_SIZE = DocumentLimits(
    max_tokens=50_000, operation=OperationLimits(50, 50, 5_000, 5_000, 5_000, 5)
)
LITERAL = re.compile(r'"[^"\\]*"|(?<![\w.])-?\d+(?:\.\d+)?\b')
OTHERS = ['"A"', '"BOLT"', '""', '"x y"', "1", "0", "-1", "99999999999", "1.5", '"1e2"', '"€"']


def told(documents: Documents, text: str) -> object:
    """None for a right one; else everything that is said of it."""
    try:
        documents.document(text)
    except DocumentError as error:
        return error.code, [(one.formatted, one.extensions) for one in error.errors]
    return None


def alone(text: str, limits: DocumentLimits | None = None) -> object:
    return told(Documents(CORE, limits), text)


def test_of_a_thousand_documents_one_is_validated() -> None:
    documents = Documents(CORE)
    for number in range(1_000):
        text = f'{{ product(sku: "P{number}") {{ sku price(quantity: {number + 1}) {{ quantity }} }} }}'
        document = documents.document(text)
        (operation,) = document.operations.values()
        assert operation.loc is not None
        assert operation.loc.source.body == text

    assert documents.alike.spared == 999


@pytest.mark.parametrize(
    ("right", "other"),
    [
        ("{ orders(first: 1) { totalCount } }", "{ orders(first: 99999999999) { totalCount } }"),
        ("{ orders(first: 1) { totalCount } }", "{ orders(first: 1.5) { totalCount } }"),
        ("{ orders(first: 1) { totalCount } }", '{ orders(first: "1") { totalCount } }'),
        (
            '{ product(sku: "A") { price(quantity: "1") { quantity } } }',
            '{ product(sku: "A") { price(quantity: "many") { quantity } } }',
        ),
        (
            'query($q: Decimal = "1") { product(sku: "A") { price(quantity: $q) { quantity } } }',
            'query($q: Decimal = "x") { product(sku: "A") { price(quantity: $q) { quantity } } }',
        ),
        (
            '{ a: product(sku: "A") { sku } a: product(sku: "A") { name } }',
            '{ a: product(sku: "A") { sku } a: product(sku: "B") { name } }',
        ),
        (
            '{ a: product(sku: "A") { sku } b: product(sku: "B") { sku } }',
            '{ a: product(sku: "A") { sku } a: product(sku: "B") { sku } }',
        ),
        (
            '{ basket(lines: [{sku: "A", quantity: 1}]) { orderable } }',
            '{ basket(lines: [{sku: 1, quantity: "x"}]) { orderable } }',
        ),
        (
            "query($y: Boolean!) { orders(first: 1) { totalCount @skip(if: $y) } }",
            "query($y: Boolean!) { orders(first: 1) { totalCount @skip(if: 1) } }",
        ),
    ],
)
def test_what_is_wrong_is_told_as_if_nothing_had_been_right_before(right: str, other: str) -> None:
    documents = Documents(CORE)
    assert [told(documents, right) for _ in range(2)] == [None, None]
    assert told(documents, right.replace("{ ", "{  ", 1)) is None

    found = told(documents, other)

    assert found is not None
    assert found == alone(other)


@pytest.mark.parametrize("block", range(3))
def test_documents_with_other_literals_get_the_verdict_they_get_alone(block: int) -> None:
    documents = Documents(CORE, ANY_SIZE)
    wrong = 0
    for seed in range(block * 20, (block + 1) * 20):
        text, random = Writer(seed).query, Random(seed)
        told(documents, text)
        told(documents, text + " ")
        for _ in range(4):
            other = LITERAL.sub(lambda _, random=random: random.choice(OTHERS), text)  # type: ignore[misc]
            some = LITERAL.sub(
                lambda one, random=random: random.choice([one[0], one[0], one[0], *OTHERS]),  # type: ignore[misc]
                text,
            )
            for changed in (other, some, LITERAL.sub(_next, text)):
                found = told(documents, changed)
                assert found == alone(changed, ANY_SIZE)
                wrong += found is not None

    assert wrong > 20
    assert documents.alike.spared > 5


def _next(one: re.Match[str]) -> str:
    """Another of its kind, the same for the same."""
    token = one[0]
    return f'{token[:-1]}7"' if token[0] == '"' else f"{token}7"


def test_limits_are_those_of_the_words() -> None:
    limits = DocumentLimits(operation=OperationLimits(aliases=1))
    documents = Documents(CORE, limits)
    text = '{{ a: product(sku: "{}") {{ sku }} b: product(sku: "{}") {{ sku }} }}'

    found = [told(documents, text.format(one, one)) for one in "xyz"]

    assert None not in found
    assert documents.alike.spared == 0


@pytest.mark.parametrize(
    "text",
    [
        "{ viewer { name } }",
        '{ product(sku: """A""") { sku } }',
        '{ product(sku: "A\\n") { sku } }',
        '{ product(sku: "A") { sku } } ?',
    ],
)
def test_what_cannot_be_compared_has_no_words(text: str) -> None:
    assert words_of(text) is None


def test_words_are_the_same_whatever_stands_between_them() -> None:
    one = words_of('{product(sku:"A"){sku}}')
    other = words_of('{ # "no literal"\n product ( sku : "B", ) { sku }\n}')

    assert one is not None
    assert other is not None
    assert one.key == other.key
    assert (one.literals, other.literals) == (['"A"'], ['"B"'])


def test_what_is_remembered_is_bounded() -> None:
    alike, size = Alike(CORE), 10_000
    for number in range(3 * _KEPT_CHARACTERS // size):
        words = words_of(f'{{ {"x" * size}{number}: product(sku: "A") {{ sku }} }}')
        assert words is not None
        alike.keep(words)

    assert sum(map(len, alike._known)) <= _KEPT_CHARACTERS
