import pytest

from ports.caller import Caller, CallerKind
from ports.tracking import ShipmentStatus
from resolvers.ids import encode
from tests.resolvers.shop import EVERYTHING, Shop, down, errors, tracking

STAFF = Caller("sam", CallerKind.STAFF, customers=None, scopes=EVERYTHING)
NOBODY = Caller("app", CallerKind.APPLICATION, scopes=EVERYTHING)


async def test_an_order_with_all_that_belongs_to_it(shop: Shop) -> None:
    data = await shop.data(
        '{ order(number: "A1") { id status sourceStatus customer { number } lines { position sku product'
        " { name } } shipments { number trackingNumber carrier { code } tracking { status } lines {"
        " product { sku } } order { number } } invoices { number order { number } } } }"
    )

    order = data["order"]
    assert order["id"] == encode("Order", "A1")
    assert order["customer"] == {"number": "A"}
    assert [line["product"] for line in order["lines"]] == [
        {"name": "Name of BOLT"},
        {"name": "Name of NUT"},
        None,
    ]
    assert order["shipments"][0]["tracking"] == {"status": "DELIVERED"}
    assert order["shipments"][0]["order"] == {"number": "A1"}
    assert order["invoices"] == [{"number": "IA", "order": {"number": "A1"}}]


async def test_a_shipped_order_is_delivered_when_all_its_parcels_are(shop: Shop) -> None:
    data = await shop.data("{ orders { nodes { number status } } }")

    statuses = {one["number"]: one["status"] for one in data["orders"]["nodes"]}
    # A3 has a parcel of its own van, which nobody tracks.
    assert statuses == {"A1": "DELIVERED", "A2": "CONFIRMED", "A3": "SHIPPED"}


async def test_a_parcel_on_its_way_leaves_the_order_shipped() -> None:
    shop = Shop()
    shop.tracking = type(shop.tracking)({"T1": tracking(ShipmentStatus.IN_TRANSIT)})

    data = await shop.data('{ order(number: "A1") { status } }')

    assert data["order"]["status"] == "SHIPPED"


@pytest.mark.parametrize("role", ["tracking", "shipments"])
async def test_a_carrier_or_delivery_that_cannot_be_asked_leaves_it_shipped(
    shop: Shop, role: str
) -> None:
    getattr(shop, role).fail_with(down("CARRIER"))

    assert await shop.data('{ order(number: "A1") { status } }') == {"order": {"status": "SHIPPED"}}


async def test_without_deliveries_configured_it_stays_shipped() -> None:
    shop = Shop(without=frozenset({"shipments"}))

    assert await shop.data('{ order(number: "A1") { status } }') == {"order": {"status": "SHIPPED"}}


@pytest.mark.parametrize(("status", "numbers"), [("DELIVERED", ["A1"]), ("SHIPPED", ["A3"])])
async def test_a_filter_by_what_only_parcels_tell(
    shop: Shop, status: str, numbers: list[str]
) -> None:
    data = await shop.data(
        f"{{ orders(filter: {{status: [{status}]}}) {{ nodes {{ number }} edges {{ cursor }} }} }}"
    )

    assert [one["number"] for one in data["orders"]["nodes"]] == numbers


async def test_one_parcel_that_fails_costs_only_its_own_tracking(shop: Shop) -> None:
    shop.tracking.fail_with(down("CARRIER"), "T3")

    answer = await shop.ask(
        "{ orders { nodes { shipments { trackingNumber tracking { status } } } } }"
    )

    assert [code for _, code in errors(answer)] == ["UPSTREAM_UNAVAILABLE"]
    assert answer.data is not None


async def test_all_parcels_of_a_carrier_are_asked_together(shop: Shop) -> None:
    await shop.data("{ orders { nodes { status shipments { tracking { status } } } } }")

    assert [sorted(parcel.number for parcel in call) for call in shop.tracking.calls] == [
        ["T1", "T3"]
    ]


@pytest.mark.parametrize(
    "query",
    [
        '{ order(number: "B1") { number } }',
        '{ order(number: "nope") { number } }',
        '{ shipment(trackingNumber: "TB") { number } }',
        '{ invoice(number: "IB") { number } }',
        '{ customer(number: "B") { number } }',
        f'{{ node(id: "{encode("Order", "B1")}") {{ id }} }}',
        f'{{ node(id: "{encode("Shipment", "OUTB")}") {{ id }} }}',
        f'{{ order(id: "{encode("Order", "B1")}") {{ number }} }}',
        f'{{ shipment(id: "{encode("Shipment", "OUTB")}") {{ number }} }}',
    ],
)
async def test_what_is_anothers_answers_as_what_does_not_exist(shop: Shop, query: str) -> None:
    assert list((await shop.data(query)).values()) == [None]


