"""Callers without credentials: the public catalogue at list prices, and nothing of anybody."""

import pytest

from resolvers.ids import encode
from tests.security.attacking import Fortress, codes

REFUSED = {
    "customer": "{ customer { name } }",
    "customer by number": '{ customer(number: "C10001") { name } }',
    "customers": "{ customers { nodes { name } } }",
    "order": '{ order(number: "S01456") { number } }',
    "no order": '{ order(number: "S99999") { number } }',
    "orders": "{ orders { nodes { number } } }",
    "invoice": '{ invoice(number: "INV/1") { number } }',
    "shipment": '{ shipment(trackingNumber: "700168718419") { number } }',
    "node": f'{{ node(id: "{encode("Order", "S01456")}") {{ id }} }}',
    "nodes": f'{{ nodes(ids: ["{encode("Customer", "C10001")}"]) {{ id }} }}',
    "entities": '{ _entities(representations: [{__typename: "Order", number: "S01456"}]) { __typename } }',
    "systems": "{ systems { upstream } }",
    "acting for somebody": 'query @inContext(customer: "C10001") { products(first: 1) { nodes { sku } } }',
    "schema": "{ __schema { queryType { name } } }",
    "subgraph": "{ _service { sdl } }",
}


@pytest.mark.parametrize("case", REFUSED)
async def test_strangers_are_refused_before_any_system_is_asked(
    fortress: Fortress, case: str
) -> None:
    await fortress.calls()

    answer = await fortress.ask(REFUSED[case])

    assert set(codes(answer)) == {"FORBIDDEN"}
    assert not any(value and value != [None] for value in (answer.get("data") or {}).values())
    assert await fortress.calls() == 0


async def test_strangers_see_the_catalogue_at_list_prices(fortress: Fortress) -> None:
    sku = fortress.world.examples.sku
    item = next(one for one in fortress.world.items if one.sku == sku)
    query = (
        "query($sku: String!) { product(sku: $sku) { name price { origin unit { net { amount } }"
        " agreement discountPercent } } viewer { kind subject customer { number } } }"
    )

    stranger = await fortress.ask(query, {"sku": sku})
    known = await fortress.ask(query, {"sku": sku}, headers=fortress.bearer())

    price = stranger["data"]["product"]["price"]
    assert price["origin"] == "LIST"
    assert float(price["unit"]["net"]["amount"]) == float(item.list_price)
    assert price["unit"] != known["data"]["product"]["price"]["unit"]
    assert stranger["data"]["viewer"] == {
        "kind": "ANONYMOUS",
        "subject": "anonymous",
        "customer": None,
    }


async def test_what_known_callers_read_does_not_reach_strangers(fortress: Fortress) -> None:
    query = "query($sku: String!) { product(sku: $sku) { price { unit { net { amount } } } } }"
    variables = {"sku": fortress.world.examples.sku}
    first = await fortress.ask(query, variables)

    await fortress.ask(query, variables, headers=fortress.bearer())
    await fortress.ask(query, variables, headers=fortress.bearer("storefront-tenant-3"))

    assert await fortress.ask(query, variables) == first
