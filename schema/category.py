"""Categories, from the PIM."""

from ports import catalog
from resolvers import category as resolve
from resolvers import product as resolve_products
from schema.common import ID, global_id
from schema.directives import PIM
from schema.fields import Node, batched, plain, view
from schema.product import LISTING, ProductConnection, product_query


@view(catalog.Category, "A node of the catalogue's tree.", keys=["code"], directives=[PIM])
class Category(Node):
    id: ID = global_id("Category", "code")
    code: str = plain("The PIM's code.")
    name: str = plain("The label, in the language of the request.")
    parent: "Category | None" = batched(
        resolve.parent, "The category above; null for a root.", role="catalog"
    )
    children: "list[Category]" = batched(
        resolve.children, "The categories right below, in the PIM's order.", role="catalog"
    )
    products: ProductConnection = batched(
        resolve_products.category_products,
        "The products in this category.",
        arguments=LISTING,
        prepare=product_query,
        role="catalog",
    )
