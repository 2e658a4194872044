"""Invoices and credit notes from the ERP."""

from collections.abc import Sequence
from typing import Any

from ports.common import Page
from ports.invoices import Invoice, InvoiceQuery
from ports.orders import Order
from resolvers import order as orders_of
from resolvers.batch import natural_key, optional
from resolvers.connection import Connection, empty, page_request
from resolvers.context import Context
from resolvers.loading import Found


async def invoice(
    roots: Sequence[Any],
    *,
    ctx: Context,
    number: str | None,
    id: str | None,  # noqa: A002
) -> list[Found[Invoice]]:
    key = natural_key("Invoice", number, id, "number")
    return [(await by_number([key], ctx=ctx))[0] for _ in roots]


async def by_number(numbers: Sequence[str | None], *, ctx: Context) -> list[Found[Invoice]]:
    found = await optional(ctx, "invoices", "invoices", numbers)
    return [
        None if isinstance(value, Invoice) and not ctx.caller.may_see(value.customer) else value
        for value in found
    ]


async def page(
    query: InvoiceQuery, first: int | None, after: str | None, ctx: Context
) -> Connection[Invoice]:
    request = page_request(first, after, default=20, ctx=ctx)
    ctx.port("invoices")
    if request.first == 0:
        return empty(after)
    found: Page[Invoice] = await ctx.once("invoices", "search", query, request)
    return Connection(found, after)


async def order(invoices: Sequence[Invoice], *, ctx: Context) -> list[Found[Order]]:
    return await orders_of.by_number([invoice.order for invoice in invoices], ctx=ctx)
