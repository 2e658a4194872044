import time
from typing import Any

import pytest

from gateway.execution.answer import Answer
from gateway.execution.engine import StockEngine
from gateway.execution.gate import Gate, GateRules
from gateway.operations.request import GraphQLRequest, RequestError
from ports.caller import Call, Caller, CallerKind
from resolvers.context import Context, Ports
from schema.build import schema


class Quota:
    def __init__(self, *, full: bool = False) -> None:
        self.taken: list[int] = []
        self.full = full

    async def take(self, context: Context, cost: int, /) -> None:
        self.taken.append(cost)
        if self.full:
            raise RequestError(429, "Too many.", "RATE_LIMITED")


async def run(
    query: str,
    rules: GateRules,
    *,
    scopes: frozenset[str] = frozenset(),
    extensions: dict[str, Any] | None = None,
    quota: Quota | None = None,
) -> Answer:
    core = schema()._schema
    call = Call(Caller("jo", CallerKind.USER, scopes=scopes), "en", time.monotonic() + 5)
    context = Context(call, Ports(), lambda code: code, list)
    engine = StockEngine(core, prepare=Gate(core, rules, quota))
    request = GraphQLRequest(query, None, None, extensions)
    return await engine.execute(request, context=context, method="POST")


def code(answer: Answer) -> object:
    return answer.errors[0]["extensions"]["code"]  # type: ignore[index]


async def test_an_operation_too_costly_is_refused() -> None:
    answer = await run("{ products(first: 50) { nodes { sku } } }", GateRules(cost=54))

    assert answer.request_error
    assert code(answer) == "OPERATION_LIMIT_EXCEEDED"
    assert "costs 55" in str(answer.errors[0]["message"])


async def test_the_cost_is_told_on_demand() -> None:
    told = await run("{ viewer { subject } }", GateRules(), extensions={"cost": True})
    silent = await run("{ viewer { subject } }", GateRules())

    assert told.extensions == {"cost": {"requested": 1, "limit": 5_000}}
    assert not silent.extensions


@pytest.mark.parametrize(
    "query",
    [
        "{ __schema { types { name } } }",
        '{ __type(name: "Product") { name fields { name } } }',
        "{ _service { sdl } }",
    ],
)
async def test_introspection_needs_its_scope_where_it_is_off(query: str) -> None:
    refused = await run(query, GateRules(introspection=False))
    granted = await run(query, GateRules(introspection=False), scopes=frozenset({"schema:read"}))
    free = await run(query, GateRules(introspection=True))

    assert code(refused) == "FORBIDDEN"
    assert granted.errors == free.errors == []


async def test_a_types_name_alone_is_no_introspection() -> None:
    rules = GateRules(introspection=False)

    named = await run('{ __type(name: "Product") { name __typename } }', rules)
    spread = await run(
        '{ __type(name: "Product") { ...F } } fragment F on __Type { fields { name } }', rules
    )

    assert named.data == {"__type": {"name": "Product", "__typename": "__Type"}}
    assert code(spread) == "FORBIDDEN"


async def test_typename_is_no_introspection() -> None:
    answer = await run("{ __typename viewer { __typename } }", GateRules(introspection=False))

    assert answer.data == {"__typename": "Query", "viewer": {"__typename": "Viewer"}}


async def test_the_cost_is_taken_from_the_callers_quota() -> None:
    quota = Quota()

    await run("{ viewer { subject } }", GateRules(), quota=quota)

    assert quota.taken == [1]


async def test_a_caller_without_quota_is_turned_away() -> None:
    with pytest.raises(RequestError) as refused:
        await run("{ viewer { subject } }", GateRules(), quota=Quota(full=True))

    assert refused.value.status == 429
