"""The stock engine over a Strawberry federation schema: answers, errors, the deadline."""

import asyncio
from dataclasses import dataclass, field
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, NewType

import pytest
import strawberry
from graphql import (
    GraphQLDeferDirective,
    GraphQLError,
    GraphQLField,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLString,
    specified_directives,
)
from strawberry.schema.config import StrawberryConfig
from strawberry.types import Info
from structlog.testing import capture_logs

from gateway.execution.answer import Answer, Engine
from gateway.execution.engine import StockEngine
from gateway.operations.documents import DocumentLimits, Documents
from gateway.operations.request import GraphQLRequest, Method, RequestError
from ports.errors import BadInputError, UnavailableError


@dataclass
class Context:
    request_id: str = "r1"
    deadline: float | None = None
    waiting: asyncio.Event = field(default_factory=asyncio.Event)
    cancelled: bool = False


def exact(value: object) -> Decimal:
    if not isinstance(value, str | int):
        raise GraphQLError("A decimal is a string.")
    try:
        return Decimal(value)
    except ArithmeticError:
        raise GraphQLError("This is no decimal.") from None


Exact = NewType("Exact", Decimal)
EXACT = strawberry.scalar(name="Exact", serialize=str, parse_value=exact)


@strawberry.federation.type(keys=["sku"])
class Product:
    sku: str

    @strawberry.field
    async def price(self, quantity: Exact) -> str | None:
        if quantity < 0:
            raise BadInputError("A quantity is positive.")
        raise UnavailableError(system="ERP", upstream="erp-fr", operation="pricing.prices")

    @strawberry.field
    async def required(self) -> str:
        raise RuntimeError("hunter2")

    @classmethod
    def resolve_reference(cls, sku: str) -> "Product":
        return cls(sku=sku)


@strawberry.type
class Query:
    @strawberry.field
    def product(self, sku: str = "A1") -> Product | None:
        return Product(sku=sku) if sku else None

    @strawberry.field
    async def slow(self, info: Info[Context, None]) -> str:
        info.context.waiting.set()
        try:
            await asyncio.get_running_loop().create_future()
        except asyncio.CancelledError:
            info.context.cancelled = True
            raise
        return "never"

    @strawberry.field
    async def impatient(self) -> str | None:
        raise TimeoutError

    @strawberry.field
    def request_id(self, info: Info[Context, None]) -> str:
        return info.context.request_id

    @strawberry.field
    def asked(self, info: Info[Context, None]) -> str:
        return repr(info.variable_values)


@strawberry.type
class Mutation:
    @strawberry.mutation
    async def bump(self) -> int:
        return 1


def schema() -> GraphQLSchema:
    config = StrawberryConfig(scalar_map={Exact: EXACT})
    built = strawberry.federation.Schema(
        query=Query, mutation=Mutation, federation_version="2.9", config=config
    )
    return built._schema


@pytest.fixture
def engine() -> Engine:
    return StockEngine(schema())


async def ask(
    engine: Engine,
    query: str,
    variables: dict[str, object] | None = None,
    context: Context | None = None,
    method: Method = "POST",
) -> Answer:
    request = GraphQLRequest(query, variables)
    return await engine.execute(request, context=context or Context(), method=method)


def codes(answer: Answer) -> list[object]:
    found = []
    for error in answer.errors:
        extensions = error["extensions"]
        assert isinstance(extensions, dict)
        assert extensions["requestId"] == "r1"
        found.append(extensions["code"])
    return found


async def test_an_answer(engine: Engine) -> None:
    answer = await ask(engine, "query($s: String!) { product(sku: $s) { sku } }", {"s": "B2"})
    assert answer == Answer({"product": {"sku": "B2"}}, [])


async def test_resolvers_see_the_context_and_the_variables(engine: Engine) -> None:
    answer = await ask(
        engine, 'query($s: String! = "x") { requestId asked product(sku: $s) { sku } }'
    )
    assert answer.data == {"requestId": "r1", "asked": "{'s': 'x'}", "product": {"sku": "x"}}


async def test_entities_and_the_subgraph_definition(engine: Engine) -> None:
    query = "query($r: [_Any!]!) { _entities(representations: $r) { ... on Product { sku } } _service { sdl } }"
    answer = await ask(engine, query, {"r": [{"__typename": "Product", "sku": "C3"}]})
    assert not answer.errors
    assert answer.data is not None
    assert answer.data["_entities"] == [{"sku": "C3"}]


async def test_mutations(engine: Engine) -> None:
    assert (await ask(engine, "mutation { bump }")).data == {"bump": 1}
    with pytest.raises(RequestError) as refused:
        await ask(engine, "mutation { bump }", method="GET")
    assert refused.value.status == 405
    assert (await ask(engine, "{ requestId }", method="GET")).data == {"requestId": "r1"}


async def test_a_failing_field_leaves_the_rest(engine: Engine) -> None:
    answer = await ask(engine, '{ requestId product { sku price(quantity: "1") } }')
    assert answer.data == {"requestId": "r1", "product": {"sku": "A1", "price": None}}
    assert answer.errors == [
        {
            "message": "ERP (erp-fr) is not available.",
            "locations": [{"line": 1, "column": 27}],
            "path": ["product", "price"],
            "extensions": {
                "code": "UPSTREAM_UNAVAILABLE",
                "system": "ERP",
                "upstream": "erp-fr",
                "retryable": True,
                "requestId": "r1",
            },
        }
    ]


