"""A basket's real price and stock: one round trip per system, whatever its size."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Any

from ports.catalog import Product
from ports.common import Money, TaxedMoney
from ports.errors import BadInputError, PortError
from ports.pricing import Price, PriceQuestion
from ports.stock import Availability, AvailabilityStatus
from resolvers.context import Context
from resolvers.loading import Found
from resolvers.product import checked_quantity

MOST_LINES = 200
_NOT_SOLD = frozenset({AvailabilityStatus.DISCONTINUED})
_SOLD_UNSEEN = frozenset({AvailabilityStatus.MADE_TO_ORDER, AvailabilityStatus.BACKORDER})


class BasketProblem(Enum):
    UNKNOWN_SKU = "UNKNOWN_SKU"
    NOT_SELLABLE = "NOT_SELLABLE"
    BELOW_MINIMUM = "BELOW_MINIMUM"
    NOT_A_MULTIPLE = "NOT_A_MULTIPLE"
    INSUFFICIENT_STOCK = "INSUFFICIENT_STOCK"
    NO_PRICE = "NO_PRICE"
    PRICE_UNAVAILABLE = "PRICE_UNAVAILABLE"
    STOCK_UNAVAILABLE = "STOCK_UNAVAILABLE"


@dataclass(frozen=True, slots=True)
class Asked:
    """One line as the caller gave it."""

    sku: str
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class BasketLine:
    """`product`, `price` and `availability` may hold the error that kept them away."""

    sku: str
    quantity: Decimal
    product: Found[Product]
    price: Found[Price]
    availability: Found[Availability]
    problems: tuple[BasketProblem, ...]


@dataclass(frozen=True, slots=True)
class Basket:
    """`subtotal` is None unless every line has a price, all in one currency."""

    lines: tuple[BasketLine, ...]

    @property
    def orderable(self) -> bool:
        return bool(self.lines) and not any(line.problems for line in self.lines)

    @property
    def subtotal(self) -> TaxedMoney | None:
        prices = [line.price for line in self.lines]
        totals = [price.total for price in prices if isinstance(price, Price)]
        if not totals or len(totals) < len(prices):
            return None
        if len({total.net.currency for total in totals}) > 1:
            return None
        return _sum(totals)


async def basket(
    roots: Sequence[Any], *, ctx: Context, lines: Sequence[Asked]
) -> list[Found[Basket]]:
    _check(lines)
    skus = [line.sku for line in lines]
    customer = ctx.caller.customer
    questions = [PriceQuestion(line.sku, line.quantity, customer) for line in lines]
    products, prices, stock = await asyncio.gather(
        _all(ctx, "catalog", "products", skus),
        _all(ctx, "pricing", "prices", questions),
        _all(ctx, "stock", "availability", skus),
    )
    wanted: dict[str, Decimal] = defaultdict(Decimal)
    for line in lines:
        wanted[line.sku] += line.quantity
    found = tuple(
        _line(line, wanted[line.sku], product, price, available)
        for line, product, price, available in zip(lines, products, prices, stock, strict=True)
    )
    return [Basket(found) for _ in roots]


async def part(lines: Sequence[BasketLine], name: str) -> list[Any]:
    return [getattr(line, name) for line in lines]


async def product(lines: Sequence[BasketLine], *, ctx: Context) -> list[Found[Product]]:
    _ = ctx
    return await part(lines, "product")


async def price(lines: Sequence[BasketLine], *, ctx: Context) -> list[Found[Price]]:
    _ = ctx
    return await part(lines, "price")


async def availability(lines: Sequence[BasketLine], *, ctx: Context) -> list[Found[Availability]]:
    _ = ctx
    return await part(lines, "availability")


def _check(lines: Sequence[Asked]) -> None:
    if len(lines) > MOST_LINES:
        raise BadInputError(f"A basket may have at most {MOST_LINES} lines; it has {len(lines)}.")
    for line in lines:
        checked_quantity(line.quantity)


def _all(
    ctx: Context, role: str, operation: str, keys: Sequence[Any]
) -> Awaitable[list[Found[Any]]]:
    async def ask() -> "list[Found[Any]]":
        try:
            return await ctx.loader(role, operation).many(keys)
        except PortError as error:
            return [error] * len(keys)

    return ask()


def _line(
    asked: Asked,
    wanted: Decimal,
    product: Found[Product],
    price: Found[Price],
    available: Found[Availability],
) -> BasketLine:
    problems = [*_of_product(product), *_of_price(price, asked), *_of_stock(available, wanted)]
    if product is None:
        problems = [BasketProblem.UNKNOWN_SKU]
    return BasketLine(asked.sku, asked.quantity, product, price, available, tuple(problems))


def _of_product(product: Found[Product]) -> list[BasketProblem]:
    sold = not isinstance(product, Product) or product.enabled
    return [] if sold else [BasketProblem.NOT_SELLABLE]


def _of_price(price: Found[Price], asked: Asked) -> list[BasketProblem]:
    if price is None:
        return [BasketProblem.NO_PRICE]
    if isinstance(price, PortError):
        return [BasketProblem.PRICE_UNAVAILABLE]
    if (rule := price.quantity_rule) is None:
        return []
    problems = []
    if asked.quantity < rule.minimum:
        problems.append(BasketProblem.BELOW_MINIMUM)
    if rule.increment > 0 and asked.quantity % rule.increment:
        problems.append(BasketProblem.NOT_A_MULTIPLE)
    return problems


def _of_stock(available: Found[Availability], wanted: Decimal) -> list[BasketProblem]:
    if available is None or isinstance(available, PortError):
        return [BasketProblem.STOCK_UNAVAILABLE]
    if available.status in _NOT_SOLD:
        return [BasketProblem.NOT_SELLABLE]
    if available.status in _SOLD_UNSEEN or available.available >= wanted:
        return []
    return [BasketProblem.INSUFFICIENT_STOCK]


def _sum(totals: Sequence[TaxedMoney]) -> TaxedMoney:
    """Tax and gross only where every line tells them; the rate only where it is one."""
    rates = {total.tax_rate for total in totals}
    return TaxedMoney(
        net=_added([total.net for total in totals]),
        tax=_added_if_all([total.tax for total in totals]),
        gross=_added_if_all([total.gross for total in totals]),
        tax_rate=rates.pop() if len(rates) == 1 else None,
    )


def _added(parts: Sequence[Money]) -> Money:
    return Money(sum((part.amount for part in parts), Decimal(0)), parts[0].currency)


def _added_if_all(parts: Sequence[Money | None]) -> Money | None:
    known = [part for part in parts if part is not None]
    return _added(known) if len(known) == len(parts) else None
