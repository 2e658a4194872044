"""What belongs to another customer answers like what does not exist, on every way in."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from resolvers.ids import encode
from sandbox.world import World
from tests.security.attacking import Fortress, Headers, codes, text

OURS = "C10001"
THEIRS = "C10003"
UNKNOWN = "C99999"


@dataclass(frozen=True)
class Things:
    """The keys of one customer's things."""

    customer: str
    order: str
    invoice: str
    tracking: str
    delivery: str
    "Its number, which ids of shipments hold."
    purchase: str


NOTHING = Things(
    UNKNOWN, "S99999", "INV/2020/99999", "1Z0000000000000000", "WH/OUT/99999", "PO-NO-SUCH"
)


def things_of(world: World, customer: str) -> Things:
    """Of an order that was sent and invoiced."""
    orders = {one.id: one for one in world.orders if one.company == customer}
    invoiced = {one.order: one for one in world.invoices if one.company == customer}
    delivery = next(
        one
        for one in world.deliveries
        if one.order in orders and one.order in invoiced and one.tracking_number
    )
    order = orders[delivery.order]
    return Things(
        customer,
        order.number,
        invoiced[order.id].number,
        str(delivery.tracking_number),
        delivery.number,
        order.purchase_order_number,
    )


def callers(fortress: Fortress) -> dict[str, Headers]:
    """All that act for our customer, and one that sees two customers, neither of them theirs."""
    return {
        "key": fortress.key("storefront"),
        "developer": fortress.key("developer"),
        "token": fortress.bearer("storefront"),
        "opaque": fortress.bearer("storefront-opaque"),
        "partner": fortress.bearer("partner"),
    }


def entity(kind: str, **fields: str) -> dict[str, Any]:
    query = (
        "query($r: [_Any!]!) { _entities(representations: $r) { __typename ... on Customer { name }"
        " ... on Order { total { amount } } ... on Invoice { total { amount } } ... on Shipment {"
        " trackingNumber tracking { status } } } }"
    )
    return {"query": query, "variables": {"r": [{"__typename": kind, **fields}]}}


def ids_of(it: Things) -> list[str]:
    return [
        encode("Order", it.order),
        encode("Invoice", it.invoice),
        encode("Shipment", it.delivery),
        encode("Customer", it.customer),
    ]


def asked(query: str, **variables: Any) -> dict[str, Any]:
    return {"query": query, "variables": variables}


KeyOf = Callable[[Things], str]
BY_ID: dict[str, KeyOf] = {
    "Order": lambda it: it.order,
    "Invoice": lambda it: it.invoice,
    "Shipment": lambda it: it.delivery,
    "Customer": lambda it: it.customer,
}
FIELDS = {
    "Order": "number total { amount } lines { sku } shipments { service } invoices { number }",
    "Invoice": "number total { amount } order { number }",
    "Shipment": "trackingNumber tracking { status events { at } } order { number }",
    "Customer": "number name email contacts { name } addresses { city } account { priceList }",
}
NATURAL: dict[str, tuple[str, str, KeyOf]] = {
    "order": ("number", "Order", lambda it: it.order),
    "invoice": ("number", "Invoice", lambda it: it.invoice),
    "shipment": ("trackingNumber", "Shipment", lambda it: it.tracking),
    "customer": ("number", "Customer", lambda it: it.customer),
}
ENTITIES: dict[str, tuple[str, KeyOf]] = {
    "Order": ("number", lambda it: it.order),
    "Invoice": ("number", lambda it: it.invoice),
    "Shipment": ("trackingNumber", lambda it: it.tracking),
    "Customer": ("number", lambda it: it.customer),
}


