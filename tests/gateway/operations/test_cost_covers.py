"""The cost of an operation is never below the work it makes: objects answered, records loaded."""

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from graphql import (
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLUnionType,
    OperationDefinitionNode,
    get_named_type,
)
from graphql.type import is_required_argument
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.execution.engine import Operation, StockEngine
from gateway.execution.plans import Plans
from gateway.operations.cost import Costs
from gateway.operations.documents import DocumentLimits, Documents
from gateway.operations.limits import OperationLimits
from gateway.operations.request import GraphQLRequest
from ports.caller import Call
from resolvers.context import Context
from tests.resolvers.shop import CORE, OURS, SYSTEM, Shop

DEEPEST = 5
WIDE = DocumentLimits(
    max_tokens=20_000, operation=OperationLimits(depth=60, aliases=9_999, root_fields=999)
)
DOCUMENTS = Documents(CORE, WIDE)
COSTS = Costs(CORE)
PLANS = Plans(CORE)
REPRESENTATIONS = [
    {"__typename": "Product", "sku": "BOLT"},
    {"__typename": "Product", "sku": "GONE"},
    {"__typename": "Order", "number": "A1"},
    {"__typename": "Customer", "number": "A"},
]

skus = st.sampled_from(["BOLT", "NUT", "WASHER", "GONE"])
pages = st.sampled_from([0, 1, 2, 3, 50, 100])
lines = st.lists(skus, min_size=0, max_size=4, unique=True)
ARGUMENTS: Mapping[str, st.SearchStrategy[str]] = {
    "Query.product.sku": skus.map(lambda one: f'"{one}"'),
    "Query.category.code": st.sampled_from(['"root"', '"bolts"', '"gone"']),
    "Query.categories.parent": st.sampled_from(['"root"', "null"]),
    "Query.customer.number": st.sampled_from(['"A"', '"B"']),
    "Query.order.number": st.sampled_from(['"A1"', '"A3"', '"B1"']),
    "Query.invoice.number": st.sampled_from(['"IA"', '"IB"']),
    "Query.shipment.trackingNumber": st.sampled_from(['"T1"', '"T3"', '"TB"']),
    "Query.basket.lines": lines.map(
        lambda them: "[" + " ".join(f'{{sku: "{one}", quantity: 2}}' for one in them) + "]"
    ),
    "Query.node.id": st.just("$id"),
    "Query.nodes.ids": st.integers(0, 4).map(lambda size: f"[{'$id ' * size}]"),
    "Query._entities.representations": st.just("$r"),
    "Product.related.kind": st.sampled_from(["CROSS_SELL", "PACK"]),
}
# Each would ask for what the little shop does not have.
LEFT_OUT = frozenset({"Query._service", "Query.__schema", "Query.__type"})


def arguments(draw: st.DrawFn, coordinate: str, field: GraphQLField) -> str | None:
    """Those that have a value here; None where one is required that has none."""
    told = []
    for name, argument in field.args.items():
        known = ARGUMENTS.get(f"{coordinate}.{name}", pages.map(str) if name == "first" else None)
        if known is None:
            if is_required_argument(argument):
                return None
        elif is_required_argument(argument) or name != "first" or draw(st.booleans()):
            told.append(f"{name}: {draw(known)}")
    return f"({', '.join(told)})" if told else ""


class Writer:
    """Writes operations; each field has a name of its own in the answer, so that none are merged."""

    def __init__(self, draw: st.DrawFn) -> None:
        self._draw = draw
        self._names = 0

    def selections(self, kind: GraphQLNamedType, depth: int) -> str:
        if isinstance(kind, GraphQLInterfaceType | GraphQLUnionType):
            possible = CORE.get_possible_types(kind)
            parts = [
                f"... on {one.name} {self.selections(one, depth)}"
                for one in self._draw(st.lists(st.sampled_from(possible), min_size=1, max_size=3))
            ]
            return f"{{ __typename {' '.join(parts)} }}"
        assert isinstance(kind, GraphQLObjectType)
        names = st.lists(st.sampled_from(sorted(kind.fields)), min_size=1, max_size=4)
        parts = [self._field(kind, name, depth) for name in self._draw(names)]
        return f"{{ __typename {' '.join(parts)} }}"

    def _field(self, kind: GraphQLObjectType, name: str, depth: int) -> str:
        coordinate, field = f"{kind.name}.{name}", kind.fields[name]
        inner = get_named_type(field.type)
        composite = isinstance(inner, GraphQLObjectType | GraphQLInterfaceType | GraphQLUnionType)
        told = arguments(self._draw, coordinate, field)
        if coordinate in LEFT_OUT or told is None or (composite and not depth):
            return ""
        self._names += 1
        below = self.selections(inner, depth - 1) if composite else ""
        return f"x{self._names}: {name}{told} {below}"


