"""Who is calling."""

from collections.abc import Sequence
from typing import Any

from ports.caller import Caller
from resolvers import customer as customers_of
from resolvers.context import Context
from resolvers.loading import Found


async def viewer(roots: Sequence[Any], *, ctx: Context) -> list[Caller]:
    return [ctx.caller for _ in roots]


async def customer(callers: Sequence[Caller], *, ctx: Context) -> list[Found[Any]]:
    return await customers_of.by_number([caller.customer for caller in callers], ctx=ctx)
