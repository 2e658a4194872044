"""Products and their models, from the PIM."""

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

import strawberry
from strawberry.scalars import JSON

from ports import catalog
from ports.catalog import ProductRelationKind, ProductSort
from resolvers import connection
from resolvers import product as resolve
from schema.availability import Availability
from schema.common import (
    ID,
    Document,
    ExternalReference,
    PageInfo,
    cursor_field,
    edges_field,
    global_id,
    nodes_field,
    page_info_field,
)
from schema.directives import ERP, PIM, reusable
from schema.fields import Argument, Node, batched, computed, picked, plain, view
from schema.price import Price
from schema.scalars import URL

if TYPE_CHECKING:
    from schema.category import Category


@view(catalog.Attribute, "A property. `value` is formatted for people, `raw` is as stored.")
class Attribute:
    code: str = plain("The PIM's code.")
    label: str = plain("The attribute's name, in the language of the request.")
    group: str | None = plain("The label of the group that it is shown in.")
    value: str = plain("Formatted for people, in the language of the request.")
    raw: JSON | None = plain("As the PIM stores it.")
    unit: str | None = plain("The symbol of the unit of measure.")


@view(catalog.Media, "A picture, served by the gateway.")
class Image:
    url: URL = batched(resolve.image_url, "Where to read it; signed, expires within the hour.")
    alt: str | None = computed(lambda media: media.title, "A text to show instead.")
    role: str | None = plain("The PIM's attribute that holds it.")
    width: int | None = plain("In pixels, where known.")
    height: int | None = plain("In pixels, where known.")


@view(catalog.ProductModel, "What variants have in common.", directives=[PIM])
class ProductModel(Node):
    id: ID = global_id("ProductModel", "code")
    code: str = plain("The PIM's code.")
    name: str = plain("The name, in the language of the request.")
    axes: list[str] = plain("The labels of what the variants differ in.")
    variants: "list[Product]" = batched(
        resolve.variants, "All products of this model.", role="catalog"
    )


_CODES = Argument(list[str] | None, "Only attributes with these codes.")
_CODE = Argument(str, "The attribute's code.", required=True)
_KIND = Argument(ProductRelationKind | None, "Only products related in this way.")
_TWELVE = Argument(int | None, "At most this many, up to 100.", default=12)
_QUANTITY = Argument(
    Decimal | None, "The quantity to price: above 0, at most 6 decimal places.", default=Decimal(1)
)


@view(
    catalog.Product,
    "A product of the catalogue, with the ERP's price and stock.",
    keys=["id", "sku"],
    directives=[PIM, reusable(300, 86_400)],
)
class Product(Node):
    id: ID = global_id("Product", "sku")
    sku: str = plain("The article number that all systems share.")
    gtin: str | None = plain("The GTIN (EAN) of the unit.")
    name: str = plain("The name, in the language of the request.")
    description: str | None = plain("The text, in the language of the request; may hold HTML.")
    brand: str | None = plain("The brand's label.")
    family: str | None = plain("The PIM's family, by label.")
    enabled: bool = plain("Whether the PIM has it switched on.")
    updated_at: datetime | None = plain("When the PIM last changed it.")
    references: list[ExternalReference] = plain("Its keys in the systems.")
    categories: list[Annotated["Category", strawberry.lazy("schema.category")]] = batched(
        resolve.categories,
        "The categories it stands in.",
        role="catalog",
        reads=("categories",),
    )
    attributes: list[Attribute] = picked(
        resolve.attributes,
        "All attributes, or those asked for by code, in the language of the request.",
        {"codes": _CODES},
        reads=("attributes",),
        parts="codes",
    )
    attribute: Attribute | None = picked(
        "attribute",
        "One attribute; null when it has no value.",
        {"code": _CODE},
        reads=("attributes",),
        parts="code",
    )
    images: list[Image] = plain("Pictures, the main one first.")
    documents: list[Document] = batched(
        resolve.documents, "Files of the PIM.", reads=("documents",)
    )
    model: ProductModel | None = batched(
        resolve.model,
        "The model that this product is a variant of.",
        role="catalog",
        reads=("model",),
    )
    related: "list[Product]" = batched(
        resolve.related,
        "Products that belong to this one.",
        arguments={"kind": _KIND, "first": _TWELVE},
        role="catalog",
        reads=("relations",),
    )
    price: Price | None = batched(
        resolve.price,
        "For the caller's company at this quantity; the list price for an anonymous caller.",
        arguments={"quantity": _QUANTITY},
        role="pricing",
        reads=("sku",),
        directives=[ERP, reusable(30, 600, private=True)],
    )
    availability: Availability | None = batched(
        resolve.availability,
        "Whether and where it can be had.",
        role="stock",
        reads=("sku",),
        directives=[ERP, reusable(10, 300)],
    )