@st.composite
def operations(draw: st.DrawFn) -> str:
    root = CORE.query_type
    assert root is not None
    body = Writer(draw).selections(root, DEEPEST)
    declared = [f"{name}: {kind}" for name, kind in (("$id", "ID!"), ("$r", "[_Any!]!"))]
    used = [one for one in declared if one.partition(":")[0] in body]
    return f"query{'(' + ', '.join(used) + ')' if used else ''} {body}"


def objects(value: object) -> Iterator[object]:
    """Every object of an answer, below its root."""
    if isinstance(value, list):
        for one in value:
            yield from objects(one)
    elif isinstance(value, dict):
        for one in value.values():
            if isinstance(one, dict):
                yield one
            elif isinstance(one, list):
                yield from (each for each in one if isinstance(each, dict))
            yield from objects(one)


class Counted:
    """A port that counts the records it gives out."""

    def __init__(self, port: Any, note: Callable[[int], None]) -> None:
        self._port = port
        self._note = note

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._port, name)
        if not callable(found) or name.startswith("_"):
            return found

        async def counted(*given: Any, **named: Any) -> Any:
            answer = await found(*given, **named)
            self._note(records(answer))
            return answer

        return counted


def records(answer: Any) -> int:
    if isinstance(answer, dict):
        return sum(not isinstance(one, Exception) for one in answer.values())
    items = getattr(answer, "items", None)
    return len(items) if isinstance(items, list | tuple) else 1


async def worked(text: str, variables: dict[str, object], *, planned: bool) -> tuple[int, int, int]:
    """The cost of an operation, the objects of its answer, and the records that systems gave."""
    given, reckoned = 0, 0

    def note(count: int) -> None:
        nonlocal given
        given += count

    async def prepare(_: object, operation: Operation) -> None:
        nonlocal reckoned
        node: OperationDefinitionNode = operation.node
        reckoned = COSTS.of(node, {}, operation.variables.coerced)

    ports = Shop().ports()
    for role in ("catalog", "pricing", "stock", "orders", "invoices", "shipments", "customers"):
        object.__setattr__(ports, role, Counted(getattr(ports, role), note))
    call = Call(OURS, "en", time.monotonic() + 60)
    context = Context(call, ports, str, lambda: [SYSTEM])
    engine = StockEngine(CORE, DOCUMENTS, prepare, PLANS if planned else None)
    try:
        answer = await engine.execute(
            GraphQLRequest(text, variables), context=context, method="POST"
        )
    finally:
        await context.aclose()
    assert not answer.request_error, (answer.errors, text)
    return reckoned, sum(1 for _ in objects(dict(answer.data or {}))), given


async def ids() -> list[str]:
    query = (
        '{ product(sku: "BOLT") { id } order(number: "A1") { id } customer(number: "A") { id } }'
    )
    found = await Shop().data(query)
    return [one["id"] for one in found.values()]


@settings(max_examples=150, deadline=None)
@given(text=operations(), chosen=st.integers(0, 2), planned=st.booleans())
async def test_the_cost_covers_what_an_operation_makes(
    text: str, chosen: int, planned: bool
) -> None:
    variables: dict[str, object] = {"id": (await ids())[chosen], "r": REPRESENTATIONS}

    cost, made, given_out = await worked(text, variables, planned=planned)

    assert made <= cost, text
    assert given_out <= cost, text


async def test_the_counting_counts() -> None:
    """Else the property above would hold of anything."""
    text = '{ order(number: "A1") { lines { product { price { quantity } } } } }'

    cost, made, given_out = await worked(text, {}, planned=True)

    assert cost == 1 + 10 * 3
    assert made == 1 + 3 + 2 + 2
    assert given_out == 1 + 2 + 2
