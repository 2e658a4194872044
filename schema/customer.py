"""Companies from the CRM, with what the ERP holds on them."""

from typing import TYPE_CHECKING, Annotated

import strawberry

from ports import accounts, customers
from ports.invoices import InvoiceStatus
from resolvers import connection
from resolvers import customer as resolve
from resolvers.later import not_configured
from schema.common import (
    ID,
    Address,
    ExternalReference,
    Freshness,
    Money,
    PageInfo,
    cursor_field,
    edges_field,
    global_id,
    nodes_field,
    page_info_field,
)
from schema.directives import CRM, ERP, OMS, reusable
from schema.fields import Argument, Node, batched, computed, plain, view
from schema.scalars import URL, CurrencyCode
from schema.search import ORDERS, PAGED, order_query

if TYPE_CHECKING:
    from schema.invoice import InvoiceConnection
    from schema.order import OrderConnection
    from schema.returns import ReturnConnection


@view(customers.Preference, "A choice that the company made, as the CRM keeps it.")
class Preference:
    key: str = plain("The CRM's name of the choice.")
    value: str = plain("What was chosen.")


@view(customers.Contact, "A person.")
class Contact:
    id: ID = computed(lambda contact: contact.id, "The CRM's key of the person.")
    name: str = plain("First and last name.")
    email: str | None = plain("An e-mail address.")
    phone: str | None = plain("A telephone number.")
    role: str | None = plain("What the person does.")


@view(accounts.CreditStatus, "What the company owes and may still order for.")
class CreditStatus:
    limit: Money | None = plain("The credit limit; null: none is kept.")
    outstanding: Money = plain("What is invoiced or ordered and not paid.")
    available: Money | None = plain("What is left of the limit, never below zero.")
    overdue: Money | None = plain("What is past its due date.")
    freshness: Freshness = plain("When the ERP was read.")


@view(accounts.CustomerAccount, "What the ERP holds on the company: terms and credit.")
class CustomerAccount:
    currency: CurrencyCode = plain("The currency that the company buys in.")
    price_list: str | None = plain("The ERP's price list, by name.")
    payment_terms: str | None = plain("When invoices are due, in the ERP's words.")
    delivery_terms: str | None = plain("The incoterm or delivery terms.")
    blocked: bool = plain("Whether the ERP refuses new orders.")
    credit: CreditStatus | None = plain("Limit and use of credit.")


_STATUS = Argument(InvoiceStatus | None, "Only invoices in this state.")


@view(
    customers.Customer,
    "A company that buys. A caller sees its own; staff and partners see those they may act for.",
    keys=["id", "number"],
    directives=[CRM, reusable(60, 3_600, private=True)],
)
class Customer(Node):
    id: ID = global_id("Customer", "number")
    number: str = plain("The account number that ERP and CRM share.")
    name: str = plain("The company's name.")
    email: str | None = plain("The company's general e-mail address.")
    phone: str | None = plain("The company's general telephone number.")
    website: URL | None = plain("The company's website.")
    vat_number: str | None = plain("The VAT number.")
    segment: str | None = plain("The CRM's word for what kind of customer it is.")
    language: str | None = plain("The language to write in, as BCP 47.")
    references: list[ExternalReference] = plain("Its keys in the systems.")
    preferences: list[Preference] = plain("The company's choices.")
    contacts: list[Contact] = batched(
        resolve.contacts, "The company's people.", role="customers", reads=("number",)
    )
    sales_representative: Contact | None = batched(
        resolve.representative,
        "Our person for this company.",
        role="customers",
        reads=("representative",),
    )
    addresses: list[Address] | None = batched(
        resolve.addresses,
        "Where to send goods and invoices.",
        role="accounts",
        reads=("number",),
        directives=[ERP],
    )
    account: CustomerAccount | None = batched(
        resolve.account,
        "Terms and credit.",
        role="accounts",
        reads=("number",),
        directives=[ERP],
    )
    orders: Annotated["OrderConnection", strawberry.lazy("schema.order")] | None = batched(
        resolve.orders,
        "The company's orders, newest first.",
        arguments=ORDERS,
        prepare=order_query,
        role="orders",
        reads=("number",),
        directives=[ERP],
    )
    invoices: Annotated["InvoiceConnection", strawberry.lazy("schema.invoice")] | None = batched(
        resolve.invoices,
        "The company's invoices and credit notes, newest first.",
        arguments={**PAGED, "status": _STATUS},
        role="invoices",
        reads=("number",),
        directives=[ERP],
    )
    returns: Annotated["ReturnConnection", strawberry.lazy("schema.returns")] | None = batched(
        not_configured("returns"),
        "The company's returns, newest first.",
        arguments=PAGED,
        role="returns",
        reads=(),
        directives=[OMS],
    )


@view(connection.Edge, "A company in its list.")
class CustomerEdge:
    node: Customer = plain("The company.")
    cursor: str = cursor_field()


@view(connection.Connection, "A page of companies.")
class CustomerConnection:
    edges: list[CustomerEdge] = edges_field()
    nodes: list[Customer] = nodes_field()
    page_info: PageInfo = page_info_field()
    total_count: int | None = batched(
        connection.total_count, "How many there are in all; null where the CRM does not tell."
    )
