"""Returns, from the OMS."""

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

import strawberry

from ports import returns
from ports.returns import ReturnStatus
from resolvers import connection
from resolvers.later import not_configured
from schema.common import (
    ID,
    Money,
    PageInfo,
    cursor_field,
    edges_field,
    global_id,
    nodes_field,
    page_info_field,
)
from schema.directives import ERP, OMS
from schema.fields import Node, batched, plain, view
from schema.order import Order

if TYPE_CHECKING:
    from schema.shipment import Shipment


@view(returns.ReturnLine, "One article of a return.")
class ReturnLine:
    sku: str = plain("The article number.")
    quantity: Decimal = plain("How much is returned.")
    reason: str | None = plain("Why, in the buyer's words.")
    condition: str | None = plain("In which state it came back.")


@view(returns.Return, "Goods sent back.", keys=["id", "number"], directives=[OMS])
class Return(Node):
    id: ID = global_id("Return", "number")
    number: str = plain("The OMS's return number.")
    status: ReturnStatus = plain("How far it is.")
    source_status: str = plain("The word that the OMS itself uses.")
    requested_at: datetime = plain("When it was asked for.")
    lines: list[ReturnLine] = plain("What is returned.")
    refund: Money | None = plain("What is given back.")
    order: Order | None = batched(
        not_configured("returns"),
        "The order that the goods came with.",
        role="returns",
        directives=[ERP],
    )
    shipment: Annotated["Shipment", strawberry.lazy("schema.shipment")] | None = batched(
        not_configured("returns"), "The parcel that brings the goods back."
    )


@view(connection.Edge, "A return in its list.")
class ReturnEdge:
    node: Return = plain("The return.")
    cursor: str = cursor_field()


@view(connection.Connection, "A page of returns.")
class ReturnConnection:
    edges: list[ReturnEdge] = edges_field()
    nodes: list[Return] = nodes_field()
    page_info: PageInfo = page_info_field()
    total_count: int | None = batched(
        connection.total_count, "How many there are in all; null where the OMS does not tell."
    )
