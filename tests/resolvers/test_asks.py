"""What fields are said to ask against what their resolvers ask, of counting ports."""

import time
from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest
from graphql.execution.values import VariableValues
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from gateway.execution.engine import StockEngine
from gateway.execution.explain_plan import Subject, plan_of
from gateway.execution.explain_report import Plan
from gateway.execution.explain_run import Recorder
from gateway.execution.explain_sources import Server, Sources
from gateway.execution.plans import Plans
from gateway.execution.variables import Coercion
from gateway.operations.documents import DocumentError, DocumentLimits, Documents, operation_of
from gateway.operations.limits import OperationLimits
from gateway.operations.request import GraphQLRequest
from ports.caller import Call
from ports.common import SystemName
from resolvers.context import Context
from resolvers.ids import encode
from schema.asks import ASKS
from tests.gateway.execution.test_plans import documents
from tests.resolvers.shop import CORE, OURS, SYSTEM, Shop
from upstream.config import UpstreamConfig
from upstream.connector import Manifest, Upstream
from upstream.exchanges import Exchanges
from upstream.roles import ROLES

ANY = Manifest("any", "Any", SystemName.ERP, tuple(ROLES), "any:Any", "any:Config")
SERVER = Server(
    Upstream("any", ANY, Exchanges()), UpstreamConfig(kind="any", base_url="http://any.example")
)
ANY_SIZE = DocumentLimits(
    max_tokens=50_000, operation=OperationLimits(50, 50, 5_000, 5_000, 5_000, 5)
)
SOURCES = Sources(dict.fromkeys(ROLES, (SERVER,)), policy=None)


async def asked(query: str, variables: Mapping[str, object]) -> tuple[Plan, Recorder]:
    """What was foreseen and what was asked, by an engine of its own."""
    request = GraphQLRequest(query, variables, None, None)
    document = Documents(CORE, ANY_SIZE).document(query)
    node = operation_of(document, request, "POST")
    coerced = Coercion(CORE, node).values(variables)
    assert isinstance(coerced, VariableValues)
    plan = plan_of(CORE, Subject(document, node, coerced, OURS.scopes), SOURCES)

    recorder = Recorder()
    call = Call(OURS, "en", time.monotonic() + 5)
    ports = recorder.ports(Shop().ports())
    context = Context(call, ports, lambda code: code, lambda: [SYSTEM])
    try:
        engine = StockEngine(CORE, plans=Plans(CORE))
        await engine.execute(request, context=context, method="POST")
    finally:
        await context.aclose()
    return plan, recorder


def keys_foreseen(plan: Plan) -> Counter[str]:
    """How many keys, or single questions, at most."""
    found: Counter[str] = Counter()
    for wave in plan.waves:
        for one in wave.calls:
            found[one.operation] += one.calls if one.keys is None else one.keys
    return found


