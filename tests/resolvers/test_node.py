import asyncio
from typing import Any

import pytest

from ports.caller import Call, Caller, CallerKind
from ports.errors import BadInputError
from resolvers.ids import decode, encode, key_of
from tests.resolvers.shop import OURS, Shop, down, errors

NODES = "query($ids: [ID!]!) { nodes(ids: $ids) { __typename id ... on Order { number } } }"


async def test_every_type_with_an_id_can_be_asked_again(shop: Shop) -> None:
    ids = [
        encode(kind, key)
        for kind, key in (
            ("Product", "BOLT"),
            ("ProductModel", "BOLTS"),
            ("Category", "bolts"),
            ("Customer", "A"),
            ("Order", "A1"),
            ("Invoice", "IA"),
            ("Shipment", "OUT1"),
        )
    ]

    found = (await shop.data(NODES, {"ids": ids}))["nodes"]

    assert [one["id"] for one in found] == ids
    assert [one["__typename"] for one in found] == [decode(one)[0] for one in ids]


async def test_a_malformed_id_costs_its_own_place_only(shop: Shop) -> None:
    answer = await shop.ask(NODES, {"ids": ["x", encode("Order", "A1"), encode("Order", "no")]})

    assert errors(answer) == [(["nodes", 0], "BAD_USER_INPUT")]
    nodes: Any = answer.data and answer.data["nodes"]
    assert nodes[0] is None
    assert nodes[1]["number"] == "A1"
    assert nodes[2] is None


async def test_a_hundred_ids_at_most(shop: Shop) -> None:
    answer = await shop.ask(NODES, {"ids": [encode("Order", str(i)) for i in range(101)]})

    assert [code for _, code in errors(answer)] == ["BAD_USER_INPUT"]


@pytest.mark.parametrize(
    "text", ["", "T3JkZXI", "T3JkZXI6", "OnN0cg", "é", "T3JkZXI6QTE=", "A" * 5, "QQ" * 400]
)
def test_what_no_encoder_gave_is_no_id(text: str) -> None:
    with pytest.raises(BadInputError):
        decode(text)


@pytest.mark.parametrize("key", ["A1", "WH/OUT/1", "ä:ö", "x" * 100])
def test_ids_go_and_come_back(key: str) -> None:
    assert decode(encode("Order", key)) == ("Order", key)
    assert key_of("Order", encode("Order", key)) == key


def test_an_id_of_another_type_is_refused() -> None:
    with pytest.raises(BadInputError, match="another type than Order"):
        key_of("Order", encode("Invoice", "1"))


ENTITIES = """query($r: [_Any!]!) { _entities(representations: $r) { __typename
... on Product { name } ... on Order { number } ... on Shipment { key: number }
... on Customer { number } ... on Invoice { number } ... on Category { code } } }"""


async def test_entities_by_any_key_in_one_call_a_type(shop: Shop) -> None:
    found = (
        await shop.data(
            ENTITIES,
            {
                "r": [
                    {"__typename": "Product", "sku": "BOLT"},
                    {"__typename": "Order", "number": "A1"},
                    {"__typename": "Product", "id": encode("Product", "NUT")},
                    {"__typename": "Product", "sku": "nope"},
                    {"__typename": "Product", "id": "garbage"},
                    {"__typename": "Shipment", "trackingNumber": "T1"},
                    {"__typename": "Shipment", "id": encode("Shipment", "OUT3")},
                    {"__typename": "Order", "number": "B1"},
                    {"__typename": "Customer", "number": "A"},
                    {"__typename": "Customer", "number": "B"},
                    {"__typename": "Invoice", "number": "IA"},
                    {"__typename": "Category", "code": "bolts"},
                ]
            },
        )
    )["_entities"]

    assert found == [
        {"__typename": "Product", "name": "Name of BOLT"},
        {"__typename": "Order", "number": "A1"},
        {"__typename": "Product", "name": "Name of NUT"},
        None,
        None,
        {"__typename": "Shipment", "key": "OUT1"},
        {"__typename": "Shipment", "key": "OUT3"},
        None,
        {"__typename": "Customer", "number": "A"},
        None,
        {"__typename": "Invoice", "number": "IA"},
        {"__typename": "Category", "code": "bolts"},
    ]
    assert shop.catalog.calls.count("products") == 1
    assert shop.orders.calls == ["orders"]


