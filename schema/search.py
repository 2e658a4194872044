"""The arguments of lists that grow, and the filter of orders."""

from datetime import datetime
from typing import Any

import strawberry

from ports.orders import OrderQuery, OrderStatus
from schema.fields import Argument
from schema.product import given

FIRST_TWENTY = Argument(int | None, "At most this many, up to 100.", default=20)
AFTER = Argument(str | None, "A cursor; the page begins behind it.")
PAGED = {"first": FIRST_TWENTY, "after": AFTER}


def _condition(description: str) -> Any:
    return strawberry.field(description=description, default=strawberry.UNSET)


@strawberry.input(description="Which orders; every condition given must hold.")
class OrderFilter:
    status: list[OrderStatus] | None = _condition("In one of these states.")
    placed_after: datetime | None = _condition("Placed at or after this moment.")
    placed_before: datetime | None = _condition("Placed before this moment.")
    purchase_order_number: str | None = _condition("With this number of the buyer's own.")
    sku: str | None = _condition("With a line of this article.")
    search: str | None = _condition("With this text in a number, an article or a line.")


def order_query(arguments: dict[str, Any]) -> dict[str, Any]:
    """The arguments of a list of orders, the filter made into a query of the port."""
    asked = given(arguments.get("filter")) or OrderFilter()
    status = given(asked.status)
    query = OrderQuery(
        customers=None,
        status=None if status is None else tuple(status),
        placed_after=given(asked.placed_after),
        placed_before=given(asked.placed_before),
        purchase_order_number=given(asked.purchase_order_number),
        sku=given(asked.sku),
        search=given(asked.search) or None,
    )
    return {"first": arguments["first"], "after": arguments["after"], "query": query}


ORDERS = {**PAGED, "filter": Argument(OrderFilter | None, "Which orders.")}
