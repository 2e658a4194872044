"""Companies from the CRM, with what the ERP holds on them."""

from collections.abc import Sequence
from typing import Any

import msgspec

from ports.common import Page
from ports.customers import Contact, Customer
from ports.errors import BadInputError
from ports.invoices import InvoiceQuery, InvoiceStatus
from ports.orders import OrderQuery
from resolvers import invoice as invoices_of
from resolvers import order as orders_of
from resolvers.batch import each, optional
from resolvers.connection import Connection, empty, page_request
from resolvers.context import Context
from resolvers.ids import key_of
from resolvers.loading import Found


class CustomerKey(msgspec.Struct, frozen=True):
    """Stands for a company while it is being asked for."""

    number: str


def foreseen(*, ctx: Context, number: str | None, id: str | None) -> CustomerKey | None:  # noqa: A002
    """What the ERP has of a company is asked by number, of one that the caller may see."""
    wanted = _wanted(ctx, number, id)
    return CustomerKey(wanted) if wanted is not None and ctx.caller.may_see(wanted) else None


async def customer(
    roots: Sequence[Any],
    *,
    ctx: Context,
    number: str | None,
    id: str | None,  # noqa: A002
) -> list[Found[Customer]]:
    """The caller's own company when neither is given; one it may not see is as if unknown."""
    wanted = _wanted(ctx, number, id)
    return [await _visible(wanted, ctx) for _ in roots]


def _wanted(ctx: Context, number: str | None, id: str | None) -> str | None:  # noqa: A002
    if number is not None and id is not None:
        raise BadInputError("Give number or id, not both.")
    return key_of("Customer", id) if id is not None else number or ctx.caller.customer


async def by_number(numbers: Sequence[str | None], *, ctx: Context) -> list[Found[Customer]]:
    """Companies by number, those that the caller may not see left None."""
    seen = [number if ctx.caller.may_see(number) else None for number in numbers]
    return await optional(ctx, "customers", "customers", seen)


async def customers(
    roots: Sequence[Any],
    *,
    ctx: Context,
    first: int | None,
    after: str | None,
    search: str | None,
) -> list[Found[Connection[Customer]]]:
    async def one(_: object) -> "Connection[Customer]":
        request = page_request(first, after, default=20, ctx=ctx)
        allowed = ctx.caller.customers
        numbers = None if allowed is None else tuple(sorted(allowed))
        if request.first == 0 or numbers == ():
            return empty(after)
        page: Page[Customer] = await ctx.once("customers", "search", search, numbers, request)
        return Connection(page, after)

    return await each(roots, one)


async def contacts(customers: Sequence[Customer], *, ctx: Context) -> list[Found[Any]]:
    found = await ctx.loader("customers", "contacts").many(_numbers(customers))
    return [() if people is None else people for people in found]


async def representative(customers: Sequence[Customer], *, ctx: Context) -> list[Found[Contact]]:
    keys = [customer.representative for customer in customers]
    return await optional(ctx, "customers", "representatives", keys)


async def addresses(customers: Sequence[Customer], *, ctx: Context) -> list[Found[Any]]:
    return await ctx.loader("accounts", "addresses").many(_numbers(customers))


async def account(customers: Sequence[Customer], *, ctx: Context) -> list[Found[Any]]:
    return await ctx.loader("accounts", "accounts").many(_numbers(customers))


async def orders(
    customers: Sequence[Customer],
    *,
    ctx: Context,
    first: int | None,
    after: str | None,
    query: OrderQuery,
) -> list[Found[Any]]:
    async def one(customer: Customer) -> Any:
        narrowed = orders_of.narrowed(query, (customer.number,))
        return await orders_of.page(narrowed, first, after, ctx)

    return await each(customers, one)


async def invoices(
    customers: Sequence[Customer],
    *,
    ctx: Context,
    first: int | None,
    after: str | None,
    status: InvoiceStatus | None,
) -> list[Found[Any]]:
    async def one(customer: Customer) -> Any:
        query = InvoiceQuery((customer.number,), status)
        return await invoices_of.page(query, first, after, ctx)

    return await each(customers, one)


async def _visible(number: str | None, ctx: Context) -> Found[Customer]:
    if not ctx.caller.may_see(number) or number is None:
        return None
    found: Found[Customer] = await ctx.loader("customers", "customers").one(number)
    return found


def _numbers(customers: Sequence[Customer]) -> list[str]:
    return [customer.number for customer in customers]
