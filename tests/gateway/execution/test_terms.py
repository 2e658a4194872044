import time
from typing import Any

import pytest

from gateway.execution.answer import Answer
from gateway.execution.engine import Operation, StockEngine
from gateway.execution.terms import terms
from gateway.operations.request import GraphQLRequest
from ports.caller import Call, Caller, CallerKind
from resolvers.context import Context, Ports
from schema.build import schema

USER = Caller("jo", CallerKind.USER, customer="A", customers=frozenset({"A", "B"}))
AGENT = Caller("ag", CallerKind.USER, "A", frozenset({"A", "B"}), frozenset({"customers:act-for"}))


async def run(
    query: str, caller: Caller = USER, variables: dict[str, Any] | None = None
) -> tuple[Answer, Call]:
    core = schema()._schema
    call = Call(caller, "en", time.monotonic() + 5)
    context = Context(call, Ports(), lambda code: code, list)

    async def prepare(context: Context, operation: Operation) -> None:
        context.call = terms(context.call, core, operation.node, operation.variables)

    engine = StockEngine(core, prepare=prepare)
    request = GraphQLRequest(query, variables, None, None)
    return await engine.execute(request, context=context, method="POST"), context.call


async def test_an_operation_without_terms_keeps_the_callers() -> None:
    answer, call = await run("query Name { viewer { subject } }")

    assert answer.errors == []
    assert (call.operation, call.language, call.max_age) == ("Name", "en", None)


async def test_the_language_of_the_operation_wins() -> None:
    _, call = await run(
        "query($l: String) @inContext(language: $l) { viewer { subject } }",
        variables={"l": "fr-CH"},
    )

    assert call.language == "fr-CH"


async def test_how_fresh_the_whole_query_must_be() -> None:
    _, call = await run("query @fresh(maxAge: 5, staleIfError: 0) { viewer { subject } }")
    _, bare = await run("query @fresh { viewer { subject } }")

    assert (call.max_age, call.stale_if_error) == (5, 0)
    assert (bare.max_age, bare.stale_if_error) == (0, None)


@pytest.mark.parametrize(
    "query",
    [
        "query @fresh(maxAge: -1) { viewer { subject } }",
        "query @fresh(maxAge: 1, staleIfError: -1) { viewer { subject } }",
        'query @inContext(language: "not a tag!") { viewer { subject } }',
    ],
)
async def test_terms_that_cannot_be_meant_are_refused(query: str) -> None:
    answer, _ = await run(query)

    assert answer.request_error
    assert answer.errors[0]["extensions"]["code"] == "BAD_USER_INPUT"  # type: ignore[index]


async def test_acting_for_a_granted_company() -> None:
    answer, call = await run('query @inContext(customer: "B") { viewer { subject } }', AGENT)

    assert answer.errors == []
    assert call.caller.customer == "B"


@pytest.mark.parametrize(("caller", "customer"), [(USER, "B"), (AGENT, "C")])
async def test_acting_for_another_company_is_refused(caller: Caller, customer: str) -> None:
    answer, call = await run(
        f'query @inContext(customer: "{customer}") {{ viewer {{ subject }} }}', caller
    )

    assert answer.errors[0]["extensions"]["code"] == "FORBIDDEN"  # type: ignore[index]
    assert call.caller.customer == "A"


async def test_acting_for_ones_own_company_needs_nothing() -> None:
    answer, _ = await run('query @inContext(customer: "A") { viewer { subject } }')

    assert answer.errors == []
