"""Several questions at the same time, none of which is left behind."""

import asyncio
from collections.abc import Awaitable, Coroutine, Sequence
from typing import Any


async def together(waiting: Sequence[Coroutine[Any, Any, Any]]) -> list[Any]:
    """All of them at once; a failure is raised only when all have ended, so that none is left.

    The last runs here rather than in a task of its own.
    """
    if not waiting:
        return []
    *others, last = waiting
    tasks = [asyncio.create_task(one) for one in others]
    try:
        own = await _outcome(last)
        results = [await _outcome(task) for task in tasks]
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise
    results.append(own)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return results


async def _outcome(one: Awaitable[Any]) -> Any:
    """What it gives, or raises: but nothing keeps this from being cancelled."""
    try:
        return await one
    except Exception as error:  # noqa: BLE001 - raised when the others have ended
        return error
