"""Shipments kept in memory: what the port promises, with no system behind it."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ports.caller import Call
from ports.common import Answers
from ports.errors import UpstreamError
from ports.shipments import Shipment, Shipments

_UNSENT = datetime.max.replace(tzinfo=UTC)


class FakeShipments:
    """`calls` counts what was asked; `fail_with` makes every question fail until it gets None."""

    def __init__(self, shipments: Iterable[Shipment] = ()) -> None:
        self._shipments = sorted(shipments, key=lambda each: each.shipped_at or _UNSENT)
        self._failure: UpstreamError | None = None
        self.calls: list[str] = []

    def fail_with(self, error: UpstreamError | None) -> None:
        self._failure = error

    async def shipments(self, keys: Sequence[str], /, *, call: Call) -> Answers[str, Shipment]:
        self._asked("shipments")
        return {each.key: each for each in self._shipments if each.key in keys}

    async def tracked(
        self, tracking_numbers: Sequence[str], /, *, call: Call
    ) -> Answers[str, Shipment]:
        self._asked("tracked")
        return {
            each.tracking_number: each
            for each in self._shipments
            if each.tracking_number and each.tracking_number in tracking_numbers
        }

    async def of_orders(
        self, orders: Sequence[str], /, *, call: Call
    ) -> Answers[str, tuple[Shipment, ...]]:
        self._asked("of_orders")
        return {
            order: tuple(each for each in self._shipments if each.order == order)
            for order in orders
        }

    def _asked(self, operation: str) -> None:
        self.calls.append(operation)
        if self._failure is not None:
            raise self._failure


if TYPE_CHECKING:
    _: type[Shipments] = FakeShipments
