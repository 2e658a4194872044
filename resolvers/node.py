"""Any object by its global id, and Federation's entities, through the same loaders as all else."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from ports.errors import BadInputError, ForbiddenError, PortError
from resolvers import customer, invoice, order, shipment
from resolvers.batch import optional
from resolvers.context import Context
from resolvers.ids import decode
from resolvers.later import not_configured
from resolvers.loading import Found
from resolvers.scopes import ROLE_OF_KIND, SCOPE_OF_ROLE
from resolvers.together import together

ByKey = Callable[..., Awaitable[list[Found[Any]]]]


def _catalog(operation: str) -> ByKey:
    async def by_key(keys: Sequence[str | None], *, ctx: Context) -> list[Found[Any]]:
        return await optional(ctx, "catalog", operation, keys)

    return by_key


BY_KEY: dict[str, ByKey] = {
    "Product": _catalog("products"),
    "ProductModel": _catalog("models"),
    "Category": _catalog("categories"),
    "Customer": customer.by_number,
    "Order": order.by_number,
    "Invoice": invoice.by_number,
    "Shipment": shipment.by_key,
    "Return": not_configured("returns"),
}
"""How objects of a type are found by the natural key that their id holds."""


async def node(roots: Sequence[Any], *, ctx: Context, id: str) -> list[Found[Any]]:  # noqa: A002
    return [(await _by_ids([id], ctx))[0] for _ in roots]


async def nodes(roots: Sequence[Any], *, ctx: Context, ids: Sequence[str]) -> list[Any]:
    """An id that is malformed or fails costs its own place only."""
    if len(ids) > ctx.page_cap:
        raise BadInputError(f"At most {ctx.page_cap} ids can be asked at once.")
    return [await _by_ids(ids, ctx) for _ in roots]


async def by_kind(kind: str, keys: Sequence[str | None], *, ctx: Context) -> list[Found[Any]]:
    """Objects of one type by natural key; one that the caller has no scope for is refused."""
    try:
        ctx.require(SCOPE_OF_ROLE[ROLE_OF_KIND[kind]])
    except ForbiddenError as error:
        return [error] * len(keys)
    return await BY_KEY[kind](keys, ctx=ctx)


async def _by_ids(ids: Sequence[str], ctx: Context) -> list[Found[Any]]:
    decoded = [_decoded(text) for text in ids]
    found: list[Found[Any]] = [part if isinstance(part, PortError) else None for part in decoded]
    places: dict[str, list[int]] = {}
    for index, part in enumerate(decoded):
        if isinstance(part, tuple):
            places.setdefault(part[0], []).append(index)
    answers = await together(
        [by_kind(kind, [decoded[at][1] for at in them], ctx=ctx) for kind, them in places.items()]
    )
    for them, values in zip(places.values(), answers, strict=True):
        for index, value in zip(them, values, strict=True):
            found[index] = value
    return found


def _decoded(text: str) -> Any:
    try:
        kind, key = decode(text)
    except BadInputError as error:
        return error
    if kind not in BY_KEY:
        return BadInputError("This id is of no type that can be asked by id.")
    return kind, key
