"""The roots that read."""

import strawberry

from resolvers import basket as basket_of
from resolvers import category as category_of
from resolvers import customer as customer_of
from resolvers import invoice as invoice_of
from resolvers import node as node_of
from resolvers import order as order_of
from resolvers import product as product_of
from resolvers import shipment as shipment_of
from resolvers import system as system_of
from resolvers import viewer as viewer_of
from resolvers.later import not_configured
from schema.basket import LINES, Basket, asked
from schema.category import Category
from schema.common import ID
from schema.customer import Customer, CustomerConnection
from schema.fields import Argument, Foresight, Node, batched
from schema.invoice import Invoice
from schema.order import Order, OrderConnection
from schema.product import LISTING, Product, ProductConnection, product_query
from schema.returns import Return
from schema.search import ORDERS, PAGED, order_query
from schema.shipment import Shipment
from schema.system import System
from schema.viewer import Viewer

_ID = Argument(ID | None, "The object's global id.")
_SEARCH = Argument(str | None, "Words to look for.")


def _by(name: str, description: str) -> dict[str, Argument]:
    """The arguments of a root that finds one object by natural key or by id."""
    return {name: Argument(str | None, description), "id": _ID}


@strawberry.type(description="What can be read.")
class Query:
    product: Product | None = batched(
        product_of.product,
        "One product; null when there is none.",
        arguments=_by("sku", "The article number."),
        role="catalog",
        foresight=Foresight("sku", product_of.foreseen),
    )
    products: ProductConnection = batched(
        product_of.products,
        "A listing of the catalogue.",
        arguments={**LISTING, "search": _SEARCH},
        prepare=product_query,
        role="catalog",
    )
    category: Category | None = batched(
        category_of.category,
        "One category; null when there is none.",
        arguments={"code": Argument(str, "The PIM's code.", required=True)},
        role="catalog",
    )
    categories: list[Category] = batched(
        category_of.categories,
        "Children of one category; the roots when `parent` is null.",
        arguments={"parent": Argument(str | None, "The code of the category above.")},
        role="catalog",
    )
    customer: Customer | None = batched(
        customer_of.customer,
        "The caller's company, or another that the caller may act for.",
        arguments=_by("number", "The account number."),
        role="customers",
        foresight=Foresight("number", customer_of.foreseen),
    )
    customers: CustomerConnection = batched(
        customer_of.customers,
        "The companies that the caller may see, by name.",
        arguments={**PAGED, "search": _SEARCH},
        role="customers",
    )
    order: Order | None = batched(
        order_of.order,
        "One order; null when there is none that the caller may see.",
        arguments=_by("number", "The ERP's order number."),
        role="orders",
    )
    orders: OrderConnection = batched(
        order_of.orders,
        "The caller's orders, newest first.",
        arguments=ORDERS,
        prepare=order_query,
        role="orders",
    )
    shipment: Shipment | None = batched(
        shipment_of.shipment,
        "One shipment; null when there is none that the caller may see.",
        arguments=_by("tracking_number", "The carrier's number."),
        role="shipments",
    )
    invoice: Invoice | None = batched(
        invoice_of.invoice,
        "One invoice; null when there is none that the caller may see.",
        arguments=_by("number", "The ERP's invoice number."),
        role="invoices",
    )
    return_: Return | None = batched(
        not_configured("returns"),
        "One return; null when there is none that the caller may see.",
        arguments=_by("number", "The OMS's return number."),
        name="return",
    )
    basket: Basket = batched(
        basket_of.basket,
        "The real price and stock of a basket, one round trip per system whatever its size.",
        arguments=LINES,
        prepare=asked,
    )
    viewer: Viewer = batched(viewer_of.viewer, "Who is calling.")
    systems: list[System] = batched(
        system_of.systems, "The configured systems. Scope `systems:read`.", role="systems"
    )
    node: Node | None = batched(
        node_of.node,
        "Any object by its global id; null when there is none that the caller may see.",
        arguments={"id": Argument(ID, "The object's global id.", required=True)},
    )
    nodes: list[Node | None] = batched(
        node_of.nodes,
        "Objects by their global ids, in the order given.",
        arguments={"ids": Argument(list[ID], "Global ids, at most 100.", required=True)},
    )