async def test_lists_hold_only_the_callers_own(shop: Shop) -> None:
    data = await shop.data(
        "{ orders { totalCount nodes { number } } customers { nodes { number } } customer { number"
        " orders { nodes { number } } invoices { nodes { number } } } }"
    )

    assert {one["number"] for one in data["orders"]["nodes"]} == {"A1", "A2", "A3"}
    assert data["orders"]["totalCount"] == 3
    assert data["customers"]["nodes"] == [{"number": "A"}]
    assert data["customer"]["invoices"]["nodes"] == [{"number": "IA"}]


async def test_staff_sees_every_company(shop: Shop) -> None:
    data = await shop.data(
        '{ orders { nodes { number } } customers { nodes { number } } order(number: "B1") { number } }',
        caller=STAFF,
    )

    assert len(data["orders"]["nodes"]) == 4
    assert len(data["customers"]["nodes"]) == 2
    assert data["order"] == {"number": "B1"}


async def test_a_caller_of_no_company_sees_none(shop: Shop) -> None:
    data = await shop.data(
        "{ orders { nodes { number } totalCount } customers { nodes { number } } customer { number }"
        " viewer { kind customer { number } } }",
        caller=NOBODY,
    )

    assert data["orders"] == {"nodes": [], "totalCount": 0}
    assert data["customers"]["nodes"] == []
    assert data["customer"] is None
    assert data["viewer"] == {"kind": "APPLICATION", "customer": None}


@pytest.mark.parametrize(
    "field",
    ["orders(first: 0) { nodes { number } }", "customer { invoices(first: 0) { totalCount } }"],
)
async def test_an_empty_page_asks_no_orders(shop: Shop, field: str) -> None:
    await shop.data(f"{{ {field} }}")

    assert shop.orders.calls == []
    assert shop.invoices.calls == []


@pytest.mark.parametrize(
    "query",
    [
        "{ order { number } }",
        '{ invoice(number: "a", id: "b") { number } }',
        "{ shipment { number } }",
        '{ customer(number: "A", id: "x") { number } }',
        '{ node(id: "x") { id } }',
        f'{{ node(id: "{encode("Payment", "1")}") {{ id }} }}',
        "{ orders(first: 500) { nodes { number } } }",
    ],
)
async def test_questions_that_cannot_be_meant_are_refused(shop: Shop, query: str) -> None:
    assert [code for _, code in errors(await shop.ask(query))] == ["BAD_USER_INPUT"]


@pytest.mark.parametrize(
    ("query", "system"),
    [
        ('{ order(number: "A1") { payments { id } } }', "PAYMENT"),
        ('{ order(number: "A1") { returns { id } } }', "OMS"),
        ('{ invoice(number: "IA") { document { url } } }', "DMS"),
        ('{ return(number: "R1") { number } }', "OMS"),
        ("{ customer { returns { nodes { id } } } }", "OMS"),
        (f'{{ node(id: "{encode("Return", "1")}") {{ id }} }}', "OMS"),
        (
            'mutation { cancelOrder(number: "A1", idempotencyKey: "k") { userErrors { code } } }',
            "ERP",
        ),
    ],
)
async def test_roles_that_nobody_serves_yet_say_so(shop: Shop, query: str, system: str) -> None:
    answer = await shop.ask(query)

    assert [code for _, code in errors(answer)] == ["SYSTEM_NOT_CONFIGURED"]
    assert answer.errors[0]["extensions"]["system"] == system  # type: ignore[index]


async def test_a_shipment_by_its_tracking_number(shop: Shop) -> None:
    data = await shop.data(
        '{ shipment(trackingNumber: "T1") { id order { number } tracking { proofOfDelivery { url } } } }'
    )

    assert data["shipment"] == {
        "id": encode("Shipment", "OUT1"),
        "order": {"number": "A1"},
        "tracking": {"proofOfDelivery": None},
    }


async def test_a_carrier_that_is_not_configured_leaves_tracking_null() -> None:
    shop = Shop(without=frozenset({"tracking"}))

    data = await shop.data('{ shipment(trackingNumber: "T1") { tracking { status } } }')

    assert data["shipment"]["tracking"] is None
