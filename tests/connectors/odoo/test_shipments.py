"""Shipments of the sandbox's Odoo: the contract, the number of calls, and odd databases."""

from collections import Counter
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.odoo.shipment_mapping import PickingRow, ShipmentReader, tracking_numbers
from connectors.odoo.shipments import OdooShipments
from ports.errors import MalformedError, PortError
from ports.shipments import Carrier, Shipment
from sandbox.world import Delivery
from tests.connectors.odoo.documents_peer import (
    FAULTS,
    Peer,
    broken_client,
    client,
    field_names,
    world,
)
from tests.contracts.shipments import Broken, ShipmentFacts, ShipmentsContract
from upstream.reference import own_call

_DELIVERY_MODULE = frozenset({"carrier_id", "carrier_tracking_ref"})


@pytest.fixture
def peer() -> Peer:
    return Peer()


@pytest.fixture
def port(peer: Peer) -> OdooShipments:
    return OdooShipments(client(peer))


@pytest.fixture
def facts() -> ShipmentFacts:
    number = {order.id: order.number for order in world().orders}
    live = [delivery for delivery in world().deliveries if delivery.state != "cancel"]
    counts = Counter(delivery.order for delivery in live)
    known = next(each for each in live if each.tracking_number == world().examples.tracking_number)
    single = [each for each in live if counts[each.order] == 1]
    return ShipmentFacts(
        known=known.number,
        tracking_number=world().examples.tracking_number,
        carrier=known.carrier or "",
        order=number[known.order],
        customer=world().examples.customer,
        split=number[_both_gone(live, counts)],
        waiting=number[next(each.order for each in single if each.state != "done")],
        unshipped=next(name for key, name in number.items() if key not in counts),
        keys=tuple(delivery.number for delivery in live),
    )


def _both_gone(live: list[Delivery], counts: Counter[int]) -> int:
    gone = Counter(delivery.order for delivery in live if delivery.state == "done")
    return next(order for order, number in gone.items() if number == counts[order] > 1)


class TestOdooShipments(ShipmentsContract):
    @pytest.fixture
    def broken(self) -> Broken:
        return lambda name: OdooShipments(broken_client(name))


async def one(port: OdooShipments, key: str) -> Shipment:
    found = (await port.shipments([key], call=own_call()))[key]
    assert isinstance(found, Shipment)
    return found


async def test_each_question_is_one_call(
    port: OdooShipments, peer: Peer, facts: ShipmentFacts
) -> None:
    await port.of_orders([order.number for order in world().orders[-100:]], call=own_call())
    await port.shipments(facts.keys[:100], call=own_call())
    await port.tracked([parcel.number for parcel in world().parcels[:100]], call=own_call())

    assert peer.documents == 3


async def test_the_world_is_told_as_it_is(port: OdooShipments, facts: ShipmentFacts) -> None:
    told = await port.shipments(facts.keys, call=own_call())
    items = {item.erp_id: item.sku for item in world().items}
    orders = {order.id: order for order in world().orders}

    for delivery in world().deliveries:
        if delivery.state == "cancel":
            assert delivery.number not in told
            continue
        seen = told[delivery.number]
        assert isinstance(seen, Shipment)
        assert seen.shipped_at == delivery.done
        assert seen.tracking_number == delivery.tracking_number
        assert seen.customer == orders[delivery.order].company
        lines = [(items[line.item], line.quantity) for line in delivery.lines]
        assert [(line.sku, line.quantity) for line in seen.lines] == lines


async def test_a_database_without_modules(facts: ShipmentFacts) -> None:
    """Nothing of the delivery module is asked for, and nothing is found by tracking number."""
    peer = Peer(lacks=_DELIVERY_MODULE)
    port = OdooShipments(client(peer))

    shipment = await one(port, facts.known)

    assert (shipment.carrier, shipment.service, shipment.tracking_number) == (None, None, None)
    assert await port.tracked([facts.tracking_number], call=own_call()) == {}
    assert all(
        _DELIVERY_MODULE.isdisjoint(field_names(asked["specification"])) for asked in peer.asked
    )


async def test_a_delivery_without_number_is_malformed(facts: ShipmentFacts) -> None:
    port = OdooShipments(client(Peer(edit=lambda row: row.update(name=" "))))

    assert await port.shipments([facts.known], call=own_call()) == {}
    with pytest.raises(MalformedError):
        await port.of_orders([facts.order], call=own_call())


async def test_without_sales_no_order_has_shipments(facts: ShipmentFacts) -> None:
    port = OdooShipments(client(Peer(lacks=frozenset({"sale_id"}))))

    assert await port.of_orders([facts.order], call=own_call()) == {facts.order: ()}
    assert (await one(port, facts.known)).order is None
    assert (await one(port, facts.known)).customer == facts.customer


async def test_each_number_of_a_reference_finds_the_shipment(facts: ShipmentFacts) -> None:
    reference = f"{facts.tracking_number}, 1ZSECOND00000000"
    port = OdooShipments(client(Peer(edit=lambda row: row.update(carrier_tracking_ref=reference))))
    wanted = [facts.tracking_number, "1zsecond00000000", "1ZSECOND"]

    found = await port.tracked(wanted, call=own_call())

    assert {key: _number(value) for key, value in found.items()} == {
        facts.tracking_number: facts.tracking_number,
        "1zsecond00000000": "1zsecond00000000",
    }
    assert (await one(port, facts.known)).tracking_number == facts.tracking_number


