"""Fields whose role no connector serves yet: they say so, and cost nobody else's answer."""

from collections.abc import Sequence
from typing import Any

from ports.errors import NotConfiguredError
from resolvers.context import SYSTEM_OF_ROLE, Context
from resolvers.scopes import SCOPE_OF_ROLE


def not_configured(role: str) -> Any:
    """A batch resolver for fields whose role no connector serves yet."""

    async def resolve(parents: Sequence[Any], *, ctx: Context, **arguments: object) -> list[Any]:
        _ = arguments
        ctx.require(SCOPE_OF_ROLE[role])
        return [NotConfiguredError(SYSTEM_OF_ROLE[role].value, role) for _ in parents]

    return resolve
