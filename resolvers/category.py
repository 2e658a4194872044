"""The tree of categories."""

from collections.abc import Sequence
from typing import Any

from ports.catalog import Category
from resolvers.batch import optional
from resolvers.context import Context
from resolvers.loading import Found


async def category(roots: Sequence[Any], *, ctx: Context, code: str) -> list[Found[Category]]:
    return [await ctx.loader("catalog", "categories").one(code) for _ in roots]


async def categories(roots: Sequence[Any], *, ctx: Context, parent: str | None) -> list[Found[Any]]:
    """An unknown parent has no children."""
    return [_list(await ctx.loader("catalog", "children").one(parent)) for _ in roots]


async def parent(categories: Sequence[Category], *, ctx: Context) -> list[Found[Category]]:
    keys = [category.parent for category in categories]
    return await optional(ctx, "catalog", "categories", keys)


async def children(categories: Sequence[Category], *, ctx: Context) -> list[Found[Any]]:
    keys = [category.code for category in categories]
    return [_list(found) for found in await ctx.loader("catalog", "children").many(keys)]


def _list(found: Found[Any]) -> Any:
    return () if found is None else found
