"""Orders kept in memory: what the port promises, with no system behind it."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from ports.caller import Call
from ports.common import Answers, Page, PageRequest
from ports.errors import BadInputError, UpstreamError
from ports.orders import Order, OrderQuery, Orders, OrderStatus

_CURSOR = "order:"


class FakeOrders:
    """`calls` counts what was asked; `fail_with` makes every question fail until it gets None."""

    def __init__(self, orders: Iterable[Order] = ()) -> None:
        self._orders = sorted(orders, key=_age, reverse=True)
        self._failure: UpstreamError | None = None
        self.calls: list[str] = []

    def fail_with(self, error: UpstreamError | None) -> None:
        self._failure = error

    async def orders(self, numbers: Sequence[str], /, *, call: Call) -> Answers[str, Order]:
        self._asked("orders")
        return {order.number: order for order in self._orders if order.number in numbers}

    async def search(self, query: OrderQuery, page: PageRequest, /, *, call: Call) -> Page[Order]:
        self._asked("search")
        found = [order for order in self._orders if _means(query, order)]
        start = 0 if page.after is None else self._behind(page.after, found)
        shown = found[start : start + page.first]
        return Page(
            items=tuple(shown),
            cursors=tuple(_CURSOR + order.number for order in shown),
            has_next=len(found) > start + page.first,
            total=len(found),
        )

    def _asked(self, operation: str) -> None:
        self.calls.append(operation)
        if self._failure is not None:
            raise self._failure

    def _behind(self, after: str, found: list[Order]) -> int:
        ages = [_age(order) for order in self._orders if _CURSOR + order.number == after]
        if not ages:
            raise BadInputError("`after` is not a cursor that this list gave.")
        return sum(_age(order) >= ages[0] for order in found)


def _age(order: Order) -> tuple[datetime, str]:
    return order.placed_at, order.number


def _means(query: OrderQuery, order: Order) -> bool:
    statuses = set(query.status) if query.status is not None else set(OrderStatus)
    if OrderStatus.DELIVERED in statuses:
        statuses.add(OrderStatus.SHIPPED)
    owned = query.customers is None or order.customer in query.customers
    after = query.placed_after is None or order.placed_at >= query.placed_after
    before = query.placed_before is None or order.placed_at < query.placed_before
    return owned and order.status in statuses and after and before and _reads(query, order)


def _reads(query: OrderQuery, order: Order) -> bool:
    skus = [line.sku for line in order.lines]
    own = (order.purchase_order_number or "").casefold()
    if query.purchase_order_number is not None:
        wanted = query.purchase_order_number.strip().casefold()
        if wanted != own or not wanted:
            return False
    if query.sku is not None and query.sku not in skus:
        return False
    sought = (query.search or "").strip().casefold()
    texts = (order.number, own, *(f"{line.sku}\n{line.description}" for line in order.lines))
    return any(sought in text.casefold() for text in texts)


if TYPE_CHECKING:
    _: type[Orders] = FakeOrders
