"""A basket's real price and stock."""

from decimal import Decimal
from typing import Any

import strawberry

from resolvers import basket
from resolvers.basket import BasketProblem
from schema.availability import Availability
from schema.common import TaxedMoney
from schema.fields import Argument, batched, plain, view
from schema.price import Price
from schema.product import Product


@view(basket.BasketLine, "One line of a basket.")
class BasketLine:
    sku: str = plain("The article number as given.")
    quantity: Decimal = plain("The quantity as given.")
    product: Product | None = batched(basket.product, "The product.")
    price: Price | None = batched(basket.price, "The company's price at this quantity.")
    availability: Availability | None = batched(basket.availability, "The stock.")
    problems: list[BasketProblem] = plain("Why it cannot be ordered as it is; empty: it can.")


@view(basket.Basket, "What a basket costs and whether it can be ordered.")
class Basket:
    lines: list[BasketLine] = plain("The lines, in the order given.")
    subtotal: TaxedMoney | None = plain("Null unless every line has a price in one currency.")
    orderable: bool = plain("Whether no line has a problem.")


@strawberry.input(description="One line of a basket.")
class BasketLineInput:
    sku: str = strawberry.field(description="The article number.")
    quantity: Decimal = strawberry.field(description="Above 0, at most 6 decimal places.")


LINES = {
    "lines": Argument(list[BasketLineInput], "The lines, at most 200.", required=True),
}


def asked(arguments: dict[str, Any]) -> dict[str, Any]:
    return {"lines": [basket.Asked(line.sku, line.quantity) for line in arguments["lines"]]}