def ways(it: Things) -> dict[str, dict[str, Any]]:
    """Every question by which somebody's thing can be asked for."""
    found: dict[str, dict[str, Any]] = {}
    for field, (key, kind, value) in NATURAL.items():
        query = f"query($k: String!) {{ {field}({key}: $k) {{ {FIELDS[kind]} }} }}"
        found[f"root {field}"] = asked(query, k=value(it))
        query = f"query($k: ID!) {{ {field}(id: $k) {{ {FIELDS[kind]} }} }}"
        found[f"root {field} by id"] = asked(query, k=encode(kind, BY_ID[kind](it)))
    spread = " ".join(f"... on {kind} {{ {fields} }}" for kind, fields in FIELDS.items())
    found["node"] = asked(
        f"query($k: ID!) {{ node(id: $k) {{ __typename {spread} }} }}", k=encode("Order", it.order)
    )
    found["nodes"] = asked(
        f"query($k: [ID!]!) {{ nodes(ids: $k) {{ __typename {spread} }} }}", k=ids_of(it)
    )
    for kind, (key, value) in ENTITIES.items():
        found[f"entity {kind}"] = entity(kind, **{key: value(it)})
        found[f"entity {kind} by id"] = entity(kind, id=encode(kind, BY_ID[kind](it)))
    found["acting for"] = asked(
        f'query @inContext(customer: "{it.customer}") {{ orders {{ totalCount }} viewer {{ subject }} }}'
    )
    found["orders by purchase number"] = asked(
        "query($k: String!) { orders(filter: {purchaseOrderNumber: $k}) { totalCount nodes { number"
        " } } }",
        k=it.purchase,
    )
    found["orders by text"] = asked(
        "query($k: String!) { orders(filter: {search: $k}) { totalCount nodes { number } } }",
        k=it.order,
    )
    found["customers by text"] = asked(
        "query($k: String!) { customers(search: $k) { totalCount nodes { number } } }",
        k=it.customer,
    )
    return found


WAYS = tuple(ways(NOTHING))


@pytest.mark.parametrize("way", WAYS)
async def test_theirs_answers_as_what_does_not_exist(
    fortress: Fortress, world: World, way: str
) -> None:
    theirs, nothing = ways(things_of(world, THEIRS))[way], ways(NOTHING)[way]

    for name, headers in callers(fortress).items():
        answered = await fortress.ask(**theirs, headers=headers)
        unknown = await fortress.ask(**nothing, headers=headers)

        assert text(answered) == text(unknown), name
        assert not found_in(answered), name


@pytest.mark.parametrize("way", WAYS)
async def test_ours_is_found_on_the_same_ways(fortress: Fortress, world: World, way: str) -> None:
    """Else the test above would be content with a gateway that finds nothing."""
    answer = await fortress.ask(**ways(things_of(world, OURS))[way], headers=fortress.bearer())

    assert codes(answer) == []
    assert found_in(answer)


def found_in(answer: Mapping[str, Any]) -> bool:
    """Whether anything but null, zero and empty lists was answered."""
    return any(_is_something(value) for value in (answer.get("data") or {}).values())


def _is_something(value: Any) -> bool:
    if isinstance(value, list):
        return any(map(_is_something, value))
    if isinstance(value, dict) and "totalCount" in value:
        return bool(value["totalCount"] or value.get("nodes"))
    return value is not None


async def test_lists_hold_the_callers_own_only(fortress: Fortress, world: World) -> None:
    owners = {order.number: order.company for order in world.orders}
    query = (
        "{ orders(first: 100) { nodes { number customer { number } } } customers(first: 100) { nodes {"
        " number orders(first: 5) { nodes { number } } invoices(first: 5) { nodes { order { number } }"
        " } } } }"
    )
    for client, allowed in (
        ("storefront", {OURS}),
        ("storefront-tenant-2", {"C10002"}),
        ("storefront-tenant-3", {THEIRS}),
        ("partner", {OURS, "C10002"}),
    ):
        answer = await fortress.ask(query, headers=fortress.bearer(client))

        assert codes(answer) == []
        data = answer["data"]
        numbers = [one["number"] for one in data["orders"]["nodes"]]
        for customer in data["customers"]["nodes"]:
            numbers += [one["number"] for one in customer["orders"]["nodes"]]
            numbers += [one["order"]["number"] for one in customer["invoices"]["nodes"]]
        assert {one["number"] for one in data["customers"]["nodes"]} == allowed
        assert numbers
        assert {owners[number] for number in numbers} <= allowed


@pytest.mark.parametrize(
    "filters", [{"sku": "item"}, {"search": ""}, {"search": "%"}, {"search": "S0"}, {"status": []}]
)
async def test_filters_narrow_and_never_widen(
    fortress: Fortress, world: World, filters: dict[str, Any]
) -> None:
    theirs = next(order for order in world.orders if order.company == THEIRS and order.lines)
    item = next(line.item for line in theirs.lines if line.item is not None)
    if "sku" in filters:
        filters = {"sku": next(one.sku for one in world.items if one.erp_id == item)}
    owners = {order.number: order.company for order in world.orders}

    answer = await fortress.ask(
        "query($f: OrderFilter) { orders(first: 100, filter: $f) { nodes { number } } }",
        {"f": filters},
        headers=fortress.bearer(),
    )

    assert codes(answer) == []
    assert {owners[one["number"]] for one in answer["data"]["orders"]["nodes"]} <= {OURS}


