"""Connections to Redis or Valkey under which a caller that is cancelled ends."""

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from redis.asyncio.connection import ConnectionPool

PoolT = TypeVar("PoolT", bound="ConnectionPool")


class _Heeding:
    """Before Python 3.12 `wait_for`, which the client sends by, may lose a cancellation.

    Whoever was cancelled would go on as if nothing had been.
    """

    async def send_packed_command(self, *told: Any, **more: Any) -> None:
        task = asyncio.current_task()
        before = task.cancelling() if task else 0
        parent: Any = super()
        await parent.send_packed_command(*told, **more)
        if task and task.cancelling() > before:
            # Its answer is still to come, and must not be the next command's.
            await self.disconnect(nowait=True)  # type: ignore[attr-defined]
            raise asyncio.CancelledError


def heeding(pool: PoolT) -> PoolT:
    """The pool, whose connections heed that their caller was cancelled."""
    own = pool.connection_class
    pool.connection_class = type(f"Heeding{own.__name__}", (_Heeding, own), {})
    return pool
