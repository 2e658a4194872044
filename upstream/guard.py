"""What stands around every port call: the order in which a question meets each protection.

Cache, collapse, chunk to what the vendor bears, circuit, deadline. Bulkhead, tries and credentials
are per HTTP call and so in `http.py`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from math import inf
from time import monotonic
from typing import Any, TypeVar

import msgspec

from ports.caller import Call
from ports.errors import TimedOutError, UpstreamError
from ports.operation import Operation, operations
from upstream.cache import Cache, CachedOperation
from upstream.circuit import Circuits, Probe
from upstream.codec import shape_of
from upstream.connector import Upstream
from upstream.deadlines import Deadlines
from upstream.limits import chunks
from upstream.uses import Portion

Method = Callable[..., Awaitable[Any]]
E = TypeVar("E", bound=BaseException)


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
    if operation.shape == "single":
        return live.single
    ask = live.batch

    def batch(keys: Sequence[Any], /, *, call: Call) -> Awaitable[dict[Any, Any]]:
        return ask(tuple(dict.fromkeys(keys)), call)

    return batch


def _cached(live: "_Live", operation: Operation, kept: CachedOperation) -> Method:
    async def batch(keys: Sequence[Any], /, *, call: Call) -> dict[Any, Any]:
        return await kept.batch(tuple(dict.fromkeys(keys)), call, live.batch)

    async def single(*arguments: object, call: Call) -> Any:
        async def ask(keys: "Sequence[Any]", call: Call) -> "dict[Any, Any]":
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
        self._deadlines = Deadlines()
        self._paced = upstream.paces.note
        self._max_keys = limits.max_keys if limits else None

    async def single(self, *arguments: object, call: Call) -> Any:
        """Raises UnavailableError while the circuit is open, else what the connector raises.

        TimedOutError at the deadline.
        """
        circuit, error = self._circuit, None
        token = None if circuit is None else circuit.begin()
        if type(token) is Probe:
            call = msgspec.structs.replace(call, once=True)
        began = monotonic()
        due = self._deadlines.begin(call.deadline)
        try:
            answer = await self._method(*arguments, call=call)
        except BaseException as raised:
            is_over = self._deadlines.end(due) and isinstance(raised, asyncio.CancelledError)
            if is_over or isinstance(raised, TimeoutError):
                error = TimedOutError.code
                raise self._failed(token, self._late(), began, call) from raised
            error = raised.code if isinstance(raised, UpstreamError) else None
            self._failed(token, raised, began, call)
            raise
        else:
            self._deadlines.end(due)
            if circuit is not None:
                circuit.succeeded(token)
            return answer
        finally:
            ended = monotonic()
            self._paced(self._name, ended, ended - began)
            if call.watch is not None:
                call.watch(self._portion_of(arguments, began, ended, error))

    def _failed(self, token: object, error: E, began: float, call: Call) -> E:
        if self._circuit is not None:
            deadline = call.deadline
            patience = deadline - began if monotonic() >= deadline else inf
            self._circuit.failed(token, error, patience)
        return error

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

    def batch(self, keys: Sequence[Any], call: Call) -> Awaitable[dict[Any, Any]]:
        """Raises the error of the only portion; of several, each costs its own keys."""
        if keys and (self._max_keys is None or len(keys) <= self._max_keys):
            return self.single(keys, call=call)
        return self._portions(keys, call)

    async def _portions(self, keys: Sequence[Any], call: Call) -> dict[Any, Any]:
        portions = list(chunks(keys, self._max_keys)) if keys else []
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
