"""The configured systems, as the gateway sees them now."""

from collections.abc import Sequence
from typing import Any

from ports.errors import ForbiddenError
from ports.systems import System
from resolvers.context import Context

SCOPE = "systems:read"


async def systems(roots: Sequence[Any], *, ctx: Context) -> list[Sequence[System]]:
    """Raises ForbiddenError for a caller without the scope."""
    if SCOPE not in ctx.caller.scopes:
        raise ForbiddenError(f"This needs the scope {SCOPE}.")
    return [ctx.systems() for _ in roots]
