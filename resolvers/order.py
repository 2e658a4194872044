"""Orders from the ERP; what their parcels add is asked from the carriers."""

from collections.abc import Sequence
from typing import Any

from ports.common import Page
from ports.customers import Customer
from ports.errors import PortError
from ports.orders import Order, OrderLine, OrderQuery, OrderStatus
from ports.shipments import Shipment
from ports.tracking import ShipmentStatus, Tracking
from resolvers import customer as customers_of
from resolvers.batch import each, natural_key, optional
from resolvers.connection import Connection, empty, page_request
from resolvers.context import Context
from resolvers.loading import Found
from resolvers.tracking import tracked


async def order(
    roots: Sequence[Any],
    *,
    ctx: Context,
    number: str | None,
    id: str | None,  # noqa: A002
) -> list[Found[Order]]:
    """Another company's order answers as one that does not exist."""
    key = natural_key("Order", number, id, "number")
    return [(await by_number([key], ctx=ctx))[0] for _ in roots]


async def by_number(numbers: Sequence[str | None], *, ctx: Context) -> list[Found[Order]]:
    found = await optional(ctx, "orders", "orders", numbers)
    return [
        None if isinstance(order, Order) and not ctx.caller.may_see(order.customer) else order
        for order in found
    ]


async def orders(
    roots: Sequence[Any],
    *,
    ctx: Context,
    first: int | None,
    after: str | None,
    query: OrderQuery,
) -> list[Found[Connection[Order]]]:
    """Of the caller's company; of all that it may see, when it acts for none."""

    async def one(_: object) -> "Connection[Order]":
        return await page(narrowed(query, visible_customers(ctx)), first, after, ctx)

    return await each(roots, one)


async def page(
    query: OrderQuery, first: int | None, after: str | None, ctx: Context
) -> Connection[Order]:
    request = page_request(first, after, default=20, ctx=ctx)
    ctx.port("orders")
    if request.first == 0 or query.customers == ():
        return empty(after)
    found: Page[Order] = await ctx.once("orders", "search", query, request)
    if query.status is not None and parcels_decide(query.status):
        found = await _as_delivered(found, query.status, ctx)
    return Connection(found, after)


async def status(orders: Sequence[Order], *, ctx: Context) -> list[OrderStatus]:
    """DELIVERED when every parcel of a fully shipped order is; the ERP alone cannot know.

    A carrier that does not answer leaves the order SHIPPED, which stays true.
    """
    shipped = [order.number for order in orders if order.status is OrderStatus.SHIPPED]
    delivered = await _delivered(shipped, ctx) if shipped else frozenset()
    return [
        OrderStatus.DELIVERED if order.number in delivered else order.status for order in orders
    ]


async def customer(orders: Sequence[Order], *, ctx: Context) -> list[Found[Customer]]:
    return await customers_of.by_number([order.customer for order in orders], ctx=ctx)


async def shipments(orders: Sequence[Order], *, ctx: Context) -> list[Found[Any]]:
    numbers = [order.number for order in orders]
    return _lists(await ctx.loader("shipments", "of_orders").many(numbers))


async def invoices(orders: Sequence[Order], *, ctx: Context) -> list[Found[Any]]:
    numbers = [order.number for order in orders]
    return _lists(await ctx.loader("invoices", "of_orders").many(numbers))


async def line_product(lines: Sequence[OrderLine], *, ctx: Context) -> list[Found[Any]]:
    return await optional(ctx, "catalog", "products", [line.sku for line in lines])


def visible_customers(ctx: Context) -> tuple[str, ...] | None:
    """The numbers that an unqualified question is about; None for all."""
    if ctx.caller.customer is not None:
        return (ctx.caller.customer,)
    allowed = ctx.caller.customers
    return None if allowed is None else tuple(sorted(allowed))


def narrowed(query: OrderQuery, customers: tuple[str, ...] | None) -> OrderQuery:
    fields = {name: getattr(query, name) for name in OrderQuery.__struct_fields__}
    return OrderQuery(**{**fields, "customers": customers})


def _lists(found: Sequence[Found[Any]]) -> list[Found[Any]]:
    return [() if value is None else value for value in found]


async def _delivered(numbers: Sequence[str], ctx: Context) -> frozenset[str]:
    try:
        of_orders = await ctx.loader("shipments", "of_orders").many(numbers)
    except PortError:
        return frozenset()
    sent = {
        number: found
        for number, found in zip(numbers, of_orders, strict=True)
        if found and not isinstance(found, PortError)
    }
    told = iter(await tracked([one for found in sent.values() for one in found], ctx=ctx))
    return frozenset(
        [
            number
            for number, found in sent.items()
            # All are read, so that each order meets its own.
            if False not in [_arrived(shipment, next(told)) for shipment in found]
        ]
    )


def _arrived(shipment: Shipment, tracking: Found[Tracking]) -> bool:
    return (
        shipment.tracking_number is not None
        and isinstance(tracking, Tracking)
        and tracking.status is ShipmentStatus.DELIVERED
    )


def parcels_decide(statuses: Sequence[OrderStatus]) -> bool:
    """Whether only the parcels of orders tell which of them are in one of these states."""
    return (OrderStatus.DELIVERED in statuses) is not (OrderStatus.SHIPPED in statuses)


async def _as_delivered(
    found: Page[Order], wanted: Sequence[OrderStatus], ctx: Context
) -> Page[Order]:
    """Drops what the parcels tell otherwise; a page may so be shorter than asked, never wrong."""
    now = await status(found.items, ctx=ctx)
    kept = [index for index, value in enumerate(now) if value in wanted]
    return Page(
        tuple(found.items[index] for index in kept),
        tuple(found.cursors[index] for index in kept),
        has_next=found.has_next,
        total=None,
    )
