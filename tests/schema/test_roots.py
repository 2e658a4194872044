import time
from typing import Any

import pytest

from gateway.execution.engine import StockEngine
from gateway.operations.request import GraphQLRequest
from ports.caller import Call, Caller, CallerKind
from resolvers.context import Context, Ports
from schema.build import schema


async def ask(query: str) -> Any:
    call = Call(Caller("jo", CallerKind.USER), "en", time.monotonic() + 5)
    context = Context(call, Ports(), lambda code: code, list)
    request = GraphQLRequest(query, None, None, None)
    return await StockEngine(schema()._schema).execute(request, context=context, method="POST")


@pytest.mark.parametrize(
    ("mutation", "system"),
    [
        ('submitOrder(input: {lines: []}, idempotencyKey: "k") { userErrors { code } }', "ERP"),
        (
            'requestReturn(input: {orderNumber: "A", lines: []}, idempotencyKey: "k") { userErrors { code } }',
            "OMS",
        ),
        (
            'saveAddress(input: {lines: [], postalCode: "1", city: "x", country: "FR"}, idempotencyKey: "k") { userErrors { code } }',
            "ERP",
        ),
        (
            'startPayment(orderNumber: "A", returnUrl: "https://a.example", idempotencyKey: "k") { userErrors { code } }',
            "PAYMENT",
        ),
    ],
)
async def test_writes_say_that_no_system_takes_them(mutation: str, system: str) -> None:
    answer = await ask(f"mutation {{ {mutation} }}")

    assert answer.data is None
    assert [one["extensions"]["code"] for one in answer.errors] == ["SYSTEM_NOT_CONFIGURED"]
    assert answer.errors[0]["extensions"]["system"] == system


@pytest.mark.parametrize("name", ["order_changed", "shipment_changed", "availability_changed"])
async def test_watching_says_that_no_system_tells_changes(name: str) -> None:
    from ports.errors import NotConfiguredError
    from schema.subscription import Subscription

    source: Any = getattr(Subscription(), name)("x")

    with pytest.raises(NotConfiguredError):
        await anext(source)


def test_the_schema_can_speak_another_federation_version() -> None:
    assert "federation/v2.7" in schema("2.7").as_str()
    assert schema("2.7") is schema("2.7")


def test_the_clients_directives_leave_values_as_they_are() -> None:
    from schema.directives import fresh, in_context

    assert fresh.resolver("value") == in_context.resolver("value") == "value"  # type: ignore[union-attr]
