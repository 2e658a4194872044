"""What each field's resolver asks of ports, and how much of it: what is known before it runs.

By coordinate, as the sizes of lists are. Held against what resolvers do in the tests.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ports.errors import BadInputError
from resolvers.ids import decode
from resolvers.order import parcels_decide
from schema.sizes import assumed

Given = Mapping[str, Any]
"""Arguments as the resolver is given them."""


@dataclass(frozen=True, slots=True)
class Ask:
    """A port operation (`catalog.products`).

    `keys`: how many a parent, or how many the arguments make of it. `maybe`: only for some
    parents. `after`: once the ask before it was answered, else together with it. `kind` is the
    type of what it brings, where a field brings several.
    """

    operation: str
    keys: int | Callable[[Given], int] = 1
    maybe: bool = False
    after: bool = False
    kind: str | None = None

    def keys_of(self, given: Given) -> int:
        """For one parent."""
        return self.keys if isinstance(self.keys, int) else self.keys(given)


def _page(given: Given) -> int:
    return 0 if given["first"] == 0 else 1


def _first(given: Given, default: int) -> int:
    return default if given["first"] is None else max(0, given["first"])


def _has(name: str) -> Callable[[Given], int]:
    return lambda given: 0 if given[name] is None else 1


def _decided_by_parcels(given: Given) -> int:
    """The orders of a page that are only kept where their parcels are in the state asked for."""
    status = given["query"].status
    return _first(given, 20) if status is not None and parcels_decide(status) else 0


def _skus(given: Given) -> int:
    return len({line.sku for line in given["lines"]})


_PARCELS = assumed("Order.shipments")
_ORDERS = (
    Ask("orders.search", _page),
    Ask("shipments.of_orders", _decided_by_parcels, maybe=True, after=True),
    Ask("tracking.track", lambda one: _PARCELS * _decided_by_parcels(one), maybe=True, after=True),
)
_BY_ID: Mapping[str, str] = {
    "Product": "catalog.products",
    "ProductModel": "catalog.models",
    "Category": "catalog.categories",
    "Customer": "customers.customers",
    "Order": "orders.orders",
    "Invoice": "invoices.invoices",
    "Shipment": "shipments.shipments",
}


def _of_kinds(ids: Callable[[Given], Sequence[str]]) -> tuple[Ask, ...]:
    """What an id is of decides what is asked."""

    def number(kind: str) -> Callable[[Given], int]:
        return lambda given: sum(_kind(one) == kind for one in set(ids(given)))

    return tuple(Ask(name, number(kind), kind=kind) for kind, name in _BY_ID.items())


def _kind(text: str) -> str | None:
    try:
        return decode(text)[0]
    except BadInputError:
        return None


def _entity(kind: str) -> Callable[[Given], int]:
    return lambda given: sum(one.get("__typename") == kind for one in given["representations"])


def _tracked(given: Given) -> int:
    parcels = [one for one in given["representations"] if one.get("__typename") == "Shipment"]
    return sum(one.get("trackingNumber") is not None for one in parcels)


# Parcels are asked by the carrier's number, unless an id alone is given.
_ENTITIES = (
    *(Ask(name, _entity(kind), kind=kind) for kind, name in _BY_ID.items() if kind != "Shipment"),
    Ask("shipments.tracked", _tracked, kind="Shipment"),
    Ask(
        "shipments.shipments",
        lambda given: _entity("Shipment")(given) - _tracked(given),
        after=True,
        kind="Shipment",
    ),
)

_PRODUCT = (Ask("catalog.products"),)
_ORDER = (Ask("orders.orders"),)
_CUSTOMER = (Ask("customers.customers"),)
_PRODUCTS = (Ask("catalog.search", _page),)

ASKS: Mapping[str, tuple[Ask, ...]] = {
    "Query.product": _PRODUCT,
    "Query.products": _PRODUCTS,
    "Query.category": (Ask("catalog.categories"),),
    "Query.categories": (Ask("catalog.children"),),
    "Query.customer": _CUSTOMER,
    "Query.customers": (Ask("customers.search", _page),),
    "Query.order": _ORDER,
    "Query.orders": _ORDERS,
    "Query.shipment": (
        Ask("shipments.tracked", _has("tracking_number")),
        Ask("shipments.shipments", _has("id")),
    ),
    "Query.invoice": (Ask("invoices.invoices"),),
    "Query.basket": (
        Ask("catalog.products", _skus),
        Ask("pricing.prices", lambda given: len(set(given["lines"]))),
        Ask("stock.availability", _skus),
    ),
    "Query.node": _of_kinds(lambda given: [given["id"]]),
    "Query.nodes": _of_kinds(lambda given: given["ids"]),
    "Query._entities": _ENTITIES,
    "Viewer.customer": _CUSTOMER,
    "Category.parent": (Ask("catalog.categories"),),
    "Category.children": (Ask("catalog.children"),),
    "Category.products": _PRODUCTS,
    "Product.categories": (Ask("catalog.categories", assumed("Product.categories")),),
    "Product.model": (Ask("catalog.models"),),
    "Product.related": (Ask("catalog.referenced", lambda given: _first(given, 12)),),
    "Product.price": (Ask("pricing.prices"),),
    "Product.availability": (Ask("stock.availability"),),
    "ProductModel.variants": (Ask("catalog.variants"),),
    # Only where the page does not tell.
    "ProductConnection.totalCount": (Ask("catalog.count", maybe=True),),
    "Customer.contacts": (Ask("customers.contacts"),),
    "Customer.salesRepresentative": (Ask("customers.representatives"),),
    "Customer.addresses": (Ask("accounts.addresses"),),
    "Customer.account": (Ask("accounts.accounts"),),
    "Customer.orders": _ORDERS,
    "Customer.invoices": (Ask("invoices.search", _page),),
    # Parcels tell whether what left has arrived.
    "Order.status": (
        Ask("shipments.of_orders", maybe=True),
        Ask("tracking.track", _PARCELS, maybe=True, after=True),
    ),
    "Order.customer": _CUSTOMER,
    "Order.shipments": (Ask("shipments.of_orders"),),
    "Order.invoices": (Ask("invoices.of_orders"),),
    "OrderLine.product": _PRODUCT,
    "Shipment.order": _ORDER,
    "Shipment.tracking": (Ask("tracking.track"),),
    "ShipmentLine.product": _PRODUCT,
    "Invoice.order": _ORDER,
}
