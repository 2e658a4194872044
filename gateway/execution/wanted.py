"""Which fields of records an operation reads: what connectors need not ask for, decode or map."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from gateway.execution.shapes import Column, Listed, Objects, Required, Selection, Shape
from ports.catalog import Product
from ports.customers import Customer
from ports.orders import Order
from ports.shipments import Shipment

_RECORDS: Mapping[str, type[msgspec.Struct]] = {
    **dict.fromkeys(
        ("catalog.products", "catalog.referenced", "catalog.search", "catalog.variants"), Product
    ),
    **dict.fromkeys(("customers.customers", "customers.search"), Customer),
    **dict.fromkeys(("orders.orders", "orders.search"), Order),
    **dict.fromkeys(("shipments.shipments", "shipments.tracked", "shipments.of_orders"), Shipment),
}
"""The operations whose records may come in part. All others always answer whole ones."""

_TAKEN: Mapping[type, tuple[str, ...]] = {
    # A purge by the CRM's own key finds companies by it.
    Customer: ("references",),
    # Whose it is, and what its parcel is found by.
    Shipment: ("order", "tracking_number", "carrier", "postal_code"),
}
"""What is read of records whatever is selected, beside the fields that they cannot be without."""

Wanted = Mapping[str, frozenset[str]]
"""By port operation the fields that are read of its records; one that is not there: all."""


def wanted_of(root: Selection) -> Wanted:
    """The union over all places that ask an operation, since all of them share its loader.

    A part of a field (one attribute of all) stands as `attributes.<code>`, unless the whole is
    read too.
    """
    read: dict[str, set[str]] = {}
    whole: set[str] = set()
    for column in _askers(root):
        selections = list(_selections(column.shape))
        for operation in column.asks:
            if (record := _RECORDS.get(operation)) is None:
                continue
            found = read.setdefault(operation, _always(record))
            for one in _columns_of(record, selections):
                if one.reads is None:
                    whole.add(operation)
                else:
                    found.update(one.reads)
    return {
        operation: _merged(found) for operation, found in read.items() if operation not in whole
    }


def asked_once(root: Selection) -> frozenset[str]:
    """The operations that a single field asks: nobody else's keys could go with its own."""
    found = Counter(operation for column in _askers(root) for operation in column.asks)
    return frozenset(operation for operation, count in found.items() if count == 1)


def _columns_of(record: type, selections: Iterable[Selection]) -> Iterator[Column]:
    for selection in selections:
        if selection.record is record:
            yield from selection.columns


def _always(record: type[msgspec.Struct]) -> set[str]:
    needed = {one.name for one in msgspec.structs.fields(record) if one.required}
    return needed.union(_TAKEN.get(record, ()))


def _merged(found: set[str]) -> frozenset[str]:
    return frozenset(one for one in found if one.partition(".")[0] not in found or "." not in one)


def _askers(selection: Selection) -> Iterator[Column]:
    """The columns that ask, at any depth."""
    for column in selection.columns:
        if column.asks:
            yield column
        for below in _below(column.shape):
            yield from _askers(below)


def _selections(shape: Shape) -> Iterator[Selection]:
    """The selections of what a column is answered with, without what is asked for beneath it."""
    for selection in _below(shape):
        yield selection
        for column in selection.columns:
            if not column.asks:
                yield from _selections(column.shape)


def _below(shape: Shape) -> Iterator[Selection]:
    while isinstance(shape, Required | Listed):
        shape = shape.inner
    if isinstance(shape, Objects):
        yield from shape.selections.values()
