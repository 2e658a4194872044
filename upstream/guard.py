"""What stands around every port call: the order in which a question meets each protection.

Cache, collapse, chunk to what the vendor bears, circuit, deadline. Bulkhead, tries and credentials
are per HTTP call and so in `http.py`.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from ports.caller import Call
from ports.errors import TimedOutError, UpstreamError
from ports.operation import Operation, operations
from upstream.cache import Cache, CachedOperation
from upstream.circuit import Circuits
from upstream.codec import shape_of
from upstream.connector import Upstream
from upstream.limits import chunks
from upstream.uses import Portion

Method = Callable[..., Awaitable[Any]]


class Guarded:
    """A port's object behind the guard: the same operations, the same answers.

    Without a cache every question goes to the system; without circuits however often it fails.
    """

    def __init__(  # noqa: PLR0913 - the protections of a port, all named
        self,
        role: str,
        protocol: type,
        port: object,
        upstream: Upstream,
        cache: Cache | None = None,
        *,
        circuits: Circuits | None = None,
    ) -> None:
        self._port = port
        for method, operation in operations(protocol).items():
            name = f"{role}.{method}"
            live = _Live(name, getattr(port, method), upstream, circuits)
            guard = _direct(live, operation)
            if cache is not None:
                shape = shape_of(protocol, method, operation)
                guard = _cached(live, operation, cache.operation(name, operation, upstream, shape))
            setattr(self, method, guard)

    def __getattr__(self, name: str) -> Any:
        """Operations that declare nothing (a stream of bytes) pass as they are."""
        return getattr(self._port, name)


def _direct(live: "_Live", operation: Operation) -> Method:
    async def batch(keys: Sequence[Any], /, *, call: Call) -> dict[Any, Any]:
        return await live.batch(tuple(dict.fromkeys(keys)), call)

    return batch if operation.shape == "batch" else live.single


def _cached(live: "_Live", operation: Operation, kept: CachedOperation) -> Method:
    async def batch(keys: Sequence[Any], /, *, call: Call) -> dict[Any, Any]:
        return await kept.batch(tuple(dict.fromkeys(keys)), call, live.batch)

    async def single(*arguments: object, call: Call) -> Any:
        async def ask(keys: Sequence[Any], call: Call) -> dict[Any, Any]:
            return dict.fromkeys(keys, await live.single(*arguments, call=call))

        return await kept.single(arguments, call, ask)

    return batch if operation.shape == "batch" else single


class _Live:
    """One operation of the system itself, in portions that it bears, within the deadline."""

    def __init__(
        self, name: str, method: Method, upstream: Upstream, circuits: Circuits | None
    ) -> None:
        self._name = name
        self._method = method
        self._upstream = upstream
        limits = upstream.manifest.operations.get(name)
        self._circuit = circuits.of(name) if circuits else None
        self._max_keys = limits.max_keys if limits else None

    async def single(self, *arguments: object, call: Call) -> Any:
        """Raises UnavailableError while the circuit is open, else what the connector raises.

        TimedOutError at the deadline.
        """
        if self._circuit is None:
            return await self._timed(*arguments, call=call)
        with self._circuit.attempt(call.deadline):
            return await self._timed(*arguments, call=call)

    async def _timed(self, *arguments: object, call: Call) -> Any:
        began, error = time.monotonic(), None
        try:
            async with asyncio.timeout(max(0.0, call.deadline - began)):
                return await self._method(*arguments, call=call)
        except TimeoutError as late:
            error = TimedOutError.code
            raise self._late() from late
        except UpstreamError as failure:
            error = failure.code
            raise
        finally:
            ended = time.monotonic()
            self._upstream.paces.note(self._name, ended, ended - began)
            if call.watch is not None:
                call.watch(self._portion_of(arguments, began, ended, error))

    def _portion_of(
        self, arguments: Sequence[object], began: float, ended: float, error: str | None
    ) -> Portion:
        keys = arguments[0] if len(arguments) == 1 else None
        number = len(keys) if isinstance(keys, tuple | list) else None
        return Portion(self._upstream.name, self._name, number, began, ended, error)

    def _late(self) -> TimedOutError:
        return TimedOutError(
            system=self._upstream.manifest.system.value,
            upstream=self._upstream.name,
            operation=self._name,
            detail="the operation's deadline passed",
        )

    async def batch(self, keys: Sequence[Any], call: Call) -> dict[Any, Any]:
        """Raises the error of the only portion; of several, each costs its own keys."""
        if not keys:
            return {}
        if self._max_keys is None or len(keys) <= self._max_keys:
            return await self.single(keys, call=call)  # type: ignore[no-any-return]
        portions = list(chunks(keys, self._max_keys))
        answers = await asyncio.gather(*(self._portion(part, call) for part in portions))
        whole: dict[Any, Any] = {}
        for part, answer in zip(portions, answers, strict=True):
            if isinstance(answer, UpstreamError):
                whole.update(dict.fromkeys(part, answer))
            else:
                whole.update(answer)
        return whole

    async def _portion(self, keys: Sequence[Any], call: Call) -> Any | UpstreamError:
        try:
            return await self.single(keys, call=call)
        except UpstreamError as error:
            return error
