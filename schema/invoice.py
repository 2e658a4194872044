"""Invoices and credit notes, from the ERP."""

from datetime import date

from ports import invoices
from ports.invoices import InvoiceKind, InvoiceStatus
from resolvers import connection
from resolvers import invoice as resolve
from resolvers.later import not_configured
from schema.common import (
    ID,
    Document,
    Money,
    PageInfo,
    cursor_field,
    edges_field,
    global_id,
    nodes_field,
    page_info_field,
)
from schema.directives import DMS, ERP
from schema.fields import Node, batched, plain, view
from schema.order import Order


@view(
    invoices.Invoice,
    "An invoice or a credit note.",
    keys=["id", "number"],
    directives=[ERP],
)
class Invoice(Node):
    id: ID = global_id("Invoice", "number")
    number: str = plain("The ERP's invoice number.")
    kind: InvoiceKind = plain("Invoice or credit note.")
    status: InvoiceStatus = plain("How far it is.")
    issued_on: date = plain("The invoice date.")
    due_on: date | None = plain("When it is to be paid.")
    total: Money = plain("With tax.")
    balance: Money = plain("What of it is not paid.")
    order: Order | None = batched(resolve.order, "The order that it is for.", role="orders")
    document: Document | None = batched(
        not_configured("documents"), "The invoice as a file.", role="documents", directives=[DMS]
    )


@view(connection.Edge, "An invoice in its list.")
class InvoiceEdge:
    node: Invoice = plain("The invoice.")
    cursor: str = cursor_field()


@view(connection.Connection, "A page of invoices.")
class InvoiceConnection:
    edges: list[InvoiceEdge] = edges_field()
    nodes: list[Invoice] = nodes_field()
    page_info: PageInfo = page_info_field()
    total_count: int | None = batched(
        connection.total_count, "How many there are in all; null where the ERP does not tell."
    )
