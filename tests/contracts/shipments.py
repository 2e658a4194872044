"""What every implementation of `ports.shipments.Shipments` promises."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from ports.caller import Call
from ports.errors import UpstreamError
from ports.shipments import Shipment, Shipments
from tests.contracts.failures import FAILURES
from tests.contracts.parts import assert_parts_are_as_in_the_whole
from upstream.reference import own_call


@dataclass(frozen=True, slots=True)
class ShipmentFacts:
    """`known` left with `carrier` under `tracking_number`, for `order` of `customer`.

    `split` is an order of several shipments, `waiting` one whose shipment has not left, `unshipped`
    one without any. `keys` are more than 100 shipments.
    """

    known: str
    tracking_number: str
    carrier: str
    order: str
    customer: str
    split: str
    waiting: str
    unshipped: str
    keys: tuple[str, ...]


Broken = Callable[[str], Shipments]
"A port whose peer fails in one of the ways of `FAILURES`."

_STRANGE = ("nobody-has-this", "", " ", "%", "_", "\0", "\ud800", "x" * 5000, "/")


class ShipmentsContract:
    async def test_a_known_key_gives_its_shipment(
        self, port: Shipments, facts: ShipmentFacts
    ) -> None:
        found = await port.shipments([facts.known], call=own_call())

        shipment = found[facts.known]
        assert isinstance(shipment, Shipment)
        assert shipment.key == facts.known
        assert shipment.tracking_number == facts.tracking_number
        assert shipment.order == facts.order
        assert shipment.customer == facts.customer
        assert shipment.carrier is not None
        assert shipment.carrier.code == facts.carrier == facts.carrier.lower()
        assert shipment.shipped_at is not None
        assert shipment.shipped_at.tzinfo is not None
        assert shipment.lines
        assert all(line.sku and line.quantity > 0 for line in shipment.lines)

    async def test_parts_of_a_shipment_are_as_in_the_whole(
        self, port: Shipments, facts: ShipmentFacts
    ) -> None:
        async def read(call: Call) -> Shipment | UpstreamError:
            return (await port.shipments([facts.known], call=call))[facts.known]

        await assert_parts_are_as_in_the_whole(read, own_call())

    async def test_a_tracking_number_gives_its_shipment(
        self, port: Shipments, facts: ShipmentFacts
    ) -> None:
        found = await port.tracked([facts.tracking_number], call=own_call())

        assert found == {
            facts.tracking_number: (await port.shipments([facts.known], call=own_call()))[
                facts.known
            ]
        }

    async def test_unknown_keys_are_absent(self, port: Shipments, facts: ShipmentFacts) -> None:
        keys = await port.shipments([facts.known, *_STRANGE, facts.known], call=own_call())
        numbers = await port.tracked([*_STRANGE, facts.tracking_number], call=own_call())

        assert set(keys) == {facts.known}
        assert set(numbers) == {facts.tracking_number}

    async def test_a_part_of_a_number_is_not_the_number(
        self, port: Shipments, facts: ShipmentFacts
    ) -> None:
        parts = [facts.tracking_number[1:], facts.tracking_number[:-1], facts.known[1:]]

        assert await port.tracked(parts, call=own_call()) == {}
        assert await port.shipments(parts, call=own_call()) == {}

    async def test_nothing_asked_is_nothing_answered(self, port: Shipments) -> None:
        assert await port.shipments([], call=own_call()) == {}
        assert await port.tracked([], call=own_call()) == {}
        assert await port.of_orders([], call=own_call()) == {}

    async def test_more_than_a_hundred_keys(self, port: Shipments, facts: ShipmentFacts) -> None:
        wanted = facts.keys[:150]
        assert len(wanted) > 100

        found = await port.shipments(wanted, call=own_call())

        assert set(found) == set(wanted)
        numbers = [
            shipment.tracking_number
            for shipment in found.values()
            if isinstance(shipment, Shipment) and shipment.tracking_number
        ]
        assert set(await port.tracked(numbers, call=own_call())) == set(numbers)

    async def test_every_order_asked_is_answered(
        self, port: Shipments, facts: ShipmentFacts
    ) -> None:
        orders = [facts.order, facts.split, facts.unshipped, facts.order, *_STRANGE]

        found = await port.of_orders(orders, call=own_call())

        assert set(found) == set(orders)
        assert found[facts.unshipped] == ()
        assert all(found[strange] == () for strange in _STRANGE)
        own = found[facts.order]
        assert isinstance(own, tuple)
        assert facts.known in {shipment.key for shipment in own}

    async def test_the_oldest_shipment_comes_first(
        self, port: Shipments, facts: ShipmentFacts
    ) -> None:
        found = (await port.of_orders([facts.split], call=own_call()))[facts.split]

        assert isinstance(found, tuple)
        assert len({shipment.key for shipment in found}) == len(found) > 1
        left = [shipment.shipped_at for shipment in found if shipment.shipped_at]
        assert left == sorted(left)
        assert [shipment.shipped_at for shipment in found][: len(left)] == left

    async def test_what_has_not_left_has_no_moment(
        self, port: Shipments, facts: ShipmentFacts
    ) -> None:
        found = (await port.of_orders([facts.waiting], call=own_call()))[facts.waiting]

        assert isinstance(found, tuple)
        assert found
        assert {shipment.shipped_at for shipment in found} == {None}

    @pytest.mark.parametrize("name", sorted(FAILURES))
    async def test_a_failure_is_raised_as_what_it_is(
        self, broken: Broken, facts: ShipmentFacts, name: str
    ) -> None:
        port = broken(name)

        with pytest.raises(FAILURES[name]):
            await port.shipments([facts.known], call=own_call())
        with pytest.raises(FAILURES[name]):
            await port.tracked([facts.tracking_number], call=own_call())
        with pytest.raises(FAILURES[name]):
            await port.of_orders([facts.order], call=own_call())
