"""Data that changes by the week and is needed by every answer: attributes, warehouses, currencies.

Loaded once, then kept fresh apart from the requests that read it.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from ports.caller import Call, Caller, CallerKind
from ports.errors import UpstreamError

T = TypeVar("T")

_LOAD_SECONDS = 20.0
_RETRY_SECONDS = 5.0
_OURSELVES = Caller(subject="passerelle", kind=CallerKind.APPLICATION, customers=None)


def own_call(language: str = "en", seconds: float = _LOAD_SECONDS) -> Call:
    """The terms of a call that the gateway makes for itself, on behalf of nobody."""
    return Call(
        caller=_OURSELVES,
        language=language,
        deadline=time.monotonic() + seconds,
        request_id="-",
        operation="reference",
    )


class Reference(Generic[T]):
    """One reference value of an upstream, shared by all callers.

    The first reader waits for the load, together with all others; later ones get what is there,
    while a load past `lifetime_seconds` renews it behind them. A failed renewal keeps the old
    value. `load` must not depend on a caller and may take `load_seconds`: longer than a request's
    own deadline, since large systems take it.
    """

    def __init__(
        self,
        load: Callable[[Call], Awaitable[T]],
        *,
        lifetime_seconds: float = 600.0,
        load_seconds: float = _LOAD_SECONDS,
    ) -> None:
        self._load = load
        self._load_seconds = load_seconds
        self._lifetime = lifetime_seconds
        self._value: tuple[T] | None = None
        self._renew_at = 0.0
        self._loading: asyncio.Task[None] | None = None

    async def get(self, call: Call) -> T:
        """Raises what `load` raises, or TimeoutError when the call's deadline comes first."""
        if time.monotonic() >= self._renew_at and self._loading is None:
            self._loading = asyncio.create_task(self._renew())
            self._loading.add_done_callback(_looked_at)
        if self._value is None and self._loading is not None:
            await self._wait(self._loading, call)
        if self._value is None:
            raise AssertionError
        return self._value[0]

    async def _wait(self, loading: "asyncio.Task[None]", call: Call) -> None:
        """A cancelled or late reader does not end the load that others wait for."""
        async with asyncio.timeout(max(0.0, call.deadline - time.monotonic())):
            await asyncio.shield(loading)

    async def _renew(self) -> None:
        try:
            self._value = (await self._load(own_call(seconds=self._load_seconds)),)
            self._renew_at = time.monotonic() + self._lifetime
        except UpstreamError:
            self._renew_at = time.monotonic() + _RETRY_SECONDS
            if self._value is None:
                self._renew_at = 0.0
                raise
        finally:
            self._loading = None

    async def aclose(self) -> None:
        """Ends a load under way; to be called before the upstream's client is closed."""
        if self._loading is not None:
            self._loading.cancel()
            await asyncio.gather(self._loading, return_exceptions=True)


def _looked_at(loading: "asyncio.Task[None]") -> None:
    """A load may fail with nobody left to hear it; that is no fault of the event loop's."""
    if not loading.cancelled():
        loading.exception()
