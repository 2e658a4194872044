"""Small steps that every batch resolver takes."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from ports.errors import BadInputError, PortError
from resolvers.context import Context
from resolvers.ids import key_of
from resolvers.loading import Found

T = TypeVar("T")
U = TypeVar("U")


async def optional(
    ctx: Context, role: str, operation: str, keys: Sequence[Any | None]
) -> list[Found[Any]]:
    """Loads the keys that are there; None for those that are not. Nothing is asked for nothing."""
    asked = [key for key in keys if key is not None]
    if not asked:
        return [None] * len(keys)
    return await settled(ctx, role, operation, asked, keys)


async def settled(
    ctx: Context, role: str, operation: str, keys: Sequence[Any], places: Sequence[Any | None]
) -> list[Found[Any]]:
    try:
        found = await ctx.loader(role, operation).many(keys)
    except PortError as error:  # the role is served by no upstream
        return [None if place is None else error for place in places]
    if len(found) == len(places):
        return found
    values = iter(found)
    return [None if place is None else next(values) for place in places]


def natural_key(kind: str, key: str | None, id: str | None, name: str) -> str:  # noqa: A002
    """The key that was asked by itself or by id. Raises BadInputError unless exactly one was given."""
    if (key is None) == (id is None):
        raise BadInputError(f"Give either {name} or id, not both and not neither.")
    return key if key is not None else key_of(kind, str(id))


async def each(parents: Sequence[T], one: Callable[[T], Awaitable[U]]) -> list[U | PortError]:
    """For fields that hardly ever have more than one parent (roots): one by one."""
    values: list[U | PortError] = []
    for parent in parents:
        try:
            values.append(await one(parent))
        except PortError as error:
            values.append(error)
    return values