@pytest.mark.parametrize(
    "query",
    [
        f'{{ nodes(ids: ["{encode("Product", "BOLT")}", "{encode("Order", "A1")}"]) {{ id }} }}',
        (
            '{ _entities(representations: [{__typename: "Product", sku: "BOLT"},'
            ' {__typename: "Order", number: "A1"}]) { __typename } }'
        ),
    ],
)
async def test_systems_of_several_types_are_asked_at_the_same_time(shop: Shop, query: str) -> None:
    """Each answers only when both are asked."""
    both = asyncio.Barrier(2)

    def meeting(method: Any) -> Any:
        async def met(*asked: Any, call: Call) -> Any:
            await both.wait()
            return await method(*asked, call=call)

        return met

    shop.catalog.products = meeting(shop.catalog.products)  # type: ignore[method-assign]
    shop.orders.orders = meeting(shop.orders.orders)  # type: ignore[method-assign]

    answer = await shop.ask(query, seconds=1)

    assert answer.errors == []


@pytest.mark.parametrize(
    "representations",
    [
        [{"__typename": "Nothing", "id": "x"}],
        [{"sku": "BOLT"}],
        [{"__typename": "Product"}],
        [{"__typename": "Product", "sku": "x"}] * 1001,
    ],
)
async def test_representations_that_cannot_be_meant_are_refused(
    shop: Shop, representations: list[dict[str, str]]
) -> None:
    answer = await shop.ask(ENTITIES, {"r": representations})

    assert [code for _, code in errors(answer)] == ["BAD_USER_INPUT"]


async def test_a_thousand_representations_are_one_call(shop: Shop) -> None:
    representations = [{"__typename": "Product", "sku": f"S{i}"} for i in range(1000)]

    found = (await shop.data(ENTITIES, {"r": representations}))["_entities"]

    assert found == [None] * 1000
    assert shop.catalog.calls == ["products"]


@pytest.mark.parametrize(
    ("scope", "query"),
    [
        ("catalog:read", '{ product(sku: "BOLT") { sku } }'),
        ("prices:read", '{ product(sku: "BOLT") { price { quantity } } }'),
        ("stock:read", '{ product(sku: "BOLT") { availability { status } } }'),
        ("customers:read", "{ customer { name } }"),
        ("customers:read", "{ viewer { customer { name } } }"),
        ("orders:read", '{ order(number: "A1") { number } }'),
        ("orders:read", '{ shipment(trackingNumber: "T1") { tracking { status } } }'),
        ("orders:read", "{ customer { orders { nodes { number } } } }"),
        ("orders:read", f'{{ node(id: "{encode("Order", "A1")}") {{ id }} }}'),
        ("catalog:read", f'{{ node(id: "{encode("Category", "bolts")}") {{ id }} }}'),
        ("invoices:read", '{ order(number: "A1") { invoices { number } } }'),
        ("invoices:read", '{ invoice(number: "IA") { number } }'),
        ("invoices:read", '{ invoice(number: "IA") { document { url } } }'),
        ("systems:read", "{ systems { upstream } }"),
        (
            "orders:read",
            '{ _entities(representations: [{__typename: "Order", number: "A1"}]) { __typename } }',
        ),
        (
            "orders:read",
            '{ _entities(representations: [{__typename: "Shipment", trackingNumber: "T1"}]) { __typename } }',
        ),
    ],
)
async def test_a_field_without_its_scope_is_refused_before_any_call(
    shop: Shop, scope: str, query: str
) -> None:
    caller = Caller(
        "x", CallerKind.USER, customer="A", customers=OURS.customers, scopes=OURS.scopes - {scope}
    )

    answer = await shop.ask(query, caller=caller)

    assert [code for _, code in errors(answer)] == ["FORBIDDEN"]
    assert scope in str(answer.errors[0]["message"])
    peer = {"prices:read": shop.pricing, "stock:read": shop.stock, "orders:read": shop.orders}
    if scope in peer:
        assert peer[scope].calls == []  # type: ignore[attr-defined]


async def test_who_is_calling(shop: Shop) -> None:
    data = await shop.data("{ viewer { subject kind name email scopes customer { number } } }")

    assert data["viewer"] == {
        "subject": "jo",
        "kind": "USER",
        "name": "Jo",
        "email": "jo@a.example",
        "scopes": sorted(OURS.scopes),
        "customer": {"number": "A"},
    }


async def test_the_systems_and_what_suffers_with_them(shop: Shop) -> None:
    data = await shop.data(
        "{ systems { name upstream connector status since latency { p50 } errorRate affects lastError {"
        " code } } }"
    )

    (system,) = data["systems"]
    assert system["affects"] == ["Product.availability", "Product.price"]
    assert system["latency"] == {"p50": 1.0}


async def test_a_peer_that_fails_stands_in_each_entity(shop: Shop) -> None:
    shop.catalog.fail_with(down("PIM"))

    answer = await shop.ask(
        ENTITIES,
        {"r": [{"__typename": "Product", "sku": "BOLT"}, {"__typename": "Order", "number": "A1"}]},
    )

    assert errors(answer) == [(["_entities", 0], "UPSTREAM_UNAVAILABLE")]
