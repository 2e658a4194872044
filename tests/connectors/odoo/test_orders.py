"""Orders of the sandbox's Odoo: the contract, the number of calls, and odd databases."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from connectors.odoo.orders import OdooOrders
from ports.common import PageRequest
from ports.errors import MalformedError, PortError, RefusedError
from ports.orders import Order, OrderQuery, OrderStatus
from sandbox import odoo
from sandbox.world import World
from tests.connectors.odoo.documents_peer import (
    FAULTS,
    Peer,
    broken_client,
    client,
    field_names,
    world,
)
from tests.contracts.orders import Broken, OrderFacts, OrdersContract, walk
from upstream.reference import own_call

_OPTIONAL = frozenset({"picking_ids", "delivery_status", "is_delivery", "state_id"})


@pytest.fixture
def peer() -> Peer:
    return Peer()


@pytest.fixture
def port(peer: Peer) -> OdooOrders:
    return OdooOrders(client(peer))


@pytest.fixture
def facts() -> OrderFacts:
    known = next(order for order in world().orders if order.number == world().examples.order)
    return OrderFacts(
        known=known.number,
        customer=known.company,
        status=OrderStatus.SHIPPED,
        purchase_order_number=known.purchase_order_number,
        sku=world().examples.sku,
        numbers=tuple(order.number for order in world().orders),
        own=frozenset(o.number for o in world().orders if o.company == known.company),
    )


class TestOdooOrders(OrdersContract):
    @pytest.fixture
    def broken(self) -> Broken:
        return lambda name: OdooOrders(broken_client(name))


async def one(port: OdooOrders, number: str) -> Order:
    found = (await port.orders([number], call=own_call()))[number]
    assert isinstance(found, Order)
    return found


async def test_a_page_is_one_call(port: OdooOrders, peer: Peer, facts: OrderFacts) -> None:
    page = await port.search(OrderQuery((facts.customer,)), PageRequest(20), call=own_call())
    assert (len(page.items), peer.documents) == (20, 1)

    await port.orders([order.number for order in page.items], call=own_call())
    assert peer.documents == 2


async def test_reference_is_read_once(port: OdooOrders, peer: Peer, facts: OrderFacts) -> None:
    await port.orders([facts.known], call=own_call())
    before = peer.calls.total()

    await port.orders([facts.known], call=own_call())

    assert peer.calls.total() == before + 1


async def test_amounts_agree_with_the_lines(port: OdooOrders) -> None:
    """The sum of the lines and the freight is what Odoo calls untaxed."""
    for order in await walk(port, OrderQuery(customers=None), 100):
        freight = order.shipping_cost.amount if order.shipping_cost else Decimal(0)
        assert sum((line.total.amount for line in order.lines), freight) == order.subtotal.amount


async def test_the_world_is_told_as_it_is(port: OdooOrders) -> None:
    """Every status follows from the world's own deliveries, by another way than the connector's."""
    told = {order.number: order for order in await walk(port, OrderQuery(customers=None), 100)}

    for order in world().orders:
        assert told[order.number].status is _expected(world(), order.id, order.state)
        freight = [line for line in order.lines if line.is_delivery]
        assert len(told[order.number].lines) == len(order.lines) - len(freight)
        assert (told[order.number].shipping_cost is not None) == bool(freight)
        assert told[order.number].placed_at == order.placed
        assert told[order.number].total.amount == order.total


def _expected(facts: World, order: int, state: str) -> OrderStatus:
    if state != "sale":
        words = {"draft": "DRAFT", "sent": "SUBMITTED", "cancel": "CANCELLED"}
        return OrderStatus(words[state])
    states = [d.state for d in facts.deliveries if d.order == order and d.state != "cancel"]
    done = states.count("done")
    if done:
        return OrderStatus.SHIPPED if done == len(states) else OrderStatus.PARTIALLY_SHIPPED
    return OrderStatus.PROCESSING if "assigned" in states else OrderStatus.CONFIRMED


async def test_statuses_share_out_all_orders(port: OdooOrders) -> None:
    totals = []
    for status in OrderStatus:
        if status is not OrderStatus.DELIVERED:
            found = await walk(port, OrderQuery(customers=None, status=(status,)), 100)
            assert {order.status for order in found} <= {status}
            totals.append(len(found))

    assert sum(totals) == len(world().orders)


async def test_what_is_still_to_come_has_a_day(port: OdooOrders) -> None:
    for order in await walk(port, OrderQuery(customers=None), 100):
        to_come = order.status.value in {"CONFIRMED", "PROCESSING", "PARTIALLY_SHIPPED"}
        for line in order.lines:
            missing = line.quantity_shipped < line.quantity
            assert (line.expected_ship_date is not None) == (to_come and missing)


async def test_a_database_without_modules(facts: OrderFacts) -> None:
    """No stock and delivery modules: their fields are not asked for, quantities tell the status."""
    peer = Peer(lacks=_OPTIONAL)
    port = OdooOrders(client(peer))

    order = await one(port, facts.known)
    shipped = await walk(port, OrderQuery((facts.customer,), status=(OrderStatus.SHIPPED,)), 10)

    assert order.status is OrderStatus.SHIPPED
    assert order.source_status == "sale"
    assert order.shipping_cost is None
    assert facts.known in {each.number for each in shipped}
    for asked in peer.asked:
        assert _OPTIONAL.isdisjoint(field_names(asked["specification"]))
        assert "picking" not in str(asked["domain"])


async def test_a_status_that_cannot_be_is_not_asked_for() -> None:
    peer = Peer(lacks=_OPTIONAL)
    port = OdooOrders(client(peer))

    for status in (OrderStatus.PROCESSING, OrderStatus.ON_HOLD):
        page = await port.search(OrderQuery(None, (status,)), PageRequest(5), call=own_call())
        assert (page.items, page.total) == ((), 0)

    assert peer.documents == 0


@pytest.fixture(scope="module")
def untransferred() -> Any:
    """A company that keeps no deliveries: every status comes from quantities."""
    return odoo.app(replace(world(), deliveries=(), parcels=()), "http://erp.test")


@pytest.mark.parametrize(
    "status", [OrderStatus.SHIPPED, OrderStatus.PARTIALLY_SHIPPED, OrderStatus.CONFIRMED]
)
async def test_orders_without_transfers_are_sifted(untransferred: Any, status: OrderStatus) -> None:
    """No domain tells these apart: pages fill up by further calls, and none is lost."""
    peer = Peer(server=untransferred)
    port = OdooOrders(client(peer))
    everything = await walk(port, OrderQuery(customers=None), 100)
    expected = [order.number for order in everything if order.status is status]

    found = await walk(port, OrderQuery(customers=None, status=(status,)), 40)

    assert expected
    assert [order.number for order in found] == expected


async def test_sifting_is_bounded_while_anything_is_found(untransferred: Any) -> None:
    peer = Peer(server=untransferred)
    port = OdooOrders(client(peer))
    query = OrderQuery(customers=None, status=(OrderStatus.PARTIALLY_SHIPPED,))

    page = await port.search(query, PageRequest(100), call=own_call())

    assert page.items
    assert page.total is None
    assert peer.documents == 3


async def test_a_bad_record_costs_itself_alone(facts: OrderFacts) -> None:
    other = next(number for number in facts.own if number != facts.known)

    def spoil(record: dict[str, Any]) -> None:
        if record["name"] == facts.known:
            record["amount_total"] = "a lot"

    port = OdooOrders(client(Peer(edit=spoil)))
    found = await port.orders([facts.known, other], call=own_call())

    assert isinstance(found[facts.known], MalformedError)
    assert isinstance(found[other], Order)
    with pytest.raises(MalformedError):
        await port.search(OrderQuery((facts.customer,)), PageRequest(50), call=own_call())


@pytest.mark.parametrize("key", ["currency_id", "date_order"])
async def test_what_no_order_lacks_is_malformed(facts: OrderFacts, key: str) -> None:
    port = OdooOrders(client(Peer(edit=lambda record: record.update({key: False}))))

    found = await port.orders([facts.known], call=own_call())

    assert isinstance(found[facts.known], MalformedError)


async def test_an_answer_to_another_question_is_dropped(facts: OrderFacts) -> None:
    port = OdooOrders(client(Peer(edit=lambda record: record.update(name="S-other"))))

    assert await port.orders([facts.known], call=own_call()) == {}


async def test_a_day_beyond_the_calendar_is_malformed(facts: OrderFacts) -> None:
    def at_the_end_of_time(record: dict[str, Any]) -> None:
        record.update(date_order="9999-12-31 23:00:00", picking_ids=[], commitment_date=False)
        for line in record["order_line"]:
            line.update(qty_delivered=0.0, customer_lead=30.0)

    port = OdooOrders(client(Peer(edit=at_the_end_of_time)))

    found = await port.orders([facts.known], call=own_call())

    assert isinstance(found[facts.known], MalformedError)


async def test_an_invented_state_is_unknown(facts: OrderFacts) -> None:
    port = OdooOrders(client(Peer(edit=lambda record: record.update(state="frozen"))))

    order = await one(port, facts.known)

    assert order.status is OrderStatus.UNKNOWN
    assert order.source_status == "frozen/full"


@pytest.mark.parametrize("fault", FAULTS)
async def test_no_fault_looks_like_an_empty_list(facts: OrderFacts, fault: str) -> None:
    port = OdooOrders(client(Peer(fault=fault)))

    for asked in (
        port.orders([facts.known], call=own_call()),
        port.search(OrderQuery(None), PageRequest(5), call=own_call()),
    ):
        with pytest.raises(PortError) as raised:
            await asked
        assert "Traceback" not in raised.value.message
        assert getattr(raised.value, "upstream", None) == "erp"


async def test_a_question_that_odoo_cannot_read_is_not_transient(facts: OrderFacts) -> None:
    port = OdooOrders(client(Peer(fault="refused for its question")))

    with pytest.raises(RefusedError) as raised:
        await port.orders([facts.known], call=own_call())

    assert raised.value.operation == "orders.orders"