@settings(
    max_examples=80,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
@given(query=documents(), yes=st.booleans())
async def test_nothing_is_asked_that_was_not_foreseen(query: str, *, yes: bool) -> None:
    """Of what the generator makes, some is no valid document."""
    try:
        plan, recorder = await asked(
            query.replace("{ ", "{ n: __typename @skip(if: $yes) ", 1), {"yes": yes}
        )
    except DocumentError:
        return

    done: Counter[str] = Counter()
    for question in recorder.questions:
        done[question.operation] += 1 if question.keys is None else question.keys
    assert not done - keys_foreseen(plan)


LINES = '[{sku: "BOLT", quantity: 3}, {sku: "BOLT", quantity: 3}, {sku: "NUT", quantity: "1"}]'
IDS = f'["{encode("Product", "BOLT")}", "{encode("Order", "A3")}"]'
# By coordinate: a document in which all that the field asks is asked.
EXAMPLES = {
    "Query.product": '{ product(sku: "BOLT") { name } }',
    "Query.products": "{ products { nodes { sku } } }",
    "Query.category": '{ category(code: "bolts") { name } }',
    "Query.categories": "{ categories { name } }",
    "Query.customer": "{ customer { name } }",
    "Query.customers": "{ customers { nodes { name } } }",
    "Query.order": '{ order(number: "A1") { number } }',
    "Query.orders": "{ orders(filter: {status: [DELIVERED]}) { nodes { number } } }",
    "Query.shipment": '{ shipment(trackingNumber: "T1") { number } }',
    "Query.shipment by id": f'{{ shipment(id: "{encode("Shipment", "OUT1")}") {{ number }} }}',
    "Query.invoice": '{ invoice(number: "IA") { number } }',
    "Query.basket": f"{{ basket(lines: {LINES}) {{ orderable }} }}",
    "Query.node": f'{{ node(id: "{encode("Order", "A1")}") {{ id }} }}',
    "Query.nodes": f"{{ nodes(ids: {IDS}) {{ id }} }}",
    "Query._entities": '{ _entities(representations: [{__typename: "Order", number: "A1"}, '
    '{__typename: "Shipment", trackingNumber: "T1"}]) { __typename ... on Order { customer { name } } } }',
    "Viewer.customer": "{ viewer { customer { name } } }",
    "Category.parent": '{ category(code: "bolts") { parent { name } } }',
    "Category.children": '{ category(code: "root") { children { name } } }',
    "Category.products": '{ category(code: "bolts") { products { nodes { sku } } } }',
    "Product.categories": '{ product(sku: "BOLT") { categories { name } } }',
    "Product.model": '{ product(sku: "BOLT") { model { name } } }',
    "Product.related": '{ product(sku: "BOLT") { related { name } } }',
    "Product.price": '{ product(sku: "BOLT") { price { quantity } } }',
    "Product.availability": '{ product(sku: "BOLT") { availability { status } } }',
    "ProductModel.variants": '{ product(sku: "BOLT") { model { variants { sku } } } }',
    "Customer.contacts": "{ customer { contacts { name } } }",
    "Customer.salesRepresentative": "{ customer { salesRepresentative { name } } }",
    "Customer.addresses": "{ customer { addresses { city } } }",
    "Customer.account": "{ customer { account { blocked } } }",
    "Customer.orders": "{ customer { orders(filter: {status: [DELIVERED]}) { nodes { number } } } }",
    "Customer.invoices": "{ customer { invoices { nodes { number } } } }",
    "Order.status": '{ order(number: "A1") { status } }',
    "Order.customer": '{ order(number: "A1") { customer { name } } }',
    "Order.shipments": '{ order(number: "A1") { shipments { number } } }',
    "Order.invoices": '{ order(number: "A1") { invoices { number } } }',
    "OrderLine.product": '{ order(number: "A1") { lines { product { name } } } }',
    "Shipment.order": '{ shipment(trackingNumber: "T1") { order { number } } }',
    "Shipment.tracking": '{ shipment(trackingNumber: "T1") { tracking { status } } }',
    "ShipmentLine.product": '{ shipment(trackingNumber: "T1") { lines { product { name } } } }',
    "Invoice.order": '{ invoice(number: "IA") { order { number } } }',
}
# The port of the tests tells totals with its pages.
UNTRIED = {"ProductConnection.totalCount"}


def test_every_field_that_asks_has_an_example() -> None:
    assert set(ASKS) - {name.partition(" ")[0] for name in EXAMPLES} == UNTRIED


@pytest.mark.parametrize("coordinate", EXAMPLES)
async def test_all_that_is_foreseen_is_asked_in_its_order(coordinate: str) -> None:
    plan, recorder = await asked(EXAMPLES[coordinate], {})

    foreseen = [(wave.wave, one.operation) for wave in plan.waves for one in wave.calls]
    run = recorder.run(plan)
    happened = [(wave.wave, one.operation) for wave in run.waves for one in wave.questions]
    assert sorted(happened) == sorted(foreseen)
    assert not plan.unasked
    assert not plan.unplanned


async def test_a_scope_that_is_missing_ends_what_is_asked() -> None:
    text = '{ product(sku: "BOLT") { price { quantity } categories { name } } }'
    request = GraphQLRequest(text, {}, None, None)
    document = Documents(CORE).document(text)
    node = operation_of(document, request, "POST")
    values: Any = Coercion(CORE, node).values({})

    plan = plan_of(CORE, Subject(document, node, values, frozenset({"catalog:read"})), SOURCES)

    assert [(one.field, one.scope) for one in plan.unasked] == [("Product.price", "prices:read")]
    assert set(keys_foreseen(plan)) == {"catalog.products", "catalog.categories"}


def test_an_id_that_cannot_be_read_is_of_no_kind() -> None:
    (first, *_) = ASKS["Query.node"]

    assert first.keys_of({"id": "nothing"}) == 0
