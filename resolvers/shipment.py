"""Deliveries from the ERP."""

from collections.abc import Sequence
from typing import Any

from ports.orders import Order
from ports.shipments import Shipment, ShipmentLine
from resolvers import order as orders_of
from resolvers.batch import natural_key, optional
from resolvers.context import Context
from resolvers.ids import key_of
from resolvers.loading import Found


async def shipment(
    roots: Sequence[Any],
    *,
    ctx: Context,
    tracking_number: str | None,
    id: str | None,  # noqa: A002
) -> list[Found[Shipment]]:
    natural_key("Shipment", tracking_number, id, "trackingNumber")
    if tracking_number is not None:
        return [(await by_tracking_number([tracking_number], ctx=ctx))[0] for _ in roots]
    return [(await by_key([key_of("Shipment", str(id))], ctx=ctx))[0] for _ in roots]


async def by_key(keys: Sequence[str | None], *, ctx: Context) -> list[Found[Shipment]]:
    return _seen(await optional(ctx, "shipments", "shipments", keys), ctx)


async def by_tracking_number(
    numbers: Sequence[str | None], *, ctx: Context
) -> list[Found[Shipment]]:
    return _seen(await optional(ctx, "shipments", "tracked", numbers), ctx)


async def order(shipments: Sequence[Shipment], *, ctx: Context) -> list[Found[Order]]:
    return await orders_of.by_number([shipment.order for shipment in shipments], ctx=ctx)


async def line_product(lines: Sequence[ShipmentLine], *, ctx: Context) -> list[Found[Any]]:
    return await ctx.loader("catalog", "products").many([line.sku for line in lines])


def _seen(found: Sequence[Found[Any]], ctx: Context) -> list[Found[Any]]:
    return [
        None if isinstance(value, Shipment) and not ctx.caller.may_see(value.customer) else value
        for value in found
    ]
