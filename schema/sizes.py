"""How long lists are taken to be and what fields weigh, for an operation's cost before it runs.

Printed as Federation's `@listSize` and `@cost`, so that a router above reckons the same. A field
of an object weighs 1 unless it is named here, a scalar nothing; a list weighs its size times
what each entry does.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from strawberry import UNSET
from strawberry.federation.schema_directives import Cost, ListSize

from schema.fields import TYPES


@dataclass(frozen=True, slots=True)
class Size:
    """`assumed` entries; or as many as the argument says (`first`, or a list's own length).

    With `fields` the size is that of the named fields of the connection that is returned. `each`
    is what an entry of the argument weighs by itself, whatever is asked of the answer.
    """

    assumed: int | None = None
    argument: str | None = None
    fields: tuple[str, ...] = ()
    each: int = 0


_PAGE = Size(argument="first", fields=("nodes", "edges"))

# Where nothing is known of a list: as long as a person would still read.
UNKNOWN_SIZE = 10

_FIRST_VERSION = (2, 9)

SIZES: Mapping[str, Size] = {
    "Query.products": _PAGE,
    "Query.customers": _PAGE,
    "Query.orders": _PAGE,
    "Query.categories": Size(assumed=20),
    "Query.systems": Size(assumed=20),
    "Query.nodes": Size(argument="ids"),
    "Query._entities": Size(argument="representations"),
    # A product, a price and a stock a line, if only the total is asked for.
    "Query.basket": Size(argument="lines", fields=("lines",), each=3),
    "Category.products": _PAGE,
    "Category.children": Size(assumed=20),
    "Product.attributes": Size(assumed=30),
    "Product.categories": Size(assumed=3),
    "Product.images": Size(assumed=5),
    "Product.documents": Size(assumed=5),
    "Product.references": Size(assumed=2),
    "Product.related": Size(argument="first"),
    "ProductModel.variants": Size(assumed=30),
    "Price.tiers": Size(assumed=5),
    "Availability.locations": Size(assumed=5),
    "StockLevel.incoming": Size(assumed=3),
    "Customer.orders": _PAGE,
    "Customer.invoices": _PAGE,
    "Customer.returns": _PAGE,
    "Customer.contacts": Size(assumed=10),
    "Customer.addresses": Size(assumed=10),
    "Customer.preferences": Size(assumed=10),
    "Customer.references": Size(assumed=2),
    "Order.lines": Size(assumed=10),
    "Order.shipments": Size(assumed=3),
    "Order.invoices": Size(assumed=3),
    "Order.payments": Size(assumed=3),
    "Order.returns": Size(assumed=3),
    "Order.references": Size(assumed=2),
    "Shipment.lines": Size(assumed=10),
    "Shipment.references": Size(assumed=2),
    "Tracking.events": Size(assumed=20),
    "Return.lines": Size(assumed=10),
}

WEIGHTS: Mapping[str, int] = {
    # Each of these is a search in a system of its own.
    "Query.products": 5,
    "Query.orders": 5,
    "Query.customers": 5,
    "Category.products": 5,
    "Customer.orders": 5,
    "Customer.invoices": 5,
    # Its deliveries, and the carriers' word on what is under way.
    "Order.status": 4,
    # Most carriers take one parcel a call.
    "Shipment.tracking": 5,
}


def assumed(coordinate: str) -> int:
    """How many entries the list of a field is taken to have."""
    size = SIZES.get(coordinate)
    return (size.assumed if size else None) or UNKNOWN_SIZE


def apply(federation_version: str) -> None:
    """Puts the directives on the fields, or takes them off for a version that has none (< 2.9).

    Fields belong to the classes and so to every schema made of them: to be called before a
    schema is built or printed.
    """
    known = tuple(map(int, federation_version.split("."))) >= _FIRST_VERSION
    for coordinate in {**SIZES, **WEIGHTS}:
        if (field := _field(coordinate)) is not None:
            kept = [one for one in field.directives if not isinstance(one, ListSize | Cost)]
            field.directives = [*kept, *(_directives(coordinate) if known else ())]


def _directives(coordinate: str) -> list[object]:
    found: list[object] = []
    size = SIZES.get(coordinate)
    # Federation knows no size by the length of a list that is given: slices are Ints.
    if size is not None and size.argument in {None, "first"}:
        found.append(
            ListSize(
                # What is not said must not print: Apollo's composition fails on a written null.
                assumed_size=UNSET if size.assumed is None else size.assumed,
                slicing_arguments=[size.argument] if size.argument else UNSET,
                sized_fields=list(size.fields) or UNSET,
                require_one_slicing_argument=False if size.argument else UNSET,
            )
        )
    if (weight := WEIGHTS.get(coordinate)) is not None:
        found.append(Cost(weight=weight))
    return found


def _field(coordinate: str) -> Any:
    """The Strawberry field; None for those that only the built schema has (`_entities`)."""
    name, _, field_name = coordinate.partition(".")
    fields = TYPES[name].__strawberry_definition__.fields  # type: ignore[attr-defined]
    return next(
        (field for field in fields if (field.graphql_name or field.python_name) == field_name), None
    )