async def test_anothers_cursor_gives_ones_own_page(fortress: Fortress, world: World) -> None:
    owners = {order.number: order.company for order in world.orders}
    query = "query($a: String) { orders(first: 3, after: $a) { nodes { number } pageInfo { endCursor } } }"
    theirs = await fortress.ask(query, headers=fortress.bearer("storefront-tenant-3"))
    cursor = theirs["data"]["orders"]["pageInfo"]["endCursor"]

    ours = await fortress.ask(query, {"a": cursor}, headers=fortress.bearer())

    nodes = (ours.get("data") or {}).get("orders", {}).get("nodes", [])
    assert codes(ours) == [] or codes(ours) == ["BAD_USER_INPUT"]
    assert {owners[one["number"]] for one in nodes} <= {OURS}


async def test_prices_are_those_of_the_callers_own_terms(fortress: Fortress, world: World) -> None:
    skus = [item.sku for item in world.items[:40]]
    query = (
        "query($l: [BasketLineInput!]!) { basket(lines: $l) { lines { sku price { unit { net { amount"
        " currency } } agreement } } } }"
    )
    lines = {"l": [{"sku": sku, "quantity": "10"} for sku in skus]}

    alone = {}
    for client in ("storefront", "storefront-tenant-2", "storefront-tenant-3"):
        answer = await fortress.ask(query, lines, headers=fortress.bearer(client))
        alone[client] = text(answer["data"])
    again = await fortress.ask(query, lines, headers=fortress.bearer())
    acting = await fortress.ask(
        query.replace(") {", ') @inContext(customer: "C10002") {', 1),
        lines,
        headers=fortress.bearer("partner"),
    )

    assert len(set(alone.values())) > 1
    assert text(again["data"]) == alone["storefront"]
    assert text(acting["data"]) == alone["storefront-tenant-2"]


async def test_the_viewer_is_the_one_who_asks(fortress: Fortress) -> None:
    for client, customer in (("storefront", OURS), ("storefront-tenant-3", THEIRS)):
        answer = await fortress.ask(
            "{ viewer { customer { number } } customer { number } }",
            headers=fortress.bearer(client),
        )

        assert answer["data"]["viewer"]["customer"] == answer["data"]["customer"]
        assert answer["data"]["customer"] == {"number": customer}


async def test_acting_for_needs_the_scope_and_the_grant(fortress: Fortress) -> None:
    query = 'query @inContext(customer: "C10002") { orders(first: 1) { nodes { number } } }'

    partner = await fortress.ask(query, headers=fortress.bearer("partner"))
    tenant = await fortress.ask(query, headers=fortress.bearer())
    unscoped = await fortress.ask(query, headers=fortress.key("partner"))

    assert codes(partner) == []
    assert codes(tenant) == codes(unscoped) == ["FORBIDDEN"]
    assert "data" not in tenant


async def test_a_scope_that_is_missing_costs_its_fields_on_every_way(fortress: Fortress) -> None:
    """The partner's key may read neither customers nor invoices."""
    order = fortress.world.examples.order
    await fortress.calls()
    answer = await fortress.ask(
        "query($n: String!, $r: [_Any!]!, $id: ID!) { order(number: $n) { number customer { name }"
        " invoices { number } } customer { name } invoice(number: $n) { number } node(id: $id) { id }"
        " _entities(representations: $r) { __typename } }",
        {
            "n": order,
            "r": [{"__typename": "Customer", "number": OURS}],
            "id": encode("Customer", OURS),
        },
        headers=fortress.key("partner"),
    )

    assert set(codes(answer)) == {"FORBIDDEN"}
    assert answer["data"]["order"] == {"number": order, "customer": None, "invoices": None}
    assert answer["data"]["customer"] is answer["data"]["invoice"] is answer["data"]["node"] is None
    counted = (await fortress.sandbox.get("/_control/calls")).json()
    assert counted["hubspot"]["total"] == 0