async def test_a_required_field_takes_its_parent_along(engine: Engine) -> None:
    with capture_logs() as logs:
        answer = await ask(engine, "{ requestId product { sku required } }")
    assert answer.data == {"requestId": "r1", "product": None}
    assert codes(answer) == ["INTERNAL"]
    assert answer.errors[0]["path"] == ["product", "required"]
    assert [entry["event"] for entry in logs] == ["field failed"]


@pytest.mark.parametrize(
    ("query", "variables", "code"),
    [
        ("{", None, "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }", None, "GRAPHQL_VALIDATION_FAILED"),
        ("{ product { price } }", None, "GRAPHQL_VALIDATION_FAILED"),
        ('{ product { price(quantity: "x") } }', None, "BAD_USER_INPUT"),
        ("{ product { price(quantity: 1.5) } }", None, "BAD_USER_INPUT"),
        ("query($q: Exact!) { product { price(quantity: $q) } }", {"q": "x"}, "BAD_USER_INPUT"),
        ("query($q: Exact!) { product { price(quantity: $q) } }", {"q": [1]}, "BAD_USER_INPUT"),
        ("query($q: Exact!) { product { price(quantity: $q) } }", {}, "BAD_USER_INPUT"),
        ("query A { asked } query B { asked }", None, "OPERATION_RESOLUTION_FAILURE"),
    ],
)
async def test_request_errors(
    engine: Engine, query: str, variables: dict[str, object] | None, code: str
) -> None:
    answer = await ask(engine, query, variables)
    assert answer.request_error
    assert answer.data is None
    assert codes(answer) == [code]


async def test_bad_values_are_execution_errors_where_a_resolver_finds_them(engine: Engine) -> None:
    answer = await ask(engine, "{ product { price(quantity: -1) } }")
    assert not answer.request_error
    assert answer.data == {"product": {"price": None}}
    assert codes(answer) == ["BAD_USER_INPUT"]
    assert answer.errors[0]["message"] == "A quantity is positive."


async def test_past_the_deadline_all_is_cancelled(engine: Engine) -> None:
    context = Context(deadline=asyncio.get_running_loop().time() + 0.02)
    answer = await ask(engine, "{ requestId slow }", context=context)
    assert answer.data is None
    assert not answer.request_error
    assert answer.errors == [
        {
            "message": "The operation took longer than it may.",
            "extensions": {"code": "DEADLINE_EXCEEDED", "retryable": True, "requestId": "r1"},
        }
    ]
    assert context.cancelled


async def test_a_timeout_of_a_resolver_is_not_the_deadline(engine: Engine) -> None:
    context = Context(deadline=asyncio.get_running_loop().time() + 3600)
    answer = await ask(engine, "{ impatient }", context=context)
    assert answer.data == {"impatient": None}
    assert codes(answer) == ["INTERNAL"]


async def test_cancelled_from_outside(engine: Engine) -> None:
    context = Context(deadline=asyncio.get_running_loop().time() + 3600)
    asking = asyncio.create_task(ask(engine, "{ slow }", context=context))
    await context.waiting.wait()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert context.cancelled


async def test_a_context_without_names_is_enough(engine: Engine) -> None:
    answer = await engine.execute(GraphQLRequest("{ product { sku } }"), context=None, method="GET")
    assert answer.data == {"product": {"sku": "A1"}}


async def test_incremental_delivery_is_no_answer_of_this_engine() -> None:
    query = GraphQLObjectType("Query", {"a": GraphQLField(GraphQLString)})
    engine = StockEngine(
        GraphQLSchema(query, directives=[*specified_directives, GraphQLDeferDirective])
    )
    with pytest.raises(TypeError):
        await ask(engine, "{ ... @defer { a } }")


async def test_a_timeout_beneath_the_deadline_stays_what_it_is() -> None:
    class Impatient:
        async def data(self, *_: object) -> None:
            raise TimeoutError("mine")

    plans: Any = Impatient()
    context = Context(deadline=asyncio.get_running_loop().time() + 3600)
    engine = StockEngine(schema(), plans=plans)

    with pytest.raises(TimeoutError, match="mine"):
        await engine.execute(GraphQLRequest("{ __typename }"), context=context, method="GET")


async def test_the_request_id_may_be_that_of_the_call(engine: Engine) -> None:
    context = SimpleNamespace(call=SimpleNamespace(request_id="r1"))
    answer = await engine.execute(GraphQLRequest("{"), context=context, method="GET")
    assert codes(answer) == ["GRAPHQL_PARSE_FAILED"]


async def test_documents_may_be_shared() -> None:
    graph = schema()
    documents = Documents(graph, DocumentLimits(max_tokens=5))
    engine = StockEngine(graph, documents)
    await ask(engine, "{ requestId }")
    assert len(documents) == 1
    assert codes(await ask(engine, "{ requestId asked a b }")) == ["GRAPHQL_PARSE_FAILED"]
