"""What stands around every port call: keys once, in portions the vendor bears, within the deadline.

Cache, collapsing, circuits and budgets join here in this order: cache, collapse, chunk, circuit,
bulkhead, deadline, retry. Bulkhead, tries and credentials are per HTTP call and so in `http.py`.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from ports.caller import Call
from ports.errors import TimedOutError, UpstreamError
from ports.operation import Operation, operations
from upstream.connector import Upstream
from upstream.limits import chunks


class Guarded:
    """A port's object behind the guard: the same operations, the same answers."""

    def __init__(self, role: str, protocol: type, port: object, upstream: Upstream) -> None:
        self._port = port
        for name, operation in operations(protocol).items():
            setattr(self, name, _guard(f"{role}.{name}", getattr(port, name), operation, upstream))

    def __getattr__(self, name: str) -> Any:
        """Operations that declare nothing (a stream of bytes) pass as they are."""
        return getattr(self._port, name)


def _guard(
    name: str, method: Callable[..., Awaitable[Any]], operation: Operation, upstream: Upstream
) -> Callable[..., Awaitable[Any]]:
    limits = upstream.manifest.operations.get(name)
    max_keys = limits.max_keys if limits else None

    async def single(*arguments: object, call: Call) -> Any:
        return await _in_time(method(*arguments, call=call), name, upstream, call)

    async def batch(keys: Sequence[Any], /, *, call: Call) -> dict[Any, Any]:
        portions = list(chunks(tuple(dict.fromkeys(keys)), max_keys))
        answers = await asyncio.gather(*(_portion(single, part, call) for part in portions))
        if len(answers) == 1 and isinstance(answers[0], UpstreamError):
            raise answers[0]
        whole: dict[Any, Any] = {}
        for part, answer in zip(portions, answers, strict=True):
            whole.update(
                dict.fromkeys(part, answer) if isinstance(answer, UpstreamError) else answer
            )
        return whole

    return batch if operation.shape == "batch" else single


async def _portion(
    ask: Callable[..., Awaitable[Any]], keys: Sequence[Any], call: Call
) -> Any | UpstreamError:
    """A portion that fails costs its own keys, not those of the others."""
    if not keys:
        return {}
    try:
        return await ask(keys, call=call)
    except UpstreamError as error:
        return error


async def _in_time(asked: Awaitable[Any], name: str, upstream: Upstream, call: Call) -> Any:
    try:
        async with asyncio.timeout(max(0.0, call.deadline - time.monotonic())):
            return await asked
    except TimeoutError as late:
        raise TimedOutError(
            system=upstream.manifest.system.value,
            upstream=upstream.name,
            operation=name,
            detail="the operation's deadline passed",
        ) from late
