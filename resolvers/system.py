"""The configured systems, as the gateway sees them now."""

from collections.abc import Sequence
from typing import Any

from ports.systems import System
from resolvers.context import Context
from resolvers.scopes import SCOPE_OF_ROLE


async def systems(roots: Sequence[Any], *, ctx: Context) -> list[Sequence[System]]:
    """Raises ForbiddenError for a caller without the scope."""
    ctx.require(SCOPE_OF_ROLE["systems"])
    return [ctx.systems() for _ in roots]
