"""Outgoing deliveries of an Odoo database, with what they hold and who carries them."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

from connectors.odoo.client import OdooClient
from connectors.odoo.documents import Documents, Found, Question
from connectors.odoo.paging import Domain, any_of, literally, searchable
from connectors.odoo.shipment_mapping import (
    OUTGOING,
    PickingRow,
    ShipmentReader,
    specification,
    tracking_numbers,
)
from ports.caller import Call
from ports.common import Answers
from ports.errors import UpstreamError
from ports.shipments import Shipment, Shipments

_MODEL = "stock.picking"
_OLDEST = "id"
_UNSENT = datetime.max.replace(tzinfo=UTC)
_Tracked = tuple[Shipment, tuple[str, ...]]


class OdooShipments:
    """Serves `ports.shipments.Shipments`, one call each."""

    def __init__(self, client: OdooClient) -> None:
        self._client = client
        self._pickings = Documents(client, _MODEL, PickingRow)

    async def shipments(self, keys: Sequence[str], /, *, call: Call) -> Answers[str, Shipment]:
        """Of several deliveries with one number (companies may repeat them) the newest is taken."""
        known = searchable(keys)
        found: dict[str, Shipment | UpstreamError] = {}
        for each in await self._read("shipments.shipments", [["name", "in", known]], known, call):
            if each.number in known:
                value = each.value
                found[each.number] = value if isinstance(value, UpstreamError) else value[0]
        return found

    async def tracked(
        self, tracking_numbers: Sequence[str], /, *, call: Call
    ) -> Answers[str, Shipment]:
        """A shipment found by the second of its numbers carries that one."""
        known = searchable(tracking_numbers)
        if not known or not await self._has("carrier_tracking_ref", call):
            return {}
        holding: list[Domain] = [
            [["carrier_tracking_ref", "ilike", literally(number)]] for number in known
        ]
        holders: dict[str, Shipment] = {}
        for each in await self._read("shipments.tracked", any_of(holding), known, call):
            # Which number a bad record holds cannot be told.
            shipment, numbers = _good(each)
            holders.update(dict.fromkeys(map(str.casefold, numbers), shipment))
        return {
            number: msgspec.structs.replace(holders[number.casefold()], tracking_number=number)
            for number in known
            if number.casefold() in holders
        }

    async def of_orders(
        self, orders: Sequence[str], /, *, call: Call
    ) -> Answers[str, tuple[Shipment, ...]]:
        found: dict[str, list[Shipment]] = {order: [] for order in orders}
        known = searchable(orders)
        if known and await self._has("sale_id", call):
            domain: Domain = [["sale_id.name", "in", known]]
            for each in await self._read("shipments.of_orders", domain, known, call):
                shipment, _ = _good(each)
                if shipment.order in found:
                    found[shipment.order].append(shipment)
        return {order: tuple(sorted(each, key=_departure)) for order, each in found.items()}

    async def _has(self, field: str, call: Call) -> bool:
        """Whether the module that brings the field is installed."""
        return field in await self._client.fields(_MODEL, call=call)

    async def _read(
        self, operation: str, domain: Domain, keys: Sequence[str], call: Call
    ) -> Iterator[Found[_Tracked]]:
        if not keys:
            return iter(())
        fields = await self._client.fields(_MODEL, call=call)
        read = specification(fields, call.wanted)
        question = Question(operation, [*OUTGOING, *domain], read, _OLDEST)
        answer = await self._pickings.ask(question, call=call)
        reader = ShipmentReader(self._client.upstream.name, self._client.config.carriers)

        def tracked(row: PickingRow) -> _Tracked:
            return reader.shipment(row), tracking_numbers(row.carrier_tracking_ref)

        return self._pickings.each(operation, answer, tracked)


def _departure(shipment: Shipment) -> tuple[bool, datetime]:
    """What has left, by its moment; then what has not, in the order in which it was planned."""
    return shipment.shipped_at is None, shipment.shipped_at or _UNSENT


def _good(found: Found[_Tracked]) -> _Tracked:
    if isinstance(found.value, UpstreamError):
        raise found.value
    return found.value


if TYPE_CHECKING:
    _: type[Shipments] = OdooShipments
