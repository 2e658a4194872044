"""The names under which cached answers can be purged.

`product:<sku>`, `order:<number>`, `customer:<number>` and `shipment:<key or tracking number>` say
whom an answer is about, and `reference:<key>` which of the system's own objects. `upstream:<name>`, `role:<role>` and `type:<Record>` hold for all answers
of an operation.
"""

from collections.abc import Iterator, Mapping

from ports.catalog import Product
from ports.common import Page
from ports.customers import Contact, Customer
from ports.invoices import Invoice
from ports.orders import Order
from ports.pricing import PriceQuestion
from ports.shipments import Shipment
from ports.tracking import Parcel

_BROAD = ("upstream", "role", "type")

# What the text keys of an operation are; other keys and all values speak for themselves.
_KINDS: Mapping[str, str] = {
    "catalog.products": "product",
    "catalog.referenced": "reference",
    "stock.availability": "product",
    "accounts.accounts": "customer",
    "accounts.addresses": "customer",
    "customers.customers": "customer",
    "customers.contacts": "customer",
    "orders.orders": "order",
    "invoices.of_orders": "order",
    "shipments.of_orders": "order",
    "shipments.shipments": "shipment",
    "shipments.tracked": "shipment",
}


def is_broad(tag: str) -> bool:
    """Whether the tag holds for whole operations."""
    return tag.partition(":")[0] in _BROAD


def tags(name: str, key: object, value: object) -> tuple[str, ...]:
    """Whom the answer of operation `name` to `key` is about; `value` None: nothing is known."""
    found = dict.fromkeys((*_of_key(name, key), *_of_value(value)))
    return tuple(f"{kind}:{text}" for kind, text in found if text is not None)


def _of_key(name: str, key: object) -> Iterator[tuple[str, str | None]]:
    match key:
        case PriceQuestion():
            yield "product", key.sku
            yield "customer", key.customer
        case Parcel():
            yield "shipment", key.number
        case str() if name in _KINDS:
            yield _KINDS[name], key
        case _:
            pass


def _of_value(value: object) -> Iterator[tuple[str, str | None]]:
    if isinstance(value, Page):
        value = value.items
    for one in value if isinstance(value, tuple) else (value,):
        yield from _of_record(one)


def _of_record(value: object) -> Iterator[tuple[str, str | None]]:
    match value:
        case Product():
            yield from (("product", value.sku), ("reference", value.reference))
        case Customer():
            yield "customer", value.number
            yield from (("reference", one.id) for one in value.references)
        case Contact():
            yield "reference", value.id
        case Order():
            yield from (("order", value.number), ("customer", value.customer))
        case Invoice():
            yield from (("order", value.order), ("customer", value.customer))
        case Shipment():
            yield from (("shipment", value.key), ("shipment", value.tracking_number))
            yield from (("order", value.order), ("customer", value.customer))
        case _:
            pass
