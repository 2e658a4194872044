"""Products from the PIM, with the ERP's price and stock."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import msgspec

from ports.catalog import (
    Attribute,
    Category,
    Media,
    Product,
    ProductModel,
    ProductQuery,
    ProductRelationKind,
)
from ports.documents import Document, DocumentKind
from ports.errors import BadInputError, PortError
from ports.pricing import Price, PriceQuestion
from ports.stock import Availability
from resolvers.batch import each, natural_key, optional
from resolvers.connection import Connection, empty, page_request
from resolvers.context import Context
from resolvers.loading import Found

MOST_SKUS = 100
_LARGEST_QUANTITY = Decimal(1_000_000_000)
_SMALLEST_STEP = -6


class ProductKey(msgspec.Struct, frozen=True):
    """Stands for a product while it is being asked for."""

    sku: str


def foreseen(*, ctx: Context, sku: str | None, id: str | None) -> ProductKey:  # noqa: A002
    """Prices and stock are asked by SKU. Raises BadInputError as `product` does."""
    _ = ctx
    return ProductKey(natural_key("Product", sku, id, "sku"))


async def product(
    roots: Sequence[Any],
    *,
    ctx: Context,
    sku: str | None,
    id: str | None,  # noqa: A002
) -> list[Found[Product]]:
    key = natural_key("Product", sku, id, "sku")
    return [await ctx.loader("catalog", "products").one(key) for _ in roots]


async def products(
    roots: Sequence[Any],
    *,
    ctx: Context,
    first: int | None,
    after: str | None,
    query: ProductQuery,
) -> list[Found[Connection[Product]]]:
    async def one(_: object) -> "Connection[Product]":
        return await _listing(query, first, after, ctx)

    return await each(roots, one)


async def category_products(
    categories: Sequence[Category],
    *,
    ctx: Context,
    first: int | None,
    after: str | None,
    query: ProductQuery,
) -> list[Found[Connection[Product]]]:
    async def one(category: Category) -> "Connection[Product]":
        if query.category not in {None, category.code}:
            raise BadInputError("The filter names another category than the one it is used in.")
        return await _listing(_within(query, category.code), first, after, ctx)

    return await each(categories, one)


async def categories(products: Sequence[Product], *, ctx: Context) -> list[Found[Any]]:
    """A category that the PIM no longer has is left out."""
    found = await _lists(ctx, "categories", [product.categories for product in products])
    return list(found)


async def model(products: Sequence[Product], *, ctx: Context) -> list[Found[ProductModel]]:
    return await optional(ctx, "catalog", "models", [product.model for product in products])


async def variants(models: Sequence[ProductModel], *, ctx: Context) -> list[Found[Any]]:
    found = await ctx.loader("catalog", "variants").many([model.code for model in models])
    return [() if variants is None else variants for variants in found]


async def related(
    products: Sequence[Product],
    *,
    ctx: Context,
    kind: ProductRelationKind | None,
    first: int | None,
) -> list[Found[Any]]:
    size = page_request(first, None, default=12, ctx=ctx).first
    wanted = [_references(product, kind)[:size] for product in products]
    return list(await _lists(ctx, "referenced", wanted))


def attributes(product: Product, codes: list[str] | None) -> Sequence[Attribute]:
    if codes is None:
        return product.attributes
    wanted = frozenset(codes)
    return tuple(attribute for attribute in product.attributes if attribute.code in wanted)


async def price(
    products: Sequence[Product], *, ctx: Context, quantity: Decimal | None
) -> list[Found[Price]]:
    """For the caller's company at this quantity; the list price for a caller without one."""
    asked = checked_quantity(Decimal(1) if quantity is None else quantity)
    customer = ctx.caller.customer
    keys = [PriceQuestion(product.sku, asked, customer) for product in products]
    return await ctx.loader("pricing", "prices").many(keys)


async def availability(products: Sequence[Product], *, ctx: Context) -> list[Found[Availability]]:
    return await ctx.loader("stock", "availability").many([product.sku for product in products])


async def documents(products: Sequence[Product], *, ctx: Context) -> list[tuple[Document, ...]]:
    return [tuple(_document(media, ctx) for media in product.documents) for product in products]


async def image_url(images: Sequence[Media], *, ctx: Context) -> list[str]:
    return [ctx.media_url(image.code) for image in images]


def checked_quantity(quantity: Decimal) -> Decimal:
    """Raises BadInputError for what no system can price."""
    if not 0 < quantity <= _LARGEST_QUANTITY:
        raise BadInputError(f"quantity must be above 0 and at most {_LARGEST_QUANTITY}.")
    exponent = quantity.normalize().as_tuple().exponent
    if isinstance(exponent, int) and exponent < _SMALLEST_STEP:
        raise BadInputError("quantity must have at most 6 decimal places.")
    return quantity


async def _listing(
    query: ProductQuery, first: int | None, after: str | None, ctx: Context
) -> Connection[Product]:
    if query.skus is not None and len(query.skus) > MOST_SKUS:
        raise BadInputError(f"filter.skus may hold at most {MOST_SKUS}; ask in portions.")
    request = page_request(first, after, default=24, ctx=ctx)
    ctx.port("catalog")
    if request.first == 0:
        return empty(after)
    page = await ctx.once("catalog", "search", query, request)
    return Connection(page, after, lambda: ctx.once("catalog", "count", query))


def _within(query: ProductQuery, category: str) -> ProductQuery:
    fields = {name: getattr(query, name) for name in ProductQuery.__struct_fields__}
    return ProductQuery(**{**fields, "category": category})


def _references(product: Product, kind: ProductRelationKind | None) -> tuple[str, ...]:
    references = [
        reference
        for relation in product.relations
        if kind is None or relation.kind is kind
        for reference in relation.references
    ]
    return tuple(dict.fromkeys(references))


async def _lists(
    ctx: Context, operation: str, wanted: Sequence[Sequence[str]]
) -> list[tuple[Any, ...] | PortError]:
    """For each parent the loaded values of its keys, in order; the first failure stands for all."""
    flat = [key for keys in wanted for key in keys]
    if not flat:
        return [()] * len(wanted)
    values = dict(zip(flat, await ctx.loader("catalog", operation).many(flat), strict=True))
    lists: list[tuple[Any, ...] | PortError] = []
    for keys in wanted:
        found = [values[key] for key in keys]
        failed = next((value for value in found if isinstance(value, PortError)), None)
        lists.append(failed or tuple(value for value in found if value is not None))
    return lists


def _document(media: Media, ctx: Context) -> Document:
    kind = DocumentKind.__members__.get((media.role or "").upper(), DocumentKind.OTHER)
    return Document(
        key=media.code,
        title=media.title or media.code.rsplit("/", 1)[-1],
        kind=kind,
        url=ctx.media_url(media.code),
        mime_type=media.mime_type,
        size=media.size,
    )