@view(connection.Edge, "A product in its list.")
class ProductEdge:
    node: Product = plain("The product.")
    cursor: str = cursor_field()


@view(connection.Connection, "A page of products.")
class ProductConnection:
    edges: list[ProductEdge] = edges_field()
    nodes: list[Product] = nodes_field()
    page_info: PageInfo = page_info_field()
    total_count: int | None = batched(
        connection.total_count, "How many there are in all; null where the PIM does not tell."
    )


@strawberry.input(description="A condition on one attribute: equals, in, or a range.")
class AttributeFilter:
    code: str = strawberry.field(description="The attribute's code.")
    equals: str | None = strawberry.field(
        description="The value, or an option's code.", default=strawberry.UNSET
    )
    in_: list[str] | None = strawberry.field(
        name="in", description="One of these values or option codes.", default=strawberry.UNSET
    )
    min: Decimal | None = strawberry.field(
        description="At least this, in the attribute's own unit.", default=strawberry.UNSET
    )
    max: Decimal | None = strawberry.field(
        description="At most this, in the attribute's own unit.", default=strawberry.UNSET
    )

    def record(self) -> catalog.AttributeFilter:
        return catalog.AttributeFilter(
            self.code,
            given(self.equals),
            None if (values := given(self.in_)) is None else tuple(values),
            given(self.min),
            given(self.max),
        )


@strawberry.input(description="What a listing shows; every condition given must hold.")
class ProductFilter:
    skus: list[str] | None = strawberry.field(
        description="Only these article numbers, at most 100.", default=strawberry.UNSET
    )
    category: str | None = strawberry.field(
        description="Only products in this category.", default=strawberry.UNSET
    )
    include_subcategories: bool | None = strawberry.field(
        description="Whether products below `category` count as in it.", default=True
    )
    brands: list[str] | None = strawberry.field(
        description="Only these brands, by label or code.", default=strawberry.UNSET
    )
    attributes: list[AttributeFilter] | None = strawberry.field(
        description="Conditions on attributes.", default=strawberry.UNSET
    )
    updated_since: datetime | None = strawberry.field(
        description="Only what changed at or after this moment.", default=strawberry.UNSET
    )
    enabled: bool | None = strawberry.field(
        description="Only what is switched on (true) or off (false); null: both.", default=True
    )


def given(value: Any) -> Any:
    """None for what the client left out."""
    return None if value is strawberry.UNSET else value


def product_query(arguments: dict[str, Any]) -> dict[str, Any]:
    """The arguments of a listing, the filter made into a query of the port."""
    asked = given(arguments.get("filter")) or ProductFilter()
    query = catalog.ProductQuery(
        search=arguments.get("search") or None,
        skus=_tuple(asked.skus),
        category=given(asked.category),
        include_subcategories=asked.include_subcategories is not False,
        brands=_tuple(asked.brands),
        attributes=tuple(one.record() for one in given(asked.attributes) or ()),
        updated_since=given(asked.updated_since),
        enabled=given(asked.enabled),
        sort=arguments.get("sort"),
    )
    return {"first": arguments["first"], "after": arguments["after"], "query": query}


def _tuple(values: Any) -> tuple[str, ...] | None:
    return None if given(values) is None else tuple(values)


LISTING = {
    "first": Argument(int | None, "At most this many, up to 100.", default=24),
    "after": Argument(str | None, "A cursor; the page begins behind it."),
    "filter": Argument(ProductFilter | None, "Which products."),
    "sort": Argument(ProductSort | None, "In which order; else as the PIM gives them."),
}
