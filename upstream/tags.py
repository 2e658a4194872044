"""The names under which cached answers can be purged.

`product:<sku>`, `order:<number>`, `customer:<number>` and `shipment:<key or tracking number>` say
whom an answer is about, and `reference:<key>` which of the system's own objects. `upstream:<name>`, `role:<role>` and `type:<Record>` hold for all answers
of an operation.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, TypeAlias

from ports.catalog import Product
from ports.common import Page
from ports.customers import Contact, Customer
from ports.invoices import Invoice
from ports.orders import Order
from ports.pricing import PriceQuestion
from ports.shipments import Shipment
from ports.tracking import Parcel

Tag: TypeAlias = tuple[str, str | None]
"""Without a text it is none."""

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
    found = dict.fromkeys(_of_key(name, key))
    for one in _records_of(value):
        kind: Any = type(one)
        tell = _teller(kind)
        if tell is not None:
            found.update(dict.fromkeys(tell(one)))
    return tuple([f"{kind}:{text}" for kind, text in found if text is not None])


def _of_key(name: str, key: object) -> Iterable[Tag]:
    if isinstance(key, str):
        return ((_KINDS[name], key),) if name in _KINDS else ()
    if isinstance(key, PriceQuestion):
        return (("product", key.sku), ("customer", key.customer))
    return (("shipment", key.number),) if isinstance(key, Parcel) else ()


def _records_of(value: object) -> Sequence[object]:
    if isinstance(value, Page):
        value = value.items
    return value if isinstance(value, tuple) else (value,)


def _of_customer(customer: Customer) -> Iterable[Tag]:
    references = (("reference", one.id) for one in customer.references)
    return (("customer", customer.number), *references)


def _of_shipment(shipment: Shipment) -> Iterable[Tag]:
    return (
        ("shipment", shipment.key),
        ("shipment", shipment.tracking_number),
        ("order", shipment.order),
        ("customer", shipment.customer),
    )


_TELLERS: Mapping[type, Callable[[Any], Iterable[Tag]]] = {
    Product: lambda one: (("product", one.sku), ("reference", one.reference)),
    Customer: _of_customer,
    Contact: lambda one: (("reference", one.id),),
    Order: lambda one: (("order", one.number), ("customer", one.customer)),
    Invoice: lambda one: (("order", one.order), ("customer", one.customer)),
    Shipment: _of_shipment,
}


@lru_cache(maxsize=1024)
def _teller(kind: Any) -> Callable[[Any], Iterable[Tag]] | None:
    """What tells of records of this type, others' own kinds of ours included."""
    return next((tell for of, tell in _TELLERS.items() if issubclass(kind, of)), None)