def _number(value: Shipment | Exception) -> str | None:
    assert isinstance(value, Shipment)
    return value.tracking_number


async def test_a_bad_record_costs_itself_alone(facts: ShipmentFacts) -> None:
    other = next(key for key in facts.keys if key != facts.known)

    def spoil(record: dict[str, Any]) -> None:
        if record["name"] == facts.known:
            record["move_ids"] = {"not": "a list"}

    port = OdooShipments(client(Peer(edit=spoil)))
    found = await port.shipments([facts.known, other], call=own_call())

    assert isinstance(found[facts.known], MalformedError)
    assert isinstance(found[other], Shipment)
    with pytest.raises(MalformedError):
        await port.of_orders([facts.order], call=own_call())
    with pytest.raises(MalformedError):
        await port.tracked([facts.tracking_number], call=own_call())


@pytest.mark.parametrize("fault", FAULTS)
async def test_no_fault_looks_like_an_empty_list(facts: ShipmentFacts, fault: str) -> None:
    port = OdooShipments(client(Peer(fault=fault)))

    for asked in (
        port.shipments([facts.known], call=own_call()),
        port.tracked([facts.tracking_number], call=own_call()),
        port.of_orders([facts.order], call=own_call()),
    ):
        with pytest.raises(PortError):
            await asked


@pytest.mark.parametrize(
    ("reference", "numbers"),
    [
        (False, ()),
        ("", ()),
        (" , ;", ()),
        ("700168718419", ("700168718419",)),
        ("700168718419,700168718420", ("700168718419", "700168718420")),
        ("700168718419; 700168718420\n", ("700168718419", "700168718420")),
        ("700168718419 700168718420", ("700168718419", "700168718420")),
        ("JJD 0003 4567 8901", ("JJD000345678901",)),
        ("700168718419,700168718419", ("700168718419",)),
    ],
)
def test_the_numbers_of_a_reference(reference: Any, numbers: tuple[str, ...]) -> None:
    assert tracking_numbers(reference) == numbers


def _row(**values: object) -> PickingRow:
    usual = {"id": 1, "name": "WH/OUT/1", "state": "done", "date_done": "2026-01-01 08:00:00"}
    return msgspec.json.decode(msgspec.json.encode({**usual, **values}), type=PickingRow)


@pytest.mark.parametrize(
    ("name", "kind", "code"),
    [
        ("DHL Express", "fixed", "dhl"),
        ("Livraison standard (UPS)", "base_on_rule", "ups"),
        ("Express", "dhl_rest", "dhl"),
        ("Express", "ups", "ups"),
        ("Own van", "fixed", "own"),
        ("Poste Suisse", "fixed", "chpost"),
        ("Overnight", "house", "night"),
        (False, "fixed", None),
        ("***", False, None),
    ],
)
def test_the_code_of_a_carrier(name: Any, kind: Any, code: str | None) -> None:
    reader = ShipmentReader("erp", {"Poste Suisse": "CHPOST", "house": "night"})

    shipment = reader.shipment(_row(carrier_id={"name": name, "delivery_type": kind}))

    assert shipment.carrier == (Carrier(code, name) if code else None)


def test_the_buyer_owns_what_goes_to_another() -> None:
    row = _row(
        sale_id={"name": "S1", "partner_id": {"commercial_partner_id": {"ref": "C1"}}},
        partner_id={"zip": "75001", "commercial_partner_id": {"ref": "C2"}},
    )

    shipment = ShipmentReader("erp", {}).shipment(row)

    assert (shipment.customer, shipment.postal_code) == ("C1", "75001")


def test_only_what_has_a_code_and_is_not_cancelled_is_a_line() -> None:
    def move(**values: object) -> dict[str, object]:
        return {"state": "done", "product_uom_qty": 5.0, "quantity": 3.0, **values}

    bolt = {"default_code": "BOLT"}
    moves = [
        move(product_id=bolt),
        move(product_id=bolt, state="cancel"),
        move(product_id={"default_code": False}),
        move(product_id=False),
    ]
    done = ShipmentReader("erp", {}).shipment(_row(move_ids=moves))
    planned = ShipmentReader("erp", {}).shipment(_row(move_ids=moves, state="assigned"))

    assert [(line.sku, int(line.quantity)) for line in done.lines] == [("BOLT", 3)]
    assert [(line.sku, int(line.quantity)) for line in planned.lines] == [("BOLT", 5)]
    assert planned.shipped_at is None


TEXTS = st.one_of(st.just(value=False), st.text(max_size=30))


@given(state=TEXTS, reference=TEXTS, name=TEXTS, kind=TEXTS, ref=TEXTS)
def test_no_text_of_odoo_breaks_a_shipment(
    state: Any, reference: Any, name: Any, kind: Any, ref: Any
) -> None:
    row = _row(
        state=state,
        carrier_tracking_ref=reference,
        carrier_id={"name": name, "delivery_type": kind},
        partner_id={"commercial_partner_id": {"ref": ref}},
    )

    shipment = ShipmentReader("erp", {}).shipment(row)

    assert shipment.customer == ((ref or "").strip() or None)
    assert shipment.carrier is None or shipment.carrier.code == shipment.carrier.code.lower()
    assert "" not in tracking_numbers(reference)
