"""Thousands of generated documents, by plan and by the stock engine: the same answers."""

from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
from graphql import parse_value, print_schema
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis_graphql import nodes, queries

from gateway.execution.plans import Plans
from gateway.operations.documents import DocumentLimits, Documents
from gateway.operations.limits import OperationLimits
from resolvers.ids import encode
from tests.gateway.execution.tampering import FAILURES, failing, failing_keys, quiet
from tests.gateway.execution.test_failures import agree, asked_by
from tests.gateway.execution.writing import Writer
from tests.resolvers import shop as shops
from tests.resolvers.shop import CORE

pytestmark = pytest.mark.many

ANY_SIZE = DocumentLimits(
    max_tokens=50_000, operation=OperationLimits(50, 50, 5_000, 5_000, 5_000, 5)
)
BLOCKS, IN_A_BLOCK = 20, 100
names = st.sampled_from(["BOLT", "NUT", "A", "A1", "T1", "IA", "bolts", "root", "d", "gone", ""])
ids = st.sampled_from([encode("Product", "BOLT"), encode("Order", "A1"), "x"])
entities = st.sampled_from([("Product", "sku", "BOLT"), ("Order", "number", "A1")])
SCALARS: Any = {
    "Decimal": st.sampled_from(["1", "120", "0", "-1", "1e2", "x"]).map(nodes.String),
    "DateTime": st.just("2026-01-01T00:00:00Z").map(nodes.String),
    "Date": st.just("2026-01-01").map(nodes.String),
    "JSON": st.just("x").map(nodes.String),
    "ID": ids.map(nodes.String),
    "String": names.map(nodes.String),
    "_Any": entities.map(
        lambda one: parse_value(f'{{__typename: "{one[0]}", {one[1]}: "{one[2]}"}}')
    ),
}


@pytest.fixture(autouse=True)
def plans(monkeypatch: pytest.MonkeyPatch) -> Iterator[Plans]:
    made = Plans(CORE)
    monkeypatch.setattr(shops, "PLANS", made)
    monkeypatch.setattr(shops, "DOCUMENTS", Documents(CORE, ANY_SIZE))
    with quiet():
        yield made


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(query=queries(print_schema(CORE), custom_scalars=SCALARS))
async def test_documents_that_know_the_schema_alone(query: str) -> None:
    """Of hypothesis-graphql: any argument with any value, fields of any depth."""
    await agree(query)


@pytest.mark.parametrize("block", range(BLOCKS))
async def test_documents_that_find_something(block: int, plans: Plans) -> None:
    for seed in range(block * IN_A_BLOCK, (block + 1) * IN_A_BLOCK):
        written = Writer(seed)
        await agree(written.query, variables=written.variables)

    assert plans.served > IN_A_BLOCK / 4


@pytest.mark.parametrize("block", range(BLOCKS))
async def test_documents_whose_systems_fail(block: int) -> None:
    """Each time one operation of a port, for all or by key."""
    for seed in range(block * IN_A_BLOCK, (block + 1) * IN_A_BLOCK, 3):
        written, random = Writer(-seed - 1), Random(seed)
        asked = list((await asked_by(written.query, written.variables)).asked)
        if asked:
            how = random.choice([failing, failing_keys])
            answered = how(random.choice(asked), random.choice(list(FAILURES.values())))
            await agree(written.query, variables=written.variables, answered=answered)
